"""A conversation written down: what happens at which millisecond, and what must follow.

:class:`Script` drives the core as a session does. Before it feeds an event it lets each deadline that lies before
it pass, exactly when it is due; so a script states times, and never calls a timeout by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.context import Passage
from voice.protocol.conversation import Conversation
from voice.protocol.history import NOTHING_SAID, History
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.policy import ContextPolicy, PrefetchPolicy, Retrieval

EPOCH = 1_000.0
"""Second on the clock at which scripts begin."""
POLICY = PrefetchPolicy(more_words=3, fit=0.6, quick_fit=0.6)
"""Fewer words than by default until it is searched again, so that scripts are short."""
QUESTION = "When do you open on Sundays?"
HOURS = Passage("Opening hours", "On Sundays we open at ten.", "/hours/")
PARKING = Passage("Parking", "There are forty places behind the house.", "/parking/")

CommandT = TypeVar("CommandT", bound=c.Command)


@dataclass(frozen=True, slots=True)
class Told:
    """A command and the millisecond it was given at."""

    at: int
    command: c.Command


class Script:
    """One conversation and all it has said. Times are milliseconds since the script began, and never go back."""

    def __init__(
        self,
        prefetch: PrefetchPolicy | None = None,
        context: ContextPolicy | None = None,
        *,
        retrieval: Retrieval = "prefetch",
        page: Passage | None = None,
        history: History = NOTHING_SAID,
        epoch: float = EPOCH,
    ) -> None:
        self.conversation = Conversation(
            prefetch or POLICY, context or ContextPolicy(), retrieval=retrieval, page=page, history=history
        )
        self.told: list[Told] = []
        self._epoch = epoch
        self._now = 0

    # -- what happens --------------------------------------------------------------------------------------------

    def at(self, milliseconds: int, *events: e.Event) -> list[c.Command]:
        """These events come at that time. Returns what followed since the call before, timeouts included."""
        start = len(self.told)
        self._wait_until(milliseconds)
        for event in events:
            self._keep(self.conversation.receive(event, self._clock(milliseconds)))
        return [told.command for told in self.told[start:]]

    def close(self, milliseconds: int) -> list[c.Command]:
        """The session ends at that time."""
        start = len(self.told)
        self._wait_until(milliseconds)
        self._keep(self.conversation.close(self._clock(milliseconds)))
        return [told.command for told in self.told[start:]]

    # -- what happens often --------------------------------------------------------------------------------------

    def speak(self, item_id: str = "item_u", *, at: int = 0, text: str = QUESTION) -> None:
        """Somebody begins to speak; a second later these words stand."""
        self.at(at, e.SpeechStarted(item_id))
        self.at(at + 1_000, e.TranscriptDelta(item_id, text))

    def ask(self, item_id: str = "item_u", *, at: int = 0) -> str:
        """A spoken question of 2 s, whose context is found in time. Returns the request that is made at its end."""
        self.speak(item_id, at=at)
        self.at(at + 1_500, self.found(HOURS))
        self.at(at + 2_000, e.SpeechStopped(item_id), e.InputCommitted(item_id))
        return self.last(c.CreateResponse).request_id

    def begin_answer(self, response_id: str = "resp_1", item_id: str = "item_a", *, at: int, ms: int = 1_000) -> None:
        """The upstream begins the answer that was asked for last, with ``ms`` of audio."""
        request_id = self.last(c.CreateResponse).request_id
        self.at(at, e.ResponseStarted(response_id, request_id), audio(response_id, item_id, ms))

    def found(self, *passages: Passage) -> e.PassagesRetrieved:
        """The newest search brings these."""
        return e.PassagesRetrieved(self.last(c.Retrieve).search_id, passages)

    def failed(self, reason: str = "timeout") -> e.RetrievalFailed:
        """The newest search fails."""
        return e.RetrievalFailed(self.last(c.Retrieve).search_id, reason)

    # -- what must follow ----------------------------------------------------------------------------------------

    def all(self, kind: type[CommandT]) -> list[CommandT]:
        """Every command of this kind so far."""
        return [told.command for told in self.told if isinstance(told.command, kind)]

    def last(self, kind: type[CommandT]) -> CommandT:
        """The newest command of this kind."""
        commands = self.all(kind)
        assert commands, f"no {kind.__name__} so far: {self.transcript()}"
        return commands[-1]

    def when(self, kind: type[c.Command]) -> list[int]:
        """The milliseconds at which commands of this kind were given."""
        return [told.at for told in self.told if isinstance(told.command, kind)]

    def assert_told(self, *commands: c.Command) -> None:
        """These were told, in this order, with whatever else in between."""
        rest = iter([told.command for told in self.told])
        for wanted in commands:
            assert any(wanted == command for command in rest), f"{wanted} is missing: {self.transcript()}"

    def assert_never(self, *kinds: type[c.Command]) -> None:
        """Nothing of these kinds was told."""
        for kind in kinds:
            assert not self.all(kind), f"{kind.__name__} was told: {self.transcript()}"

    def assert_order(self, *kinds: type[c.Command]) -> None:
        """The first commands of these kinds came in this order."""
        places = [next(n for n, told in enumerate(self.told) if isinstance(told.command, kind)) for kind in kinds]
        assert places == sorted(places), f"not in the order {[kind.__name__ for kind in kinds]}: {self.transcript()}"

    def assert_turn(self, number: int, outcome: TurnOutcome, **facts: Any) -> c.TurnEnded:
        """The turn ended once, like this, and the visitor and the records were told the same."""
        ended = [turn for turn in self.all(c.TurnEnded) if turn.number == number]
        shown = [turn.outcome for turn in self.all(c.TellTurnDone) if turn.turn == number]
        assert [turn.outcome for turn in ended] == shown == [outcome], self.transcript()
        for name, value in facts.items():
            assert getattr(ended[0], name) == value, f"{name} is {getattr(ended[0], name)!r}"
        return ended[0]

    def assert_open(self, number: int) -> None:
        """The turn goes on."""
        assert self.conversation.speaking
        assert number not in [turn.number for turn in self.all(c.TurnEnded)], self.transcript()

    def assert_searches(self, number: int, expected: Mapping[str, int]) -> None:
        """How the searches of a turn that has ended came out: each of them, once."""
        ended = next(turn for turn in self.all(c.TurnEnded) if turn.number == number)
        asked = [search for search in self.all(c.Retrieve) if search.search_id.startswith(f"search_{number}_")]
        assert {name: count for name, count in ended.searches.items() if count} == dict(expected)
        assert len(asked) == sum(expected.values())

    def transcript(self) -> str:
        """All that was told, to be read when a test fails."""
        return "".join(f"\n  {told.at:6} {told.command}" for told in self.told) or "silence"

    # -- inside --------------------------------------------------------------------------------------------------

    def _clock(self, milliseconds: int) -> float:
        return self._epoch + milliseconds / 1000

    def _wait_until(self, milliseconds: int) -> None:
        assert milliseconds >= self._now, "a script does not go back in time"
        end = self._clock(milliseconds)
        while (deadline := self.conversation.deadline) is not None and deadline <= end:
            due = max(deadline, self._clock(self._now))
            self._now = max(self._now, round((due - self._epoch) * 1000))
            self._keep(self.conversation.receive_timeout(due))
            after = self.conversation.deadline
            assert after is None or after > due, "a timeout that changes nothing comes again at once"
        self._now = milliseconds

    def _keep(self, commands: Iterable[c.Command]) -> None:
        self.told.extend(Told(self._now, command) for command in commands)


def audio(response_id: str, item_id: str, ms: int) -> e.AudioDelta:
    """``ms`` of an answer."""
    return e.AudioDelta(response_id, item_id, bytes(ms * BYTES_PER_MS))


def done(response_id: str, **facts: Any) -> e.ResponseDone:
    """An answer is over; completed, unless ``status`` says otherwise."""
    return e.ResponseDone(response_id, facts.pop("status", "completed"), **facts)
