"""The condition of what this process leans on, as far as it is known without asking.

Each part is noted where it is used anyway, so that :mod:`voice.health` can tell without any I/O. A note is a fact about
the past: what has not been used for an hour may have been away for as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from time import monotonic

STILL_LIMIT = 1.0
"""Seconds that the event loop may stand still before a visitor is better sent elsewhere."""
STILL_REMEMBERED = 10.0
"""Seconds for which that counts: as long as balancers pause between two probes."""


class Part(StrEnum):
    """What a conversation needs besides this process."""

    DATABASE = "database"
    REDIS = "redis"
    UPSTREAM = "upstream"
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True, slots=True)
class Noted:
    """What the last use of a part showed."""

    ok: bool
    age: float
    """Seconds since then."""


_last: dict[Part, tuple[bool, float]] = {}
_draining = False
_still_at = -inf


def note(part: Part, ok: bool) -> None:
    """``part`` was used just now, and answered or did not. From any thread."""
    _last[part] = ok, monotonic()


def known() -> dict[Part, Noted | None]:
    """The last note of every part; ``None`` for one that was not used so far."""
    now = monotonic()
    return {part: Noted(last[0], now - last[1]) if (last := _last.get(part)) else None for part in Part}


def drain() -> None:
    """This process is being stopped: from now on it is not ready for anybody new."""
    global _draining
    _draining = True


def draining() -> bool:
    """Whether this process is being stopped."""
    return _draining


def stood_still(seconds: float) -> None:
    """The event loop was late by so much just now."""
    global _still_at
    if seconds > STILL_LIMIT:
        _still_at = monotonic()


def lagging() -> bool:
    """Whether the event loop stood still lately, for longer than a conversation bears."""
    return monotonic() - _still_at < STILL_REMEMBERED


def forget() -> None:
    """As after a start."""
    global _draining, _still_at
    _draining, _still_at = False, -inf
    _last.clear()
