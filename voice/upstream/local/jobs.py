"""What the engine asks of the processors, as values. Each job is answered once, by its id, or dropped."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The words in ``sound`` (PCM16LE, mono, 16 kHz). The result is a line of text, perhaps empty."""

    job_id: str
    sound: bytes = field(repr=False)
    final: bool
    """Somebody waits for it; a partial transcript may be left out when there is too much to do."""


@dataclass(frozen=True, slots=True)
class Synthesise:
    """The sound of ``text``, already written out for a voice. The result is PCM16LE, mono, 24 kHz."""

    job_id: str
    text: str = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Nobody wants the result of this job any more. Whether it still comes does not matter."""

    job_id: str


Job = Transcribe | Synthesise
