"""The response slot: the upstream answers one thing at a time, and this is the only place that asks it to.

``conversation_already_has_active_response`` is the error that most bridges repeat. The cure is a single writer: a
request that comes while an answer is being made, or is being cancelled, waits in the slot until that one is done.

    FREE -> REQUESTED -> ACTIVE -> FREE
                 |          |
                 +----------+--> CANCELLING -> FREE        (barge-in)
"""

from __future__ import annotations

from enum import Enum, auto

from voice.protocol.commands import CancelResponse, CreateResponse, ToUpstream

START_LIMIT = 8.0
"""Seconds from a request to the answer's beginning, before the request counts as lost."""
STALL_LIMIT = 10.0
"""Seconds without a sign of life of an answer under way, before it counts as lost."""
CANCEL_LIMIT = 2.0
"""Seconds that a cancelled answer may take to say that it is done."""
BUSY = "conversation_already_has_active_response"
BUSY_TRIES = 3


class SlotState(Enum):
    """Where the one answer is."""

    FREE = auto()
    REQUESTED = auto()
    ACTIVE = auto()
    CANCELLING = auto()


_WANTED = (SlotState.REQUESTED, SlotState.ACTIVE)  # up to Python 3.11 to name a member costs a call


class ResponseSlot:
    """Who may speak at the upstream. Methods return what to tell it."""

    def __init__(self) -> None:
        self.state = SlotState.FREE
        self.request_id = ""
        """The request that the slot is taken by, or was last."""
        self.deadline: float | None = None
        """When :meth:`expire` must be called, unless something happens before."""
        self._response_id = ""
        self._waiting = ""
        self._busy_answers = 0
        self._is_foreign = False  # somebody else's answer holds the upstream; whose, nobody said

    @property
    def holder(self) -> str:
        """The request whose answer is wanted and under way; empty if none is."""
        return self.request_id if self.state in _WANTED else ""

    def request(self, request_id: str, now: float) -> list[ToUpstream]:
        """Ask for an answer: now if the slot is free, else as soon as it is. A newer request replaces a waiting one."""
        if self.state is not SlotState.FREE:
            self._waiting = request_id
            return []
        if request_id != self.request_id:
            self._busy_answers = 0
        self.state, self.request_id, self.deadline = SlotState.REQUESTED, request_id, now + START_LIMIT
        self._response_id = self._waiting = ""
        return [CreateResponse(request_id)]

    def started(self, response_id: str, request_id: str | None, now: float) -> list[ToUpstream]:
        """An answer has begun. One that nobody waits for is cancelled, by its id."""
        ours = request_id is None or request_id == self.request_id
        if self.state is SlotState.REQUESTED and ours:
            self.state, self._response_id = SlotState.ACTIVE, response_id
            self.deadline = now + STALL_LIMIT
            return []
        if self.state is SlotState.CANCELLING and ours and not self._response_id:
            self._response_id = response_id
        return [] if self.accepts(response_id) else [CancelResponse(response_id)]

    def accepts(self, response_id: str) -> bool:
        """Whether what belongs to this answer is wanted; after a barge-in it is not."""
        return self.state is SlotState.ACTIVE and response_id == self._response_id

    def going_on(self, response_id: str, now: float) -> str:
        """The answer gave a sign of life. The request that it answers; empty if it is not wanted."""
        if self.state is not SlotState.ACTIVE or response_id != self._response_id:
            return ""
        self.deadline = now + STALL_LIMIT
        return self.request_id

    def interrupt(self, now: float) -> list[ToUpstream]:
        """Barge-in: the answer, made or asked for, is not wanted any more; nor is one that waits."""
        self._waiting = ""
        if self.state is SlotState.REQUESTED:
            self.state, self.deadline = SlotState.CANCELLING, now + CANCEL_LIMIT
            return []  # it has no id yet; it is cancelled when it starts
        if self.state is SlotState.ACTIVE:
            self.state, self.deadline = SlotState.CANCELLING, now + CANCEL_LIMIT
            return [CancelResponse(self._response_id)]
        return []

    def done(self, response_id: str, request_id: str | None, now: float) -> list[ToUpstream] | None:
        """An answer is over: ``None`` if it was not the slot's, else what goes out now that the slot is free."""
        if not self._is_slots(response_id, request_id):
            return None
        return self._free(now)

    def refused(self, event_id: str | None, code: str, now: float) -> list[ToUpstream] | None:
        """An error answered a request: ``None`` if it is not about the slot's, or if it waits for another try."""
        if self.state not in (SlotState.REQUESTED, SlotState.CANCELLING) or event_id != self.request_id:
            return None
        if code == BUSY and self.state is SlotState.REQUESTED and self._busy_answers < BUSY_TRIES:
            self._busy_answers += 1
            self._waiting, self._response_id, self._is_foreign = self.request_id, "", True
            self.state, self.deadline = SlotState.CANCELLING, now + CANCEL_LIMIT
            return None
        return self._free(now)

    @property
    def response_id(self) -> str:
        """The answer that has begun and is not over, wanted or not; empty if there is none."""
        return self._response_id

    def wait_no_more(self) -> None:
        """Something else will end the wait for this answer."""
        self.deadline = None

    def expire(self, now: float) -> list[ToUpstream]:
        """The deadline has passed: a request, or a cancelled answer, that nothing is heard of is given up."""
        return self._free(now)

    def abandon(self) -> str:
        """The connection is over. The request whose answer will not be heard of any more; empty if there is none."""
        unfinished = "" if self.state is SlotState.FREE else self.request_id
        self.state, self.deadline, self._waiting = SlotState.FREE, None, ""
        return unfinished

    def _free(self, now: float) -> list[ToUpstream]:
        self.state, self.deadline, self._response_id, self._is_foreign = SlotState.FREE, None, "", False
        return self.request(self._waiting, now) if self._waiting else []

    def _is_slots(self, response_id: str, request_id: str | None) -> bool:
        if self.state is SlotState.FREE:
            return False
        if self._response_id:
            return response_id == self._response_id
        # No start was seen. A done that names our request ends it; while another's answer is in the way, any does.
        return request_id == self.request_id or self._is_foreign
