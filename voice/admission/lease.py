"""Holding a lease for as long as a session lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from voice import finishing
from voice.admission.store import LEASE_SECONDS, AdmissionStore, StoreUnavailable

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0
"""How long the store may take. Beyond, a renewal counts as unanswered."""

Sleep = Callable[[float], Awaitable[None]]


class Lease:
    """A place among the live sessions."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.lost = asyncio.Event()
        """Set when the place is gone: a newer session of this user took it, or it was not renewed in time."""
        self.refunded = False

    def refund(self) -> None:
        """Give the start back, too, at the end: for a session whose upstream refused or timed out."""
        self.refunded = True


@asynccontextmanager
async def held(store: AdmissionStore, session_id: str, *, sleep: Sleep = asyncio.sleep) -> AsyncIterator[Lease]:
    """Hold the lease that :meth:`AdmissionStore.acquire` gave, and release it at the end.

    A renewal that is refused says that the lease is lost. One that is not answered is tolerated: a store that is down
    admits nobody, so nobody else can have taken the place.

    Leaving waits at most two seconds for the store, and releases also when it is cancelled meanwhile; what cannot be
    released ends by itself.
    """
    lease = Lease(session_id)
    loop = asyncio.get_running_loop()
    unwatch = store.watch(session_id, lambda: _from_any_thread(loop, lease.lost.set))
    heart = loop.create_task(_renew(store, lease, sleep))
    try:
        yield lease
    finally:
        heart.cancel()
        unwatch()
        await asyncio.wait({heart, finishing.begin(_release(store, lease))})


async def _renew(store: AdmissionStore, lease: Lease, sleep: Sleep) -> None:
    answering = True
    while not lease.lost.is_set():
        await sleep(LEASE_SECONDS / 3)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                kept = await store.renew(lease.session_id)
        except (StoreUnavailable, TimeoutError):
            if answering:
                logger.warning("session %s: its lease cannot be renewed, the store does not answer", lease.session_id)
            answering = False
            continue
        answering = True
        if not kept:
            lease.lost.set()


async def _release(store: AdmissionStore, lease: Lease) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await store.release(lease.session_id, refund=lease.refunded)
    except (StoreUnavailable, TimeoutError):
        logger.warning("session %s: its lease was not released and ends by itself", lease.session_id)


def _from_any_thread(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed, and the session with it
        loop.call_soon_threadsafe(act)
