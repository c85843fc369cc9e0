"""How long a session lasts: for a while that is known beforehand, and not beyond a silence."""

from __future__ import annotations

from voice.protocol.outcomes import EndReason


class Lifetime:
    """The time of one session. It begins when the visitor can speak.

    ``now`` is in seconds, of a clock that never runs backwards. The visitor is to be told ``expiring_seconds`` before
    the ``seconds`` are over; ``idle_seconds`` may pass without a word from either side.
    """

    def __init__(self, *, seconds: float, expiring_seconds: float, idle_seconds: float) -> None:
        self._seconds, self._expiring_seconds, self._idle_seconds = seconds, expiring_seconds, idle_seconds
        self._began_at = self._last_word_at = 0.0
        self._told = False

    def begin(self, now: float) -> None:
        """The visitor can speak from now on."""
        self._began_at = self._last_word_at = now

    def word(self, now: float) -> None:
        """Somebody says something."""
        self._last_word_at = now

    def age(self, now: float) -> float:
        """Seconds since it began."""
        return now - self._began_at

    def wait(self, now: float) -> float:
        """In how many seconds to :meth:`look`, if nobody says a word meanwhile."""
        limit = self._seconds if self._told else self._seconds - self._expiring_seconds
        return max(0.0, min(self._began_at + limit, self._last_word_at + self._idle_seconds) - now)

    def look(self, now: float, *, speaking: bool) -> EndReason | int | None:
        """Why it is over; or, once, how many seconds are left of it; or that nothing is to be done.

        While an exchange is going on (``speaking``), nobody is silent.
        """
        left = self._seconds - self.age(now)
        if left <= 0:
            return EndReason.MAX_DURATION
        if left <= self._expiring_seconds and not self._told:
            self._told = True
            return round(left)
        if speaking:
            self._last_word_at = now
        elif now >= self._last_word_at + self._idle_seconds:
            return EndReason.IDLE
        return None
