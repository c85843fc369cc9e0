"""What the conversation wants done. The session carries each command to its one receiver, in the order given.

Commands are frozen values, in four families named after who receives them. What the browser is told is the wire's
vocabulary without its encoding: a wire, :mod:`voice.protocol.wires.base`, turns it into frames, or has no word for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice.protocol.context import Passage, Source
from voice.protocol.events import ResponseStatus
from voice.protocol.history import History
from voice.protocol.outcomes import EndReason, TurnOutcome

# -- to the upstream ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToUpstream:
    """Base of what the upstream is asked."""


@dataclass(frozen=True, slots=True)
class Recall(ToUpstream):
    """Put what was said before into the conversation, which is empty: the first thing that a new connection is told
    of one that goes on."""

    history: History


@dataclass(frozen=True, slots=True)
class InjectContext(ToUpstream):
    """Put reference passages at the tail of the conversation.

    ``text`` is the passages rendered for a language model, delimited and capped; an upstream that composes its
    answer itself reads ``passages``. ``item_id`` is ours (at most 32 characters: the Realtime API refuses more).
    """

    item_id: str
    text: str = field(repr=False)
    passages: tuple[Passage, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeleteItem(ToUpstream):
    """Take an item out of the conversation: stale context, or an answer of which nothing was heard."""

    item_id: str


@dataclass(frozen=True, slots=True)
class SubmitText(ToUpstream):
    """Add the visitor's typed question as an item of theirs."""

    item_id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CreateResponse(ToUpstream):
    """Ask for an answer. ``request_id`` comes back in ``ResponseStarted`` and, refused, in ``Fault.event_id``."""

    request_id: str


@dataclass(frozen=True, slots=True)
class CancelResponse(ToUpstream):
    """Stop making this answer. ``ResponseDone`` still follows. Cancelling a finished one is harmless."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Truncate(ToUpstream):
    """Cut the model's memory of an answer's item down to the ``audio_end_ms`` (> 0) that were heard."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class CommitAudio(ToUpstream):
    """Push-to-talk: what was said so far is the question."""


@dataclass(frozen=True, slots=True)
class ClearAudio(ToUpstream):
    """Push-to-talk: forget what was said since the last commit."""


@dataclass(frozen=True, slots=True)
class SendSilence(ToUpstream):
    """Feed silence as if the microphone had heard it, so that the VAD closes the turn of a muted visitor."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Reconnect(ToUpstream):
    """Nothing more is expected of this connection: take another one. ``UpstreamLost`` follows, or the end."""


# -- to the browser -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToBrowser:
    """Base of what the visitor's side is told."""


@dataclass(frozen=True, slots=True)
class TellAdmitted(ToBrowser):
    """The site is open to them; the limits have not been asked, nor the upstream dialled. ``expires_at`` is when the
    session is over at the latest, but for the time that both take, in seconds since 1970."""

    session_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class TellReady(ToBrowser):
    """The session may begin. ``seconds`` is how long it may last. ``resume`` is the token that goes on with its
    conversation, or empty where it is not kept."""

    session_id: str
    provider: str
    seconds: int
    resume: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TellHistory(ToBrowser):
    """What was said before, in a conversation that goes on."""

    history: History


@dataclass(frozen=True, slots=True)
class TellSpeechStarted(ToBrowser):
    """The visitor is heard to speak. The browser goes silent at once."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TellSpeechStopped(ToBrowser):
    """The visitor is heard to have stopped; the answer is being prepared."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TellCommitted(ToBrowser):
    """What the visitor said is now an item of the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TellUserTranscript(ToBrowser):
    """The visitor's words so far, whole, replacing what was shown for this item before."""

    item_id: str
    text: str = field(repr=False)
    final: bool


@dataclass(frozen=True, slots=True)
class TellAnswerStarted(ToBrowser):
    """An answer begins. What is told of answers from here on is of this one."""

    response_id: str


