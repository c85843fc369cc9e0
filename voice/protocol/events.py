"""What happened, told to the conversation: by the upstream, by the browser, by the knowledge.

Events are frozen values without behaviour. They are the *one* vocabulary of the core: each upstream and each wire
translates its own dialect into these at its door, and nothing above the door knows the dialect.

Ids: ``item_id`` names an item of the upstream's conversation (the visitor's utterance, or one audio item of an
answer), ``response_id`` one answer, ``request_id`` our own name for the request that caused it, ``search_id`` one
search of the knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from voice.protocol.context import Passage

# -- from the upstream: the visitor's side ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The VAD heard the visitor begin. ``item_id`` is the item that will be created when they stop."""

    item_id: str


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The VAD heard the visitor stop: its silence window has passed."""

    item_id: str


@dataclass(frozen=True, slots=True)
class InputCommitted:
    """The visitor's utterance is now an item of the conversation, placed after ``previous_item_id``."""

    item_id: str
    previous_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """More of the partial transcript, to be appended verbatim (leading white space included)."""

    item_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class TranscriptPartial:
    """The whole partial transcript as it stands now, from a recogniser that revises what it said before."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptDone:
    """The final transcript. May differ from the partials, and may come long after the answer (seen: 20 s)."""

    item_id: str
    text: str
    usage: Mapping[str, Any] | None = None
    """What it is billed by, as the upstream gave it, unchecked. The conversation hears of it by
    :class:`TranscriptBilled`: where two connections transcribe, both are paid, and one transcript is told."""


@dataclass(frozen=True, slots=True)
class TranscriptBilled:
    """A transcript was paid for, by whatever connection it came."""

    bill_id: str
    """Names this bill, so that it counts once."""
    model: str
    """The model that wrote it, which has its own price."""
    usage: Mapping[str, Any] | None
    """As the upstream gave it, unchecked; ``None``: it did not say."""


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    """There will be no transcript of this item. The audio itself is understood all the same."""

    item_id: str


# -- from the upstream: the answer --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """An answer has begun. ``request_id`` is ours, echoed, or ``None`` where the upstream does not echo it."""

    response_id: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """The next piece of the answer's audio, in playback order, as the upstream made it (PCM, any length)."""

    response_id: str
    item_id: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AudioDone:
    """No more audio of this item. It may arrive after the next item's first delta."""

    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """More of the text of what the answer says, to be appended verbatim."""

    response_id: str
    item_id: str
    delta: str


ResponseStatus = Literal["completed", "cancelled", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """An answer is over, in any way. ``reason`` is the upstream's code for a status other than completed."""

    response_id: str
    status: ResponseStatus
    reason: str | None = None
    usage: Mapping[str, Any] | None = None
    """Token counts as the upstream gave them, unchecked."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """The upstream reports an error. Most are about one request (``event_id``: ours) and leave the session alive."""

    code: str
    message: str = field(default="", repr=False)
    """For the operator's eyes, never for the browser: it may quote the prompt."""
    event_id: str | None = None
    param: str | None = None


# -- from the line to the upstream --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UpstreamLost:
    """The connection is gone, with all that the upstream knew, and another one is being made. What was on its way to
    the upstream was not said; what is said from now on goes to the next one, in its order."""


@dataclass(frozen=True, slots=True)
class UpstreamBack:
    """The other connection is there."""


# -- from the browser ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextSubmitted:
    """The visitor typed a question and sent it."""

    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The browser has played ``played_ms`` of this item, counted in samples at its output."""

    item_id: str
    played_ms: int
    underruns: int = 0
    """How often the item's sound broke off so far, because what comes next was not there yet."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The visitor asked for silence without saying anything (the stop button, the Escape key)."""


@dataclass(frozen=True, slots=True)
class Muted:
    """The visitor's microphone went off or on again."""

    muted: bool


@dataclass(frozen=True, slots=True)
class PushStarted:
    """Push-to-talk: the first frame after a release. No item id exists yet."""


@dataclass(frozen=True, slots=True)
class PushReleased:
    """Push-to-talk: the visitor let go, after ``audio_ms`` of audio."""

    audio_ms: int


# -- from the knowledge -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PassagesRetrieved:
    """A search came back, best passage first; an empty tuple says that nothing fits."""

    search_id: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class RetrievalFailed:
    """A search came to nothing: ``reason`` is ``timeout``, ``unavailable`` or ``error``."""

    search_id: str
    reason: str


UpstreamEvent = (
    SpeechStarted
    | SpeechStopped
    | InputCommitted
    | TranscriptDelta
    | TranscriptPartial
    | TranscriptDone
    | TranscriptFailed
    | TranscriptBilled
    | ResponseStarted
    | AudioDelta
    | AudioDone
    | AnswerDelta
    | ResponseDone
    | Fault
)
LineEvent = UpstreamLost | UpstreamBack
BrowserEvent = TextSubmitted | Heard | Interrupt | Muted | PushStarted | PushReleased
KnowledgeEvent = PassagesRetrieved | RetrievalFailed
Event = UpstreamEvent | LineEvent | BrowserEvent | KnowledgeEvent
