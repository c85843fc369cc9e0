"""What a scripted upstream does: the texts it hears, the answers it gives, and how it misbehaves."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from voice.protocol.audio import SAMPLE_RATE


def tone(milliseconds: int, frequency: int = 440, amplitude: int = 8_000) -> bytes:
    """A sine as PCM. Loud enough for the server's VAD to take it for speech."""
    step = 2 * math.pi * frequency / SAMPLE_RATE
    count = SAMPLE_RATE * milliseconds // 1000
    return array("h", (int(amplitude * math.sin(n * step)) for n in range(count))).tobytes()


@dataclass
class Answer:
    """One answer: what it says and how it ends."""

    text: str = "All right."
    pcm: bytes | None = None
    """Its audio; ``None`` makes a tone of 300 ms a word."""
    preamble: str = ""
    """A text that is spoken first, as an audio item of its own."""
    status: Literal["completed", "incomplete", "failed"] = "completed"
    code: str | None = None
    """With ``incomplete`` the reason, with ``failed`` the code of the error (then nothing is said)."""
    usage: Any = "as it is"
    """What it is said to be billed by, if that is not what it is."""
    hold_after: int | None = None
    """After so many audio deltas of an item, wait until cancelled or released (``RealtimeServer.release``)."""

    def parts(self) -> list[tuple[str, bytes]]:
        """Text and audio of each item."""
        if self.status == "failed":
            return []
        preamble = [(self.preamble, _spoken(self.preamble))] if self.preamble else []
        return [*preamble, (self.text, _spoken(self.text) if self.pcm is None else self.pcm)]


def _spoken(text: str) -> bytes:
    return tone(300 * len(text.split()))


@dataclass
class Script:
    """The course of all connections of a server, or of those that only transcribe. May be changed while they run."""

    transcripts: deque[str] = field(default_factory=deque)
    """What the next utterances say, one text each; when none is left, ``"hello there"``."""
    answers: deque[Answer] = field(default_factory=deque)
    """The next answers; when none is left, the default one."""

    ms_per_word: int = 200
    """A streaming transcription model writes the next word after so many milliseconds of speech."""
    writes_late: bool = False
    """A streaming model too writes only after the commit."""
    transcript_latency: float = 0.0
    """Seconds from the commit to the final transcript."""
    transcript_fails: bool = False
    response_latency: float = 0.0
    """Seconds from the request to the first audio."""
    delta_ms: int = 100
    """Length of an audio delta. They are sent as fast as the client reads."""
    delta_interval: float = 0.0
    """Seconds between audio deltas."""

    status: int | None = None
    """Refuse the handshake with this HTTP status."""
    retry_after: str = ""
    """The header of that name in a refusal."""
    hang: Literal["handshake", "created", "settings"] | None = None
    """Never answer from here on."""
    reject: set[str] = field(default_factory=set)
    """Parameters (``session.audio.input.noise_reduction``) for which a ``session.update`` is refused."""
    refuses_items: set[str] = field(default_factory=set)
    """Roles of messages that the client may not create."""
    gives: dict[str, Any] = field(default_factory=dict)
    """Settings of the session that stay so whatever is asked."""
    withholds: set[str] = field(default_factory=set)
    """Types of events that are never sent."""
    repeats: set[str] = field(default_factory=set)
    """Types of events that are sent twice."""
    delays: dict[str, float] = field(default_factory=dict)
    """Types of events that come so many seconds late, and behind what was to come after them."""
    noise: list[Any] = field(default_factory=list)
    """Events and frames, understandable or not, that are sent behind each event."""
    silent: bool = False
    """Say nothing any more, though the connection lives."""
    close_after: int | None = None
    """Drop the connection after so many events."""
    close_code: int | None = 1011
    """With this close code; ``None`` cuts the TCP connection."""
    keep_audio: bool = True
    """Remember all audio received, for assertions."""

    def next_transcript(self) -> str:
        """What the utterance that begins now will say."""
        return self.transcripts.popleft() if self.transcripts else "hello there"

    def next_answer(self) -> Answer:
        """The answer to the request that was made now."""
        return self.answers.popleft() if self.answers else Answer()
