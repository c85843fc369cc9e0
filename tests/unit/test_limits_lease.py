"""A lease is held for as long as its session lives, and not longer."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from voice import finishing
from voice.admission import lease as module
from voice.admission.lease import held
from voice.admission.limits import Limits
from voice.admission.memory import MemoryStore
from voice.admission.store import LEASE_SECONDS, StoreUnavailable

LIMITS = Limits()


class Beats:
    """A sleep that ends when the test says so, and knows how long each was to be."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._turns = asyncio.Semaphore(0)
        self._asleep = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self._asleep.set()
        await self._turns.acquire()

    async def beat(self) -> None:
        """Let one sleep pass, and wait until the next one begins."""
        await self._asleep.wait()
        self._asleep.clear()
        self._turns.release()
        await asyncio.wait_for(self._asleep.wait(), 5)

    async def last(self) -> None:
        """Let one sleep pass, after which there is no other."""
        await self._asleep.wait()
        self._turns.release()


class Store(MemoryStore):
    """A store that can be down, and remembers what it was asked."""

    def __init__(self) -> None:
        self.time = 0.0
        self.down = False
        self.hangs = False
        self.releases: list[tuple[str, bool]] = []
        super().__init__(lambda: self.time)

    async def renew(self, session_id: str) -> bool:
        if self.down:
            raise StoreUnavailable
        return await super().renew(session_id)

    async def release(self, session_id: str, refund: bool = False) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            raise StoreUnavailable
        self.releases.append((session_id, refund))
        await super().release(session_id, refund)


@pytest.fixture
def store() -> Store:
    return Store()


async def test_the_lease_is_renewed_every_third_of_its_life(store):
    await store.acquire("s", "u", LIMITS)
    beats = Beats()
    async with held(store, "s", sleep=beats) as lease:
        for _ in range(9):
            store.time += LEASE_SECONDS / 3
            await beats.beat()
        assert not lease.lost.is_set()
    assert set(beats.asked) == {LEASE_SECONDS / 3}


async def test_the_lease_is_released_at_the_end(store):
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s"):
        pass
    assert store.releases == [("s", False)]


async def test_a_start_is_refunded_on_request(store):
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        lease.refund()
    assert store.releases == [("s", True)]


async def test_a_refused_renewal_says_that_the_lease_is_lost(store):
    await store.acquire("s", "u", LIMITS)
    beats = Beats()
    async with held(store, "s", sleep=beats) as lease:
        store.time += LEASE_SECONDS
        await beats.last()
        await asyncio.wait_for(lease.lost.wait(), 5)


async def test_an_unanswered_renewal_is_tolerated_and_said_once(store, caplog):
    """A store that is down admits nobody, so nobody can have taken the place."""
    await store.acquire("s", "u", LIMITS)
    beats = Beats()
    async with held(store, "s", sleep=beats) as lease:
        store.down = True
        for _ in range(5):
            await beats.beat()
        assert not lease.lost.is_set()
        assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1
        store.down = False


async def test_a_take_over_is_heard_at_once(store):
    await store.acquire("old", "u", LIMITS)
    async with held(store, "old") as lease:
        await store.acquire("new", "u", LIMITS)
        await asyncio.wait_for(lease.lost.wait(), 5)


async def test_a_take_over_from_another_thread_wakes_the_loop(store):
    """Else it would be heard whenever the loop wakes for something else: here, when the limit is over."""
    await store.acquire("old", "u", LIMITS)
    async with held(store, "old") as lease:
        heard, loop = asyncio.create_task(lease.lost.wait()), asyncio.get_running_loop()
        await asyncio.sleep(0)  # it waits now
        begun = loop.time()
        thread = threading.Thread(target=lambda: asyncio.run(store.acquire("new", "u", LIMITS)))
        thread.start()
        await asyncio.wait({heard}, timeout=3)
        assert heard.done()
        assert loop.time() - begun < 2
        thread.join()


async def test_a_session_that_was_taken_over_leaves_its_successor_alone(store):
    await store.acquire("old", "u", LIMITS)
    async with held(store, "old"):
        await store.acquire("new", "u", LIMITS)
    assert await store.renew("new")


async def test_a_cancelled_session_releases_its_lease(store):
    await store.acquire("s", "u", LIMITS)
    holding = asyncio.Event()

    async def session() -> None:
        async with held(store, "s"):
            holding.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(session())
    await holding.wait()
    task.cancel()
    await asyncio.wait({task})
    assert store.releases == [("s", False)]


async def test_a_store_that_is_down_at_the_end_hides_no_error_of_the_session(store):
    await store.acquire("s", "u", LIMITS)
    with pytest.raises(KeyError):
        async with held(store, "s"):
            store.down = True
            raise KeyError


async def test_a_store_that_hangs_at_the_end_is_not_waited_for_beyond_the_limit(store, monkeypatch, caplog):
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.01)
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s"):
        store.hangs = True
    assert "ends by itself" in caplog.text


async def test_nothing_runs_on_after_the_end(store):
    before = asyncio.all_tasks()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s"):
        pass
    assert await finishing.settled(1)
    assert asyncio.all_tasks() == before
