"""How long the proof of who talks is good during a session, and what follows when it runs out.

A credential may expire earlier than its session: simplejwt's access tokens live five minutes by default. The visitor
is told :data:`NOTICE_SECONDS` before, may bring a new one, and has :data:`GRACE_SECONDS` more once it has expired, so
that a new one on its way is not cut off. Nobody is cut off unwarned: the grace begins at the warning, if that comes
late, because the credential was nearly over at the start or the process stood still.
"""

from __future__ import annotations

from math import inf

from voice.protocol.commands import TellExpiring
from voice.protocol.outcomes import EndReason

NOTICE_SECONDS = 30.0
GRACE_SECONDS = 30.0


class Proof:
    """That of one session. All times are those of one clock that never jumps; ``inf``: it does not expire."""

    def __init__(self, expires_at: float = inf) -> None:
        self.expires_at = expires_at
        self._warned_at: float | None = None

    @property
    def deadline(self) -> float:
        """When :meth:`receive_timeout` has something to say; ``inf``: never."""
        if self._warned_at is None:
            return self.expires_at - NOTICE_SECONDS
        return max(self.expires_at, self._warned_at) + GRACE_SECONDS

    def renew(self, expires_at: float) -> None:
        """A new credential of the same user. The one that is good for longer counts."""
        if expires_at > self.expires_at:
            self.expires_at, self._warned_at = expires_at, None

    def receive_timeout(self, now: float) -> TellExpiring | EndReason | None:
        """What the visitor is told, or why the session ends; nothing before the :attr:`deadline`."""
        if now < self.deadline:
            return None
        if self._warned_at is not None:
            return EndReason.AUTH_EXPIRED
        self._warned_at = now
        return TellExpiring(max(0, round(self.expires_at - now)), "auth")
