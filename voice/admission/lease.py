"""Holding a lease for as long as a session lives.

A renewal that is *refused* ends the session. One that is *not answered* is tolerated: a store that is down admits
nobody, so nobody else can have taken the place. (The price: if this host alone has lost the store, a user can be
admitted elsewhere and so hold two sessions, for as long as one may last.)

Whoever was paused, by a stopped process or a moved machine, cannot know what happened meanwhile. So a lease whose last
heartbeat is older than the lease is *doubtful*: its session sends nothing, either way, until a renewal is confirmed.
The heartbeat itself wakes up with everything else, in any order; therefore whoever acts compares
:attr:`Lease.valid_until` with the clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from math import inf

from voice import finishing
from voice.admission.store import ANSWER_SECONDS, LEASE_SECONDS, AdmissionStore, Renewal, StoreUnavailable
from voice.protocol.outcomes import EndReason

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = LEASE_SECONDS / 3

Sleep = Callable[[float], Awaitable[None]]

_REASONS = {Renewal.TAKEN: EndReason.CONCURRENT, Renewal.ENDED: EndReason.LEASE_LOST}


class Lease:
    """A place among the live sessions."""

    __slots__ = ("_confirmed", "_loop", "_lost", "refunded", "session_id", "valid_until")

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.refunded = False
        self._loop = asyncio.get_running_loop()
        self.valid_until = self._loop.time() + LEASE_SECONDS
        """When the loop's clock says so, the session may act no more. Looked at before each frame."""
        self._confirmed = asyncio.Event()
        self._lost: asyncio.Future[EndReason] = self._loop.create_future()

    @property
    def valid(self) -> bool:
        """Whether the session may act."""
        return self._loop.time() < self.valid_until

    async def confirmed(self) -> None:
        """Wait until the session may act; for ever, if it may not again."""
        while not self.valid:
            self._confirmed.clear()
            await self._confirmed.wait()

    async def lost(self) -> EndReason:
        """Wait until the place is gone; returns why the session must end."""
        return await asyncio.shield(self._lost)

    def refund(self) -> None:
        """Give the start back, too, at the end: for a session whose upstream refused or timed out."""
        self.refunded = True

    def beat(self, since: float) -> None:
        """The store was asked at the time ``since``, and nothing speaks against the place."""
        if not self.is_lost:
            self.valid_until = since + LEASE_SECONDS
            self._confirmed.set()

    def lose(self, reason: EndReason) -> None:
        """The place is gone. The first reason stands."""
        if not self.is_lost:
            self._lost.set_result(reason)
            self.valid_until = -inf

    @property
    def is_lost(self) -> bool:
        """Whether the place is gone."""
        return self._lost.done()


@asynccontextmanager
async def held(store: AdmissionStore, session_id: str, *, sleep: Sleep = asyncio.sleep) -> AsyncIterator[Lease]:
    """Hold the lease that :meth:`AdmissionStore.acquire` gave, and release it at the end.

    Leaving waits at most two seconds for the store, and releases also when it is cancelled meanwhile; what cannot be
    released ends by itself.
    """
    lease = Lease(session_id)
    loop = asyncio.get_running_loop()
    unwatch = store.watch(session_id, lambda: _from_any_thread(loop, lambda: lease.lose(EndReason.CONCURRENT)))
    heart = loop.create_task(_beat(store, lease, sleep))
    try:
        yield lease
    finally:
        heart.cancel()
        unwatch()
        await asyncio.wait({heart, finishing.begin(_release(store, lease))})


async def _beat(store: AdmissionStore, lease: Lease, sleep: Sleep) -> None:
    loop, answering = asyncio.get_running_loop(), True
    while not lease.is_lost:
        if lease.valid:
            await sleep(HEARTBEAT_SECONDS)
        # Doubtful at once after a pause, be it in the sleep above or in the question below.
        doubtful, since = not lease.valid, loop.time()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                renewal = await store.renew(lease.session_id)
        except (StoreUnavailable, TimeoutError):
            if doubtful:
                lease.lose(EndReason.LEASE_LOST)
            elif answering:
                logger.warning("session %s: its lease cannot be renewed, the store does not answer", lease.session_id)
            answering = False
        else:
            answering = True
            if renewal is not Renewal.KEPT:
                lease.lose(_REASONS[renewal])
        lease.beat(since)


async def _release(store: AdmissionStore, lease: Lease) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await store.release(lease.session_id, refund=lease.refunded)
    except (StoreUnavailable, TimeoutError):
        logger.warning("session %s: its lease was not released and ends by itself", lease.session_id)


def _from_any_thread(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed, and the session with it
        loop.call_soon_threadsafe(act)
