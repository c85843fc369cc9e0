"""Turn detection by loudness, counted in audio and not by a clock, so that every run is the same."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Literal

from voice.protocol.audio import BYTES_PER_MS

FRAME_MS = 20
SPEECH_RMS = 500


@dataclass(frozen=True)
class Edge:
    """Speech began or ended at ``at_ms`` of the audio appended so far (padding and silence included)."""

    kind: Literal["started", "stopped"]
    at_ms: int


class EnergyVad:
    """Speech is what is louder than :data:`SPEECH_RMS`; it ends after ``silence_ms`` below."""

    def __init__(self, silence_ms: int, prefix_ms: int, position_ms: int = 0) -> None:
        self.position_ms = position_ms
        """Audio heard so far."""
        self._silence_ms, self._prefix_ms = silence_ms, prefix_ms
        self._rest = b""
        self._speaking = False
        self._quiet_ms = 0

    def hear(self, pcm: bytes) -> list[Edge]:
        """The edges in the next piece of audio."""
        self._rest += pcm
        size = FRAME_MS * BYTES_PER_MS
        whole = len(self._rest) - len(self._rest) % size
        frames = [self._rest[n : n + size] for n in range(0, whole, size)]
        self._rest = self._rest[whole:]
        return [edge for frame in frames if (edge := self._frame(frame))]

    def _frame(self, frame: bytes) -> Edge | None:
        self.position_ms += FRAME_MS
        loud = _rms(frame) > SPEECH_RMS
        self._quiet_ms = 0 if loud else self._quiet_ms + FRAME_MS
        if loud and not self._speaking:
            self._speaking = True
            return Edge("started", max(0, self.position_ms - FRAME_MS - self._prefix_ms))
        if self._speaking and self._quiet_ms >= self._silence_ms:
            self._speaking = False
            return Edge("stopped", self.position_ms)
        return None


def loud_ms(pcm: bytes) -> int:
    """How much of ``pcm`` is speech, in whole frames (what is left counts as one)."""
    size = FRAME_MS * BYTES_PER_MS
    frames = [pcm[n : n + size] for n in range(0, len(pcm), size)]
    return sum(FRAME_MS for frame in frames if _rms(frame) > SPEECH_RMS)


def _rms(frame: bytes) -> float:
    samples = array("h", frame)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))
