"""How many sockets one address may hold, and how many may wait at the door: a server's memory is everybody's.

A socket costs some 25 KiB before it has said anything. Pure: told who comes, gets in and goes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPolicy:
    """How many sockets a process holds. A count of 0 lifts that limit."""

    per_address: int = 64
    """Sockets of one network address, conversations included: enough for an office, and less than a process carries."""
    waiting_per_address: int = 10
    """Sockets of one network address that are in no conversation yet, or were refused one."""
    waiting: int = 200
    """The same, of all addresses."""
    opened_per_minute: int = 300
    """Sockets that one network address opens within a minute."""

    def __post_init__(self) -> None:
        if min(self.per_address, self.waiting_per_address, self.waiting, self.opened_per_minute) < 0:
            raise ValueError("a count is 0 or more")


class Crowd:
    """The sockets of one process, by address. An address of ``""`` is nobody's: it counts for all of them only."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    def comes(self, address: str, policy: CrowdPolicy) -> bool:
        """Somebody opens a socket; whether they may wait. Either way they are counted until they have gone."""
        self._open[address] += 1
        self._waiting[address] += 1
        return not (
            _more(self._waiting.total(), policy.waiting)
            or (address and _more(self._waiting[address], policy.waiting_per_address))
            or (address and _more(self._open[address], policy.per_address))
        )

    def gets_in(self, address: str) -> None:
        """A conversation of theirs begins."""
        _less(self._waiting, address)

    def goes(self, address: str, *, waiting: bool) -> None:
        """Their socket is closed, ``waiting`` if they never got in."""
        _less(self._open, address)
        if waiting:
            _less(self._waiting, address)


def _more(count: int, limit: int) -> bool:
    return limit > 0 and count > limit


def _less(counts: Counter[str], address: str) -> None:
    counts[address] -= 1
    if not counts[address]:
        del counts[address]  # memory is that of who is here
