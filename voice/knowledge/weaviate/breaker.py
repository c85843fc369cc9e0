"""When to ask a service that has stopped answering, and when to leave it alone.

Closed, every call goes through. Some failures in a row open it, and calls are refused at once instead of each waiting
for its time limit. After a rest one call is let through on trial: its success closes the breaker, its failure starts
the next rest.
"""

from __future__ import annotations

from typing import Final

FAILURES: Final = 5
"""In a row, until it opens."""
REST_SECONDS: Final = 10.0
"""From opening to the next trial."""


class Breaker:
    """Events and the time go in. Each call that was admitted ends in ``succeeded``, ``failed`` or ``abandoned``."""

    def __init__(self, failures: int = FAILURES, rest: float = REST_SECONDS) -> None:
        self._limit, self._rest = failures, rest
        self._failures = 0
        self._opened: float | None = None
        self._trial = False

    @property
    def open(self) -> bool:
        """Whether calls are refused, but for a trial."""
        return self._opened is not None

    def refuses(self, now: float) -> bool:
        """Whether no call may be made now. ``now`` is in seconds, of a clock that only goes forward."""
        return self._opened is not None and (self._trial or now - self._opened < self._rest)

    def admit(self, now: float) -> bool:
        """Whether a call may be made now; the caller then makes it."""
        if self.refuses(now):
            return False
        self._trial = self.open
        return True

    def succeeded(self) -> None:
        """A call was answered, be it with a refusal."""
        self._opened, self._trial, self._failures = None, False, 0

    def failed(self, now: float) -> None:
        """A call was not answered. Those that began before it opened prolong no rest."""
        self._failures += 1
        if self._trial or (self._opened is None and self._failures >= self._limit):
            self._opened, self._trial = now, False

    def abandoned(self) -> None:
        """A call was given up by its caller, which says nothing about the service: another one may be the trial."""
        self._trial = False
