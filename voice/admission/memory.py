"""Admission within one process: exact, and forgotten when it ends."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.store import LEASE_SECONDS, AdmissionStore, Admitted, Refused, Renewal
from voice.protocol.outcomes import EndReason


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    user_id: str
    address: str
    at: float

    @property
    def counted_in(self) -> tuple[_Counted, ...]:
        """Whose hours it is in."""
        user = ("user", self.user_id)
        return (user, ("address", self.address)) if self.address else (user,)


_Counted = tuple[str, str]


@dataclass(slots=True)
class _Lease:
    start: _Start
    limits: Limits
    until: float


class MemoryStore(AdmissionStore):
    """The store of a site that runs in one process.

    The live sessions are searched from end to end: a process holds tens, or hundreds. The starts of an hour may be many
    more, so each user's, and each address's, are by themselves. No method waits, and a lock serves those who ask from
    other threads (a synchronous server's).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._starts: deque[_Start] = deque()  # oldest first, also those that were refunded
        self._counted: defaultdict[_Counted, deque[_Start]] = defaultdict(deque)  # of each, oldest first; none is empty
        self._leases: dict[str, _Lease] = {}  # until released, in the order of their acquisition
        self._spent: dict[str, float] = {}
        self._watchers: dict[str, Callable[[], None]] = {}

    async def acquire(
        self, session_id: str, user_id: str, limits: Limits, address: str = "", continued: str = ""
    ) -> Admitted | Refused:
        """See the port."""
        with self._lock:
            answer = self._admit(session_id, _Start(user_id, address, self._now()), limits, continued)
        if isinstance(answer, Admitted):
            self._tell(answer.displaced)
        return answer

    async def renew(self, session_id: str) -> Renewal:
        """See the port."""
        with self._lock:
            now, lease = self._now(), self._leases.get(session_id)
            if lease is not None and now < lease.until:
                lease.until = now + LEASE_SECONDS
                return Renewal.KEPT
            taken = lease is not None and self._displaced(lease.start.user_id, lease.limits, now)
            return Renewal.TAKEN if taken else Renewal.ENDED

    async def release(self, session_id: str, refund: bool = False) -> None:
        """See the port."""
        with self._lock:
            now, lease = self._now(), self._leases.pop(session_id, None)
            if lease is not None and now < lease.until and refund:
                self._discount(lease.start)

    async def peek(self, user_id: str, limits: Limits, address: str = "") -> Refused | None:
        """See the port."""
        with self._lock:
            return self._refusal(_Start(user_id, address, self._now()), limits)

    async def spend(self, jti: str, seconds: float) -> bool:
        """See the port."""
        with self._lock:
            now = self._now()
            first = jti not in self._spent
            self._spent.setdefault(jti, now + seconds)
            return first

    def watch(self, session_id: str, lost: Callable[[], None]) -> Callable[[], None]:
        """See the port."""
        self._watchers[session_id] = lost
        return lambda: self._unwatch(session_id, lost)

    def _admit(self, session_id: str, start: _Start, limits: Limits, continued: str) -> Admitted | Refused:
        until, held = start.at + LEASE_SECONDS, self._leases.get(session_id)
        if held is not None and start.at < held.until:
            held.until = until
            return Admitted()
        handed_over = self._handed_over(continued, start)
        refusal = self._full(start, limits) if continued else self._refusal(start, limits)
        if refusal is not None and not handed_over:
            return refusal
        for loser in handed_over:
            self._leases[loser].until = start.at
        displaced = self._displaced(start.user_id, limits, start.at)
        for loser in displaced:
            self._leases[loser].until = start.at
        if not continued:
            self._starts.append(start)
            for whose in start.counted_in:
                self._counted[whose].append(start)
        self._leases[session_id] = _Lease(start, limits, until)
        return Admitted(handed_over + displaced)

    def _handed_over(self, continued: str, start: _Start) -> tuple[str, ...]:
        """The session whose lease goes over to one that continues it, if that still lives."""
        lease = self._leases.get(continued)
        lives = lease is not None and lease.start.user_id == start.user_id and start.at < lease.until
        return (continued,) if lives else ()

    def _refusal(self, wanted: _Start, limits: Limits) -> Refused | None:
        allowed = (limits.sessions_per_user_per_hour, limits.sessions_per_address_per_hour)
        counted = (self._counted.get(whose, ()) for whose in wanted.counted_in)
        wait = max(_wait(starts, most, wanted.at) for starts, most in zip(counted, allowed, strict=False))
        if wait:
            return Refused(EndReason.RATE_LIMITED, max(1, math.ceil(wait * 1000)))
        return self._full(wanted, limits)

    def _full(self, wanted: _Start, limits: Limits) -> Refused | None:
        live = sum(wanted.at < lease.until for lease in self._leases.values())
        staying = live - len(self._displaced(wanted.user_id, limits, wanted.at))
        return Refused(EndReason.OVERLOADED) if limits.sessions and staying >= limits.sessions else None

    def _displaced(self, user_id: str, limits: Limits, now: float) -> tuple[str, ...]:
        """The user's sessions that would have to give way to one more, oldest first."""
        if not limits.sessions_per_user:
            return ()
        held = [key for key, lease in self._leases.items() if lease.start.user_id == user_id and now < lease.until]
        return tuple(held[: max(0, len(held) + 1 - limits.sessions_per_user)])

    def _now(self) -> float:
        """The time; what is over at this time is forgotten, but not the leases: their holders will ask."""
        now = self._clock()
        while self._starts and now >= self._starts[0].at + HOUR_SECONDS:
            self._discount(self._starts.popleft())
        self._spent = {jti: until for jti, until in self._spent.items() if now < until}
        return now

    def _discount(self, start: _Start) -> None:
        """It counts no more, unless it did not any more before."""
        for whose in start.counted_in:
            starts = self._counted.get(whose, ())
            if start in starts:
                self._counted[whose].remove(start)
                if not starts:
                    del self._counted[whose]

    def _tell(self, displaced: tuple[str, ...]) -> None:
        # Outside the lock: who is told may come back with a release.
        for session_id in displaced:
            lost = self._watchers.pop(session_id, None)
            if lost is not None:
                lost()

    def _unwatch(self, session_id: str, lost: Callable[[], None]) -> None:
        if self._watchers.get(session_id) is lost:
            del self._watchers[session_id]


def _wait(starts: Sequence[_Start], allowed: int, now: float) -> float:
    """Seconds until one more fits: when so many have left the hour that one less than allowed remain."""
    return starts[-allowed].at + HOUR_SECONDS - now if allowed and len(starts) >= allowed else 0.0
