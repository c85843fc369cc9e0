"""Turn detection: where in a stream of windows an utterance begins, pauses, goes on and ends.

Time is counted in audio, not by a clock: a window is 32 ms however late it arrives. ::

    idle --enough speech--> speaking --early_ms of silence--> paused --silence_ms--> idle
                               ^                                |
                               +-------- speech again ----------+
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

from .options import LocalOptions

WINDOW_MS = 32

#: Once speech has begun, a window counts as speech down to this much below the threshold, as in Silero's own
#: segmentation: the ends of words are soft.
HYSTERESIS = 0.15

#: So many windows of speech in a row take back a pause. One alone is a breath, or the mouth closing.
WINDOWS_TO_RESUME = 2


@dataclass(frozen=True, slots=True)
class Window:
    """32 ms of the microphone: PCM16LE at 16 kHz, and how probably it holds speech, 0 to 1."""

    sound: bytes = field(repr=False)
    probability: float


class Signal(Enum):
    """What a window changed."""

    STARTED = auto()
    PAUSED = auto()
    RESUMED = auto()
    STOPPED = auto()


class Endpointer:
    """Hears windows one by one, keeps the sound of the utterance.

    After ``STOPPED``, take the sound and :meth:`reset`. With ``closes=False`` (push-to-talk) silence never ends the
    utterance.
    """

    def __init__(self, options: LocalOptions, *, closes: bool = True) -> None:
        self._threshold = options.speech_threshold
        self._onset = _windows(options.min_speech_ms)
        self._early = _windows(options.early_ms)
        self._end = _windows(options.silence_ms) if closes else None
        self._most = _windows(options.max_speech_ms)
        self._before: deque[bytes] = deque(maxlen=_windows(options.prefix_ms) + self._onset)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._before.clear()
        self._kept: list[bytes] = []
        self._speech = self._silence = 0
        self._paused = False
        self.speaking = False
        self.speech_ms = 0
        """Speech in this utterance, pauses not counted."""
        self.heard_any = False
        """Any window since the last reset."""

    @property
    def in_speech(self) -> bool:
        """The newest window belongs to running speech."""
        return self.speaking and not self._silence

    def sound(self) -> bytes:
        """The utterance so far, with what was just before it; at most ``max_speech_ms`` from its beginning."""
        return b"".join(self._kept)

    def hear(self, window: Window) -> Signal | None:
        """Take the next window in."""
        self.heard_any = True
        is_speech = self._is_speech(window.probability)
        self._speech = self._speech + 1 if is_speech else 0
        if not self.speaking:
            return self._wait_for_onset(window.sound)
        if len(self._kept) < self._most:
            self._kept.append(window.sound)
        return self._go_on() if is_speech else self._fall_silent()

    def _is_speech(self, probability: float) -> bool:
        continued = self._speech > 0 or (self.speaking and not self._paused)
        return probability >= self._threshold - (HYSTERESIS if continued else 0.0)

    def _wait_for_onset(self, sound: bytes) -> Signal | None:
        self._before.append(sound)
        if self._speech < self._onset:
            return None
        self._kept = list(self._before)
        self._before.clear()
        self.speaking = True
        self.speech_ms = self._speech * WINDOW_MS
        return Signal.STARTED

    def _go_on(self) -> Signal | None:
        self.speech_ms += WINDOW_MS
        if not self._paused:
            self._silence = 0
            return None
        if self._speech < WINDOWS_TO_RESUME:
            return self._fall_silent()
        self._silence, self._paused = 0, False
        return Signal.RESUMED

    def _fall_silent(self) -> Signal | None:
        self._silence += 1
        if self._silence == self._end:
            return Signal.STOPPED
        if self._silence >= self._early and not self._paused:
            self._paused = True
            return Signal.PAUSED
        return None


def _windows(milliseconds: int) -> int:
    """The next whole number of windows, at least one."""
    return max(1, -(-milliseconds // WINDOW_MS))
