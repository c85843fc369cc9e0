"""Admission within one process: exact, and forgotten when it ends."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.store import LEASE_SECONDS, AdmissionStore, Admitted, Refused
from voice.protocol.outcomes import EndReason


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    user_id: str
    at: float


@dataclass(slots=True)
class _Lease:
    start: _Start
    until: float


class MemoryStore(AdmissionStore):
    """The store of a site that runs in one process.

    Plain lists, searched from end to end: a process holds tens of sessions, and starts some hundreds an hour. No
    method waits, and a lock serves those who ask from other threads (a synchronous server's).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._starts: list[_Start] = []  # oldest first
        self._leases: dict[str, _Lease] = {}  # in the order of their acquisition
        self._spent: dict[str, float] = {}
        self._watchers: dict[str, Callable[[], None]] = {}

    async def acquire(self, session_id: str, user_id: str, limits: Limits) -> Admitted | Refused:
        """See the port."""
        with self._lock:
            now = self._forget_the_past()
            answer = self._admit(session_id, user_id, limits, now)
        if isinstance(answer, Admitted):
            self._tell(answer.displaced)
        return answer

    async def renew(self, session_id: str) -> bool:
        """See the port."""
        with self._lock:
            now = self._forget_the_past()
            lease = self._leases.get(session_id)
            if lease is None:
                return False
            lease.until = now + LEASE_SECONDS
            return True

    async def release(self, session_id: str, refund: bool = False) -> None:
        """See the port."""
        with self._lock:
            self._forget_the_past()
            lease = self._leases.pop(session_id, None)
            if lease is not None and refund and lease.start in self._starts:
                self._starts.remove(lease.start)

    async def peek(self, user_id: str, limits: Limits) -> Refused | None:
        """See the port."""
        with self._lock:
            now = self._forget_the_past()
            return self._refusal(user_id, limits, now)

    async def spend(self, jti: str, seconds: float) -> bool:
        """See the port."""
        with self._lock:
            now = self._forget_the_past()
            first = jti not in self._spent
            self._spent.setdefault(jti, now + seconds)
            return first

    def watch(self, session_id: str, lost: Callable[[], None]) -> Callable[[], None]:
        """See the port."""
        self._watchers[session_id] = lost
        return lambda: self._unwatch(session_id, lost)

    def _admit(self, session_id: str, user_id: str, limits: Limits, now: float) -> Admitted | Refused:
        if session_id in self._leases:
            self._leases[session_id].until = now + LEASE_SECONDS
            return Admitted()
        refusal = self._refusal(user_id, limits, now)
        if refusal is not None:
            return refusal
        displaced = self._displaced(user_id, limits)
        for loser in displaced:
            del self._leases[loser]
        start = _Start(user_id, now)
        self._starts.append(start)
        self._leases[session_id] = _Lease(start, now + LEASE_SECONDS)
        return Admitted(displaced)

    def _refusal(self, user_id: str, limits: Limits, now: float) -> Refused | None:
        starts = [start.at for start in self._starts if start.user_id == user_id]
        allowed = limits.sessions_per_user_per_hour
        if allowed and len(starts) >= allowed:
            # The place is free when so many starts have left the hour that one less than allowed remain.
            wait = starts[-allowed] + HOUR_SECONDS - now
            return Refused(EndReason.RATE_LIMITED, max(1, math.ceil(wait * 1000)))
        staying = len(self._leases) - len(self._displaced(user_id, limits))
        if limits.sessions and staying >= limits.sessions:
            return Refused(EndReason.OVERLOADED)
        return None

    def _displaced(self, user_id: str, limits: Limits) -> tuple[str, ...]:
        """The user's sessions that would have to give way to one more, oldest first."""
        if not limits.sessions_per_user:
            return ()
        held = [session_id for session_id, lease in self._leases.items() if lease.start.user_id == user_id]
        return tuple(held[: max(0, len(held) + 1 - limits.sessions_per_user)])

    def _forget_the_past(self) -> float:
        now = self._clock()
        self._starts = [start for start in self._starts if now < start.at + HOUR_SECONDS]
        self._leases = {key: lease for key, lease in self._leases.items() if now < lease.until}
        self._spent = {jti: until for jti, until in self._spent.items() if now < until}
        return now

    def _tell(self, displaced: tuple[str, ...]) -> None:
        # Outside the lock: who is told may come back with a release.
        for session_id in displaced:
            lost = self._watchers.pop(session_id, None)
            if lost is not None:
                lost()

    def _unwatch(self, session_id: str, lost: Callable[[], None]) -> None:
        if self._watchers.get(session_id) is lost:
            del self._watchers[session_id]
