"""The condition of what this process leans on, as far as it is known without asking.

Each part is noted where it is used anyway, so that :mod:`voice.health` can tell without any I/O. A note is a fact about
the past: what has not been used for an hour may have been away for as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from time import monotonic


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


def forget() -> None:
    """As after a start."""
    global _draining
    _draining = False
    _last.clear()
