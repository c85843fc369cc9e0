"""How often an upstream is dialled, and how long that may take: at first, and again after it was lost.

Nobody waits long for a service that does not come, and a service in trouble is not called more than it can bear: each
reason to fail has its own few tries, all of them together have one time limit, and a conversation is picked up again
only so often. What would fail the same way again (a key that is refused, settings that are not understood, a used-up
quota) is not tried again.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice.protocol.outcomes import EndReason

DIAL_LIMIT = 8.0
"""Seconds in which the upstream must be there at first, all tries together."""
REDIAL_LIMIT = 5.0
"""The same after it was lost: the visitor is in the middle of something."""
MOST_REDIALS = 2
"""How often one session picks the conversation up again."""
REDIAL_REST = 60.0
"""Seconds from one loss to the next that is made up for. What breaks sooner would break again."""
LONGEST_WAIT = 3.0
"""Seconds that a busy service may make us wait, whatever it asks for."""

_WAITS: Mapping[EndReason, tuple[float, ...]] = {
    EndReason.UPSTREAM_TIMEOUT: (0.0,),
    EndReason.UPSTREAM_UNAVAILABLE: (0.3, 1.0),
    EndReason.UPSTREAM_CLOSED: (0.3, 1.0),
    EndReason.UPSTREAM_RATE_LIMITED: (1.0,),
}
"""Seconds before the second dial, the third, by why the one before failed."""

_LOST = frozenset({EndReason.UPSTREAM_CLOSED, EndReason.UPSTREAM_TIMEOUT, EndReason.UPSTREAM_UNAVAILABLE})
"""What ends a connection and says nothing against another one."""


class Dialling:
    """Told what becomes of each dial and each connection; says whether there is a next one.

    ``now`` is seconds on a clock that does not run backwards.
    """

    def __init__(self, now: float) -> None:
        self.deadline = now + DIAL_LIMIT
        """When the dial under way is given up."""
        self.redials = 0
        """How often the upstream was lost and dialled again."""
        self.connected = False
        self._lost_at: float | None = None
        self._failures = 0

    def reached(self) -> None:
        """The upstream is there."""
        self.connected = True

    def failed(self, reason: EndReason, now: float, retry_after: float | None = None) -> float | None:
        """A dial came to nothing, or the connection has ended. Seconds until the next dial, or ``None``: give up.

        ``retry_after`` is what the service asks for, in seconds.
        """
        if self.connected:
            return self._lost(reason, now)
        waits = _WAITS.get(reason, ())
        if self._failures >= len(waits):
            return None
        wait = waits[self._failures] if retry_after is None else min(retry_after, LONGEST_WAIT)
        self._failures += 1
        return wait if now + wait < self.deadline else None

    def _lost(self, reason: EndReason, now: float) -> float | None:
        if reason not in _LOST or self.redials >= MOST_REDIALS:
            return None
        if self._lost_at is not None and now - self._lost_at < REDIAL_REST:
            return None
        self.connected, self._lost_at, self._failures = False, now, 0
        self.redials += 1
        self.deadline = now + REDIAL_LIMIT
        return 0.0
