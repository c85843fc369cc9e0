"""How much a visitor may talk, and how much the site allows altogether."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_SECONDS = 3600.0
"""The window that the starts of a user are counted in. It slides: there is no moment at which all are forgotten."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the site. A count of 0 lifts that limit; to stop everyone there is the switch."""

    sessions_per_user_per_hour: int = 5
    """Starts within any hour, also of sessions that ended at once."""
    sessions_per_address_per_hour: int = 0
    """Starts within any hour from one network address, of whatever users."""
    sessions_per_user: int = 1
    """Live sessions. One more, and the user's oldest gives way to it."""
    sessions: int = 0
    """Live sessions of all users in all processes."""
    session_seconds: int = 600
    """The longest that one session lasts."""
    idle_seconds: int = 60
    """A session in which nobody speaks for this long ends."""
    expiring_seconds: int = 30
    """How long before its end the visitor is warned."""
