"""Answers: how the answer to the open turn is asked for, and what becomes of the turn by it.

Theory of operation. A turn is answered by one response of the upstream. It is requested twice at most, and only while
nothing was heard of it: nobody wants to hear half an answer again.

* It is **over**. If it was completed, or cut short by a limit, the turn ends when it has been heard; so it does if the
  upstream itself has cancelled it. If it failed, or was cut short before its first word, there is none.
* There is **none**, or the request was refused. If the reason may pass, it is requested again after
  :data:`SECOND_TRY`; if not, the turn has failed.
* It **never begins**. It is requested again at once, for it had its time already.
* It **stalls**: it has begun and goes on no more. That costs the connection; what the turn is left with is said by
  :func:`voice.protocol.outage.remains`.
"""

from __future__ import annotations

from voice.protocol.commands import Command, CountUsage, Reconnect, TellAnswerDone, TellAnswerStarted, ToUpstream
from voice.protocol.events import Fault, ResponseDone, ResponseStarted
from voice.protocol.responses import ResponseSlot
from voice.protocol.timeline import Mark
from voice.protocol.turn import Turn

SECOND_TRY = 1.0
"""Seconds until an answer that failed for a passing reason is requested once more."""
PASSING = frozenset({"server_error", "rate_limit_exceeded", "inference_rate_limit_exceeded"})
"""Codes of failures that may be over in a moment."""


class Answers:
    """Methods take the open turn, if there is one, and return what follows. What becomes of it stands in the turn then:
    one that is ``upstream_done`` or ``failed`` is for its owner to end."""

    def __init__(self) -> None:
        self._slot = ResponseSlot()

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` must be called, unless something happens before; so it must at the turn's ``retry_at``."""
        return self._slot.deadline

    @property
    def response_id(self) -> str:
        """The answer that has begun and is not over, wanted or not; empty if there is none."""
        return self._slot.response_id

    # -- asking --------------------------------------------------------------------------------------------------

    def request(self, turn: Turn, now: float) -> list[ToUpstream]:
        """Ask for an answer to the turn."""
        turn.retry_at = None
        return self._slot.request(turn.next_request(), now)

    def interrupt(self, now: float) -> list[ToUpstream]:
        """Barge-in: no answer is wanted any more."""
        return self._slot.interrupt(now)

    def abandon(self) -> list[CountUsage]:
        """The connection is over, and nothing will be heard of the answer that was under way. It is paid for."""
        unfinished = self._slot.abandon()
        return [CountUsage(unfinished, None)] if unfinished else []

    # -- what comes of it ----------------------------------------------------------------------------------------

    def started(self, turn: Turn | None, event: ResponseStarted, now: float) -> list[Command]:
        """An answer has begun. One that nobody waits for is cancelled."""
        told: list[Command] = [*self._slot.started(event.response_id, event.request_id, now)]
        if turn is not None and self._slot.accepts(event.response_id):
            turn.timeline.mark(Mark.RESPONSE_STARTED, now)
            told.append(TellAnswerStarted(event.response_id))
        return told

    def going_on(self, turn: Turn | None, response_id: str, now: float) -> Turn | None:
        """A piece of an answer has come. The turn, if the answer is its own and wanted."""
        request = self._slot.going_on(response_id, now)
        return turn if request and turn is not None and turn.request_id == request else None

    def done(self, turn: Turn | None, event: ResponseDone, now: float) -> list[Command]:
        """An answer is over, in any way."""
        told: list[Command] = [CountUsage(event.response_id, event.usage)]
        asking = self._asking(turn)
        freed = self._slot.done(event.response_id, event.request_id, now)
        if freed is None:
            return told
        if asking is not None:
            if event.status == "failed" or (event.status == "incomplete" and not asking.answered):
                _go_unanswered(asking, event.reason, now)
            else:
                asking.upstream_done, asking.cancelled = True, event.status == "cancelled"
            if not asking.failed:
                told.append(TellAnswerDone(event.response_id, event.status, event.reason, event.usage))
        return [*told, *freed]

    def refused(self, turn: Turn | None, event: Fault, now: float) -> list[ToUpstream]:
        """The upstream has reported an error; it may be about the request."""
        asking = self._asking(turn)
        freed = self._slot.refused(event.event_id, event.code, now)
        if freed is None:
            return []
        if asking is not None:
            _go_unanswered(asking, event.code, now)
        return freed

    def tick(self, turn: Turn | None, now: float) -> list[Command]:
        """The clock has moved."""
        if self._slot.deadline is not None and now >= self._slot.deadline:
            return self._expire(turn, now)
        if turn is not None and turn.retry_at is not None and now >= turn.retry_at:
            return [*self.request(turn, now)]
        return []

    # -- inside --------------------------------------------------------------------------------------------------

    def _expire(self, turn: Turn | None, now: float) -> list[Command]:
        asking = self._asking(turn)
        if asking is not None and self._slot.response_id:
            self._slot.wait_no_more()
            return [Reconnect()]  # what is lost with it is told when it is
        # Begun or not: nobody may ever say what it cost.
        told: list[Command] = [CountUsage(self._slot.request_id, None)]
        told += self._slot.expire(now)
        if asking is not None and asking.tries == 1:
            told += self.request(asking, now)
        elif asking is not None:
            asking.failed = True
        return told

    def _asking(self, turn: Turn | None) -> Turn | None:
        """The open turn, if the slot is making its answer."""
        return turn if turn is not None and turn.request_id and turn.request_id == self._slot.holder else None


def _go_unanswered(turn: Turn, code: str | None, now: float) -> None:
    """The upstream has failed to answer. Where that may pass, and nothing was heard yet, it is asked once more."""
    if code in PASSING and turn.tries == 1 and not turn.answered:
        turn.retry_at = now + SECOND_TRY
    else:
        turn.failed = True
