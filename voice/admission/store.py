"""The port to the one place that counts: starts, leases and spent tickets, of all processes together.

Each method is one atomic decision. To read a count, compare it and then write is the classic leak: with several
processes a limit of 5 so became 44.

A *lease* is a place among the live sessions. It ends by itself after :data:`LEASE_SECONDS`, unless its holder renews
it, so the places of a killed process come back without anyone's help. What has ended or was taken over cannot be
renewed; what the store forgot (a Redis that came back empty), or could not prolong (one that was away), can, while its
place is free.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from voice.admission.limits import Limits
from voice.protocol.outcomes import EndReason

LEASE_SECONDS = 15.0
ANSWER_SECONDS = 2.0
"""How long a store may take. Beyond, it counts as one that does not answer."""


class StoreUnavailable(Exception):
    """The store does not answer. Nobody new is admitted then; those who talk go on."""

    reason = EndReason.OVERLOADED


@dataclass(frozen=True, slots=True)
class Admitted:
    """The session holds a lease, and its start is counted unless it continues another."""

    displaced: tuple[str, ...] = ()
    """Sessions of the same user whose leases this one took over, oldest first. They must end."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was counted."""

    reason: EndReason
    """``RATE_LIMITED`` (this user, or this address) or ``OVERLOADED`` (the site)."""
    retry_after_ms: int | None = None
    """When the same request would find its place free, if that can be known; at least 1."""


class Renewal(StrEnum):
    """What became of a lease that was to be prolonged. All but ``KEPT``: its session must end."""

    KEPT = "kept"
    TAKEN = "taken"
    """Newer sessions of the same user hold all places that the user has."""
    ENDED = "ended"
    """It had run out, as that of a process which was paused does, and nobody else of this user holds its place; or the
    store had not answered, and the site has filled up since."""


class AdmissionStore(ABC):
    """Every method may raise :class:`StoreUnavailable`, within two seconds; nothing else.

    ``user_id`` is the user's primary key as text. ``session_id`` is the session's, and never used for another one.
    ``address`` is where the visitor is on the network, or empty if that is not known or not limited.

    Who admitted a session renews and releases it: the same object, in any thread or event loop.
    """

    @abstractmethod
    async def acquire(
        self, session_id: str, user_id: str, limits: Limits, address: str = "", continued: str = ""
    ) -> Admitted | Refused:
        """Admit a session, or say why not: first the user's hour and the address's, then the site's places.

        One that goes on with the conversation of the session ``continued``, of the same user, is no start: no hour is
        asked, and none is counted. It takes that session's lease over, or, if that has ended, a place of the site.

        The limit of live sessions per user refuses nobody: the user's oldest leases go over to the new session.
        Asking again for a session that holds its lease renews it and counts nothing, so that a request whose answer
        was lost may be repeated.
        """

    @abstractmethod
    async def renew(self, session_id: str) -> Renewal:
        """Prolong the lease, or say why its session must end."""

    @abstractmethod
    async def release(self, session_id: str, refund: bool = False) -> None:
        """Give the lease back, and with ``refund`` the start, too. Nothing happens without a lease.

        A start is refunded only where the upstream refused or timed out: never after a take-over, a hang-up or a
        switch-off, or else any number of sessions fits into an hour.
        """

    @abstractmethod
    async def peek(self, user_id: str, limits: Limits, address: str = "") -> Refused | None:
        """What :meth:`acquire` would answer now. Nothing is counted and nothing is promised."""

    @abstractmethod
    async def spend(self, jti: str, seconds: float) -> bool:
        """Whether this is the first time that the ticket ``jti`` is shown; it is remembered for ``seconds``."""

    async def ping(self) -> None:
        """Nothing, if the store is there. One within the process always is."""
        return

    def watch(self, session_id: str, lost: Callable[[], None]) -> Callable[[], None]:
        """Have ``lost`` called when the lease of ``session_id`` is taken over; returns what undoes this.

        A courtesy of stores that can: it may come from any thread, and the next refused renewal says the same.
        """
        return lambda: None

    async def close(self) -> None:
        """Give up the connections of this process and event loop, if there are any."""
