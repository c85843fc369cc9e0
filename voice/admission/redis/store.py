"""The store of a site that runs in several processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.redis.clients import Clients
from voice.admission.redis.scripts import CLOCK, Script, Scripts
from voice.admission.redis.takeovers import TakeOvers
from voice.admission.store import (
    LEASE_SECONDS,
    AdmissionStore,
    Admitted,
    Refused,
    Renewal,
    StoreUnavailable,
)
from voice.protocol.outcomes import EndReason

History = Callable[[str], Awaitable[Iterable[tuple[str, float]]]]
"""The starts of a user within the last hour, from what cannot forget: session, and when in seconds since 1970.

Those that were refunded are left out. May raise :class:`StoreUnavailable`.
"""


@dataclass(frozen=True, slots=True)
class _Held:
    """What this process knows of a session that it had admitted, because Redis may forget it."""

    user_id: str
    limits: Limits
    address: str
    epoch: str
    """In which its lease was last confirmed; empty once a renewal was not answered."""


class RedisStore(AdmissionStore):
    """Sorted sets in Redis (or Valkey, or a cluster of them), and scripts on Redis's own clock.

    Every key begins with ``{prefix}``, so all are in one slot of a cluster, and expires by itself. Redis must not
    evict keys (``maxmemory-policy noeviction``).

    A Redis that was emptied begins a new *epoch*. For an hour then, a user's window is first filled from ``history``,
    and leases that it forgot are taken again by their holders, if their places are free.
    """

    clock = CLOCK
    """The Lua function that tells the time."""

    def __init__(self, url: str, prefix: str, history: History) -> None:
        self._prefix, self._history = f"{{{prefix}}}:", history
        self._channel = f"{self._prefix}taken"
        self._clients = Clients(url)
        self._take_overs = TakeOvers(self._clients, self._channel)
        self._scripts = Scripts(self.clock)
        self._held: dict[str, _Held] = {}

    async def acquire(
        self, session_id: str, user_id: str, limits: Limits, address: str = "", continued: str = ""
    ) -> Admitted | Refused:
        """See the port."""
        held = _Held(user_id, limits, address, epoch="")
        answer, *rest = await self._decide(self._scripts.acquire, held, session_id, self._channel, continued)
        if answer != "admitted":
            return _refused(answer, rest)
        epoch, *displaced = rest
        self._held[session_id] = replace(held, epoch=epoch)
        return Admitted(tuple(displaced))

    async def peek(self, user_id: str, limits: Limits, address: str = "") -> Refused | None:
        """See the port."""
        held = _Held(user_id, limits, address, epoch="")
        answer, *rest = await self._decide(self._scripts.peek, held, "")
        return None if answer == "admitted" else _refused(answer, rest)

    async def renew(self, session_id: str) -> Renewal:
        """See the port."""
        held = self._held.get(session_id)
        if held is None:
            return Renewal.ENDED
        self._held[session_id] = replace(held, epoch="")  # for as long as there is no answer
        answer, *epoch = await self._clients.answer(self._of(self._scripts.renew, held, session_id, held.epoch))
        if session_id in self._held:
            self._held[session_id] = replace(held, epoch=epoch[0] if epoch else held.epoch)
        return Renewal(answer)

    async def release(self, session_id: str, refund: bool = False) -> None:
        """See the port."""
        held = self._held.pop(session_id, None)
        if held is not None:
            await self._clients.answer(self._of(self._scripts.release, held, session_id, int(refund)))

    async def spend(self, jti: str, seconds: float) -> bool:
        """See the port."""
        key = f"{self._prefix}ticket:{jti}"
        return bool(await self._clients.answer(self._run(self._scripts.spend, [key], [_milliseconds(seconds)])))

    async def ping(self) -> None:
        """See the port."""
        client: Any = self._clients.client()
        await self._clients.answer(client.execute_command("PING"))

    def watch(self, session_id: str, lost: Callable[[], None]) -> Callable[[], None]:
        """See the port."""
        return self._take_overs.watch(session_id, lost)

    async def close(self) -> None:
        """See the port."""
        self._take_overs.close()
        await self._clients.close()

    # -- asking ---------------------------------------------------------------------------------------------------

    async def _decide(self, script: Script, held: _Held, session_id: str, *more: str) -> Any:
        """Ask what needs the user's whole hour."""

        async def decided() -> Any:
            answer = await self._of(script, held, session_id, *more)
            if answer == ["unseeded"]:
                await self._seed(held)
                answer = await self._of(script, held, session_id, *more)
            if answer == ["unseeded"]:
                raise StoreUnavailable("it was emptied again")
            return answer

        return await self._clients.answer(decided())

    async def _seed(self, held: _Held) -> None:
        starts = [(session_id, _milliseconds(at)) for session_id, at in await self._history(held.user_id)]
        await self._of(self._scripts.seed, held, "", *(value for start in starts for value in start))

    def _of(self, script: Script, held: _Held, session_id: str, *more: str | int) -> Coroutine[Any, Any, Any]:
        """Run a script about places; all of them take the same keys, and begin with the same arguments."""
        limits = held.limits
        names = f"starts:user:{held.user_id}", f"starts:address:{held.address}", f"sessions:{held.user_id}"
        keys = [self._prefix + name for name in (*names, "leases", f"seeded:{held.user_id}", "epoch")]
        counts = (
            limits.sessions_per_user_per_hour,
            limits.sessions_per_address_per_hour if held.address else -1,
            limits.sessions_per_user,
            limits.sessions,
        )
        spans = _milliseconds(HOUR_SECONDS), _milliseconds(LEASE_SECONDS)
        return self._run(script, keys, [*spans, *counts, session_id, *more])

    async def _run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        return await self._clients.run(script, keys, arguments)


def _refused(answer: str, rest: list[str]) -> Refused:
    if answer == "rate_limited":
        return Refused(EndReason.RATE_LIMITED, int(rest[0]))
    return Refused(EndReason.OVERLOADED)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
