"""How things end: turns, searches, sessions. The words that the records, the wire and the admin share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TurnOutcome(StrEnum):
    """Each turn ends in exactly one of these."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class SearchOutcome(StrEnum):
    """Each search ends in exactly one of these, so that the waste of speculation can be seen."""

    HIT = "hit"
    """Its passages were in the conversation when the answer was requested."""
    LATE = "late"
    """It came back when the answer had been requested without it."""
    SUPERSEDED = "superseded"
    """A newer question replaced it, or the turn ended first."""
    FAILED = "failed"
    NONE = "none"
    """It came back with nothing that fits."""


class Retry(StrEnum):
    """What a client may do after the end of a session."""

    NO = "no"
    NOW = "now"
    BACKOFF = "backoff"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the end of a session is told: WebSocket close code, and whether dialling again makes sense."""

    code: int
    retry: Retry


class EndReason(StrEnum):
    """Why a session ended or was refused. Stored in its record; each belongs to one close code."""

    CLIENT_HANGUP = "client_hangup"
    CLIENT_AWAY = "client_away"
    """The page was left, or loaded anew: its visitor may be back in a moment."""
    CLIENT_LOST = "client_lost"
    BAD_MESSAGE = "bad_message"
    UNAUTHENTICATED = "unauthenticated"
    AUTH_EXPIRED = "auth_expired"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    NOT_IN_ROLLOUT = "not_in_rollout"
    REVOKED = "revoked"
    TIMEOUT = "timeout"
    IDLE = "idle"
    NO_MICROPHONE = "no_microphone"
    """Dialled while the visitor was asked for their microphone, and nothing came of it."""
    CONCURRENT = "concurrent"
    LEASE_LOST = "lease_lost"
    MAX_DURATION = "max_duration"
    BUDGET = "budget"
    DAY_BUDGET = "day_budget"
    TOO_BIG = "too_big"
    RATE_LIMITED = "rate_limited"
    TOO_FAST = "too_fast"
    SLOW_CLIENT = "slow_client"
    INTERNAL_ERROR = "internal_error"
    UPSTREAM_AUTH = "upstream_auth"
    UPSTREAM_CLOSED = "upstream_closed"
    UPSTREAM_PROTOCOL = "upstream_protocol"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_RATE_LIMITED = "upstream_rate_limited"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    DISABLED = "disabled"
    SERVER_DRAIN = "server_drain"
    SERVER_LOST = "server_lost"
    OVERLOADED = "overloaded"

    @property
    def ending(self) -> Ending:
        """The close code and the reconnect rule of this reason."""
        return _ENDINGS[self]


# The last three digits follow HTTP, as graphql-ws does. Daphne can send only 1000 and 3000-4999.
_ENDINGS: dict[EndReason, Ending] = {
    EndReason.CLIENT_HANGUP: Ending(1000, Retry.NO),
    EndReason.CLIENT_AWAY: Ending(1000, Retry.BACKOFF),
    EndReason.CLIENT_LOST: Ending(1000, Retry.BACKOFF),
    EndReason.BAD_MESSAGE: Ending(4400, Retry.NO),
    EndReason.UNAUTHENTICATED: Ending(4401, Retry.NOW),
    EndReason.AUTH_EXPIRED: Ending(4401, Retry.NOW),
    EndReason.FORBIDDEN_ORIGIN: Ending(4403, Retry.NO),
    EndReason.NOT_IN_ROLLOUT: Ending(4403, Retry.NO),
    EndReason.REVOKED: Ending(4403, Retry.NO),
    EndReason.TIMEOUT: Ending(4408, Retry.NO),
    EndReason.IDLE: Ending(4408, Retry.NO),
    EndReason.NO_MICROPHONE: Ending(1000, Retry.NO),
    EndReason.CONCURRENT: Ending(4409, Retry.NO),
    EndReason.MAX_DURATION: Ending(4410, Retry.NO),
    EndReason.BUDGET: Ending(4410, Retry.NO),
    EndReason.TOO_BIG: Ending(4413, Retry.NO),
    EndReason.RATE_LIMITED: Ending(4429, Retry.AFTER),
    EndReason.DAY_BUDGET: Ending(4429, Retry.AFTER),
    EndReason.TOO_FAST: Ending(4430, Retry.NO),
    EndReason.SLOW_CLIENT: Ending(4499, Retry.BACKOFF),
    EndReason.INTERNAL_ERROR: Ending(4500, Retry.BACKOFF),
    EndReason.LEASE_LOST: Ending(4500, Retry.BACKOFF),
    EndReason.UPSTREAM_AUTH: Ending(4502, Retry.BACKOFF),
    EndReason.UPSTREAM_CLOSED: Ending(4502, Retry.BACKOFF),
    EndReason.UPSTREAM_PROTOCOL: Ending(4502, Retry.BACKOFF),
    EndReason.UPSTREAM_UNAVAILABLE: Ending(4502, Retry.BACKOFF),
    EndReason.UPSTREAM_RATE_LIMITED: Ending(4513, Retry.BACKOFF),
    EndReason.UPSTREAM_TIMEOUT: Ending(4504, Retry.BACKOFF),
    EndReason.DISABLED: Ending(4503, Retry.NO),
    EndReason.SERVER_DRAIN: Ending(4512, Retry.NOW),
    EndReason.SERVER_LOST: Ending(4500, Retry.BACKOFF),  # written by others, never told: nobody is left to tell it
    EndReason.OVERLOADED: Ending(4513, Retry.BACKOFF),
}

REFUNDED = frozenset(
    {
        EndReason.UPSTREAM_AUTH,
        EndReason.UPSTREAM_PROTOCOL,
        EndReason.UPSTREAM_RATE_LIMITED,
        EndReason.UPSTREAM_TIMEOUT,
        EndReason.UPSTREAM_UNAVAILABLE,
    }
)
"""A start that ends so, before the upstream was there, is given back: the visitor got nothing for it. One that ends for
want of a microphone always is."""

LEFT = frozenset({EndReason.CLIENT_HANGUP, EndReason.CLIENT_AWAY, EndReason.CLIENT_LOST})
"""It was the visitor who went."""