@dataclass(frozen=True, slots=True)
class TellAnswerTranscript(ToBrowser):
    """More of the text of the answer, to be appended."""

    item_id: str
    delta: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Play(ToBrowser):
    """The next piece of the answer's audio (PCM)."""

    item_id: str
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlayDone(ToBrowser):
    """No more audio of this item will follow."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TellAnswerDone(ToBrowser):
    """All of the answer was told: it is as the upstream made it, or nothing, and another one is asked for. One that is
    interrupted, or fails for good, has no such end but the turn's."""

    response_id: str
    status: ResponseStatus
    reason: str | None
    usage: Mapping[str, Any] | None = field(repr=False)
    """As the upstream gave it, unchecked."""


@dataclass(frozen=True, slots=True)
class StopPlayback(ToBrowser):
    """Be silent now, drop what is not played yet of ``item_id`` and all later items, report what was played."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TellContext(ToBrowser):
    """The sources that the coming answer may use. Told once a turn, when the answer is requested."""

    sources: tuple[Source, ...]
    prefetched: bool
    """The context stood in the conversation before the visitor stopped speaking."""
    waited_ms: int
    """How long the answer had to wait for retrieval alone."""


@dataclass(frozen=True, slots=True)
class TellTurnDone(ToBrowser):
    """A turn is over. ``latencies`` are milliseconds from ``speech_stopped``, by the name of the mark."""

    turn: int
    outcome: TurnOutcome
    latencies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TellNotice(ToBrowser):
    """Something that the visitor should know, as a code that the widget has words for."""

    code: str


@dataclass(frozen=True, slots=True)
class TellExpiring(ToBrowser):
    """The session will end in ``seconds``, because of ``why``: ``duration``, ``budget`` or ``auth``."""

    seconds: int
    why: str


@dataclass(frozen=True, slots=True)
class TellError(ToBrowser):
    """What the client sent was not understood; the session goes on. ``param`` names the field."""

    code: str
    message: str
    param: str | None = None
    event_id: str | None = None
    """The client's own name for what it sent, on wires where it has one."""


@dataclass(frozen=True, slots=True)
class TellEnding(ToBrowser):
    """The last word of a session, or to somebody who is turned away. The close frame follows."""

    reason: EndReason
    message: str
    """In the visitor's language."""
    retry_after_ms: int | None = None


# -- to the knowledge ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToKnowledge:
    """Base of what retrieval is asked."""


@dataclass(frozen=True, slots=True)
class Retrieve(ToKnowledge):
    """Search for passages that answer ``query``. Exactly one ``PassagesRetrieved`` or ``RetrievalFailed`` follows.

    ``on_page``, if there is one, is the same question about the visitor's page. It is searched at the same time, and
    what is found takes turns, :func:`voice.protocol.context.alternate`.
    """

    search_id: str
    query: str = field(repr=False)
    on_page: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class CancelRetrieval(ToKnowledge):
    """Nobody waits for this search any more. No event follows it."""

    search_id: str


# -- to the records -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToRecords:
    """Base of what is kept."""


@dataclass(frozen=True, slots=True)
class SessionBegan(ToRecords):
    """The upstream is there; the visitor may speak."""


@dataclass(frozen=True, slots=True)
class CountUsage(ToRecords):
    """An answer, or a transcript, was paid for. Told of each, also of an answer that nobody heard."""

    bill_id: str
    """The same bill may be told twice, and counts once."""
    usage: Mapping[str, Any] | None = field(repr=False)
    """As the upstream gave it, unchecked; ``None``: it did not say."""
    model: str = ""
    """Whose price it has; empty: the session's own model."""


@dataclass(frozen=True, slots=True)
class TurnEnded(ToRecords):
    """The facts of a turn, told exactly once."""

    number: int
    outcome: TurnOutcome
    typed: bool
    searches: Mapping[str, int]
    """How many searches ended in each :class:`~voice.protocol.outcomes.SearchOutcome`, by its value."""
    marks: Mapping[str, int]
    """Milliseconds since the turn began, by the name of the :class:`~voice.protocol.timeline.Mark`."""
    prefetched: bool
    context_confirmed: bool | None
    """Whether the upstream placed the question right behind the context; ``None`` where it did not say."""
    sources: tuple[Source, ...]
    question: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class QuestionCorrected(ToRecords):
    """The final transcript of a turn's question came when the turn was over, with other words than it ended with."""

    number: int
    question: str = field(repr=False)


Command = ToUpstream | ToBrowser | ToKnowledge | ToRecords
