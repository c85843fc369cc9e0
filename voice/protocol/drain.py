"""Who leaves when a server is being stopped: those who are between two questions first, the others when they must.

Told at one instant, all clients would dial the next server at one instant. So they are told in batches; an exchange
that is going on may come to its end meanwhile. Pure: the clock is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainPolicy:
    """How conversations are ended when their server is stopped."""

    seconds: float = 20.0
    """Everybody is told within so many; until then, an exchange that is going on may come to its end. The process ends
    nine seconds later at the latest."""
    batch: int = 20
    """How many are told at once; more only where the time would not suffice."""
    pause: float = 0.5
    """Seconds from one batch to the next."""

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= 3600:
            raise ValueError("seconds must be from 0 to 3600")
        if self.batch < 1:
            raise ValueError("batch must be from 1 up")
        if not 0.01 <= self.pause <= 60:
            raise ValueError("pause must be from 0.01 to 60")


class Drain(Generic[T]):
    """The plan of one drain, which begins ``now`` and is asked once in each pause."""

    def __init__(self, policy: DrainPolicy, now: float) -> None:
        self._policy = policy
        self._ends_at = now + policy.seconds

    def leaving(self, quiet: Sequence[T], busy: Sequence[T], now: float) -> list[T]:
        """Who is told now, of those who are still here: between two questions, or in the middle of an exchange."""
        after_this = max(0, int((self._ends_at - now) / self._policy.pause))
        here = len(quiet) + len(busy)
        batch = max(self._policy.batch, ceil(here / (after_this + 1)))
        leaving = list(quiet[:batch])
        must_leave = here - after_this * batch
        return leaving + list(busy[: max(0, must_leave - len(leaving))])
