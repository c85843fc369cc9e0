"""One exchange: the visitor's question and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from voice.protocol.commands import TurnEnded
from voice.protocol.context import sources
from voice.protocol.injection import TurnContext
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.prefetch import Prefetch
from voice.protocol.timeline import Mark, Timeline

TYPED_ITEM = "usr_"
"""How the ids of typed questions begin."""


class TurnState(Enum):
    """SPEAKING until the visitor stops, AWAITING_CONTEXT until the answer is requested, then RESPONDING."""

    SPEAKING = auto()
    AWAITING_CONTEXT = auto()
    RESPONDING = auto()
    ENDED = auto()


@dataclass(slots=True)
class Turn:
    """What is known of the current exchange. Only :class:`~voice.protocol.conversation.Conversation` and its machines
    change it."""

    number: int
    item_id: str
    """The visitor's item upstream; empty while push-to-talk has not learned it."""
    prefetch: Prefetch
    context: TurnContext
    timeline: Timeline
    typed: bool = False
    pushed: bool = False
    """Push-to-talk: the visitor's own hand says where it ends, and nobody where it begins. Words of an utterance that
    was taken back may come late, so the newest item is its own, until one is committed."""
    written: bool = False
    """The whole question is known as text."""
    state: TurnState = TurnState.SPEAKING
    committed: bool = False
    deadline: float | None = None
    """When the budget for retrieval is spent."""
    commit_deadline: float | None = None
    """When the upstream should have committed the question."""
    request_id: str = ""
    tries: int = 0
    """How often an answer was requested."""
    retry_at: float | None = None
    """When it is requested once more."""
    upstream_done: bool = False
    broken: bool = False
    """The upstream was lost in the middle of the answer."""
    cancelled: bool = False
    failed: bool = False
    """No answer will come."""
    answer: str = ""

    def owns(self, item_id: str) -> bool:
        """Whether this utterance is the turn's own, or may become so."""
        return not self.typed and (self.item_id in ("", item_id) or (self.pushed and not self.committed))

    def next_request(self) -> str:
        """A fresh name for a request."""
        self.tries += 1
        self.request_id = f"req_{self.number}" if self.tries == 1 else f"req_{self.number}_{self.tries}"
        return self.request_id

    @property
    def waits_until(self) -> float | None:
        """When it must be looked at, unless something happens before; ``None`` if it waits for nothing, or for its
        answer to be heard."""
        if self.state is TurnState.SPEAKING:
            return self.prefetch.deadline
        if self.state is TurnState.AWAITING_CONTEXT:
            return self.deadline if self.committed else self.commit_deadline
        return self.retry_at

    def never_committed(self, now: float) -> bool:
        """Whether the upstream has not taken the question in its time."""
        return not self.committed and self.commit_deadline is not None and now >= self.commit_deadline

    @property
    def answered(self) -> bool:
        """Something of an answer has come."""
        return bool(self.answer) or self.timeline.at(Mark.FIRST_AUDIO) is not None

    def waited_ms(self, now: float) -> int:
        """How long the answer waited for retrieval alone: since the question was complete upstream."""
        complete = self.timeline.at(Mark.COMMITTED)
        return 0 if complete is None else max(0, round((now - complete) * 1000))

    def ended(self, outcome: TurnOutcome, question: str) -> TurnEnded:
        """The facts for the records."""
        return TurnEnded(
            number=self.number,
            outcome=outcome,
            typed=self.typed,
            searches={o.value: n for o, n in self.prefetch.outcomes.items()},
            marks=self.timeline.marks(),
            prefetched=self.context.prefetched,
            context_confirmed=self.context.confirmed,
            sources=sources(self.context.passages),
            question=question,
            answer=self.answer,
        )
