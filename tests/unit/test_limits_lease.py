"""A lease is held for as long as its session lives, and not longer."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import cast

import pytest

from tests.clock import VirtualTimeLoop, in_virtual_time
from voice import finishing
from voice.admission import lease as module
from voice.admission.lease import held
from voice.admission.limits import Limits
from voice.admission.memory import MemoryStore
from voice.admission.store import LEASE_SECONDS, Renewal, StoreUnavailable
from voice.protocol.outcomes import EndReason

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
        self.mute = False
        self.releases: list[tuple[str, bool]] = []
        super().__init__(lambda: self.time)

    async def renew(self, session_id: str) -> Renewal:
        if self.mute:
            await asyncio.Event().wait()
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
        assert not lease.is_lost
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
        assert await asyncio.wait_for(lease.lost(), 5) is EndReason.LEASE_LOST


async def test_an_unanswered_renewal_is_tolerated_and_said_once(store, caplog):
    """A store that is down admits nobody, so nobody can have taken the place."""
    await store.acquire("s", "u", LIMITS)
    beats = Beats()
    async with held(store, "s", sleep=beats) as lease:
        store.down = True
        for _ in range(5):
            await beats.beat()
        assert not lease.is_lost
        assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1
        store.down = False


async def test_a_take_over_is_heard_at_once(store):
    await store.acquire("old", "u", LIMITS)
    async with held(store, "old") as lease:
        await store.acquire("new", "u", LIMITS)
        assert await asyncio.wait_for(lease.lost(), 5) is EndReason.CONCURRENT


async def test_a_take_over_from_another_thread_wakes_the_loop(store):
    """Else it would be heard whenever the loop wakes for something else: here, when the limit is over."""
    await store.acquire("old", "u", LIMITS)
    async with held(store, "old") as lease:
        heard, loop = asyncio.create_task(lease.lost()), asyncio.get_running_loop()
        await asyncio.sleep(0)  # it waits now
        begun = loop.time()
        thread = threading.Thread(target=lambda: asyncio.run(store.acquire("new", "u", LIMITS)))
        thread.start()
        await asyncio.wait({heard}, timeout=3)
        assert heard.done()
        assert loop.time() - begun < 2
        thread.join()


async def test_a_take_over_that_nobody_told_is_seen_at_the_next_heartbeat(store, monkeypatch):
    monkeypatch.setattr(store, "watch", lambda *_: lambda: None)
    await store.acquire("old", "u", LIMITS)
    beats = Beats()
    async with held(store, "old", sleep=beats) as lease:
        await store.acquire("new", "u", LIMITS)
        await beats.last()
        assert await asyncio.wait_for(lease.lost(), 5) is EndReason.CONCURRENT


# -- a process that was paused ------------------------------------------------------------------------------------


def pause(store: Store, seconds: float) -> None:
    """Nothing runs here for so long; elsewhere time goes on."""
    cast(VirtualTimeLoop, asyncio.get_running_loop()).pause(seconds)
    store.time += seconds


@in_virtual_time
async def test_after_a_pause_longer_than_the_lease_nothing_is_certain_before_anything_else_has_run():
    store = Store()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        assert lease.valid
        pause(store, LEASE_SECONDS - 0.1)
        assert lease.valid
        pause(store, 0.1)
        assert not lease.valid


@in_virtual_time
async def test_a_pause_that_the_place_outlived_is_over_when_a_renewal_is_confirmed():
    store = Store()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        cast(VirtualTimeLoop, asyncio.get_running_loop()).pause(LEASE_SECONDS)  # by the store's clock, none
        waiting = asyncio.create_task(lease.confirmed())
        async with asyncio.timeout(0.1):
            await waiting
        assert lease.valid
        assert not lease.is_lost


@in_virtual_time
async def test_a_pause_that_the_place_did_not_outlive_is_its_end():
    store = Store()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        pause(store, LEASE_SECONDS)
        async with asyncio.timeout(0.1):
            assert await lease.lost() is EndReason.LEASE_LOST
        assert not lease.valid


@in_virtual_time
async def test_whoever_was_replaced_during_a_pause_is_told_so():
    store = Store()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        pause(store, LEASE_SECONDS)
        await store.acquire("new", "u", LIMITS)
        async with asyncio.timeout(0.1):
            assert await lease.lost() is EndReason.CONCURRENT


@pytest.mark.parametrize("trouble", ["mute", "down"])
def test_a_doubt_that_nobody_resolves_ends_the_session_after_two_seconds(trouble):
    @in_virtual_time
    async def script() -> None:
        store = Store()
        await store.acquire("s", "u", LIMITS)
        async with held(store, "s") as lease:
            setattr(store, trouble, True)
            pause(store, LEASE_SECONDS)
            async with asyncio.timeout(2.1):
                assert await lease.lost() is EndReason.LEASE_LOST
            setattr(store, trouble, False)

    script()


@in_virtual_time
async def test_a_pause_in_the_middle_of_a_question_is_one_too():
    """The answer that comes after it is of no worth: a new question decides."""
    store = Store()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        store.mute = True
        await asyncio.sleep(5.5)
        store.mute = False
        pause(store, LEASE_SECONDS)
        assert not lease.valid
        async with asyncio.timeout(0.1):
            assert await lease.lost() is EndReason.LEASE_LOST


@in_virtual_time
async def test_a_store_that_is_down_for_an_hour_casts_no_doubt():
    store = Store()
    await store.acquire("s", "u", LIMITS)
    async with held(store, "s") as lease:
        store.mute = True
        for _ in range(3600):
            await asyncio.sleep(1)
            assert lease.valid
        store.mute = False


# -- the end ------------------------------------------------------------------------------------------------------


async def test_a_session_that_was_taken_over_leaves_its_successor_alone(store):
    await store.acquire("old", "u", LIMITS)
    async with held(store, "old"):
        await store.acquire("new", "u", LIMITS)
    assert await store.renew("new") is Renewal.KEPT


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
