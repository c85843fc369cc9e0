"""How fast a client may send: audio no faster than it is spoken, and messages no faster than a page makes them.

Each second of audio is billed, so a client that pushes a recording would spend a site's money at the speed of its
network. Honest audio comes late and bunched: a browser sends what it kept while it dialled, a network that stood still
delivers all at once, and so does a server that was busy. None of that is more audio than time has passed.
"""

from __future__ import annotations

from collections.abc import Callable

from voice.protocol.audio import BYTES_PER_MS

AUDIO_RATE = 1.25
"""Seconds of audio that are gained in a second."""
AUDIO_BURST = 3.0
"""Seconds of audio that a client may send at once, when it begins."""
AUDIO_HELD = AUDIO_BURST + 10.0
"""And at most, later: a connection that stands still for longer than the server's ping waits (twice five seconds) is
closed anyway."""
EXCESS_LIMIT = 3.0
"""Seconds of audio, dropped since they came too fast, that end a session."""
SECOND = 1000 * BYTES_PER_MS
SMALLEST = 10 * BYTES_PER_MS
"""A frame counts as ten milliseconds at least: the work of a server is the same for smaller ones."""

MESSAGE_RATE = 20.0
"""Messages that are gained in a second. A page that plays reports four times a second."""
MESSAGE_BURST = 200.0
"""Messages that may come at once: what a page says while its network stands still for ten seconds, many times over."""


class Bucket:
    """Tokens that fill up with time, which never runs backwards. Who takes less than ``least`` takes that."""

    __slots__ = ("_at", "_held", "_least", "_rate", "_tokens")

    def __init__(self, rate: float, held: float, first: float, now: float, *, least: float) -> None:
        self._rate, self._held, self._least = rate, held, least
        self._tokens, self._at = first, now

    def take(self, amount: float, now: float) -> bool:
        """Whether so much could be taken. If not, nothing is."""
        if amount < self._least:
            amount = self._least
        tokens = self._tokens + (now - self._at) * self._rate  # min and max would be calls, for each frame
        if tokens > self._held:
            tokens = self._held
        self._at, taken = now, amount <= tokens
        self._tokens = tokens - amount if taken else tokens
        return taken


class Pace:
    """What one client has sent. Pure: the clock is told, ``now`` being first when its socket was opened."""

    __slots__ = ("_messages", "excess", "is_flood", "takes")

    def __init__(self, now: float) -> None:
        audio = Bucket(AUDIO_RATE * SECOND, AUDIO_HELD * SECOND, AUDIO_BURST * SECOND, now, least=SMALLEST)
        self.takes: Callable[[int, float], bool] = audio.take
        """Whether a frame of so many bytes comes in time. One that does not is not held against its sender yet."""
        self._messages = Bucket(MESSAGE_RATE, MESSAGE_BURST, MESSAGE_BURST, now, least=1.0)
        self.excess = 0
        """Bytes of audio that came too fast."""
        self.is_flood = False
        """Whether so much came too fast that nobody sends it by accident."""

    def audio(self, size: int, now: float) -> bool:
        """The same. One that does not is dropped, and too much of that is a flood."""
        if self.takes(size, now):
            return True
        self.excess += max(size, SMALLEST)
        self.is_flood = self.is_flood or self.excess >= EXCESS_LIMIT * SECOND
        return False

    def message(self, now: float) -> bool:
        """Whether a message comes in time. One that does not is the end: a page is never so talkative."""
        in_time = self._messages.take(1.0, now)
        self.is_flood = self.is_flood or not in_time
        return in_time
