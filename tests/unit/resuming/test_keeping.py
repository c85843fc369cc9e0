"""A conversation is kept while it grows, and after the ends that no side wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from voice import finishing
from voice.admission.store import StoreUnavailable
from voice.protocol.history import History, Item
from voice.protocol.outcomes import EndReason
from voice.resuming.keeping import SIGN_OF_LIFE_SECONDS, SURVIVED, Keeping
from voice.resuming.memory import MemoryResumeStore
from voice.resuming.state import State
from voice.resuming.store import KEPT_SECONDS, Holder, Kept
from voice.resuming.tokens import ResumeToken

ANN = Holder("1")
TOKEN = ResumeToken.new("0198c1f0a5b74c0d8f6f2a4f7f1d9a35")
EMPTY = State(TOKEN.session_id, 1000.0)
ASKED = replace(EMPTY, turns=1, history=History((Item("user", "When do you open?"),)))


class Store(MemoryResumeStore):
    """The real one, which counts, and fails when told to."""

    def __init__(self) -> None:
        super().__init__(lambda: self.now)
        self.now = 0.0
        self.kept = 0
        self.answers = True

    async def keep(self, session_id: str, kept: Kept) -> bool:
        if not self.answers:
            raise StoreUnavailable("away")
        self.kept += 1
        return await super().keep(session_id, kept)


class Stage:
    """A session that is kept, with the time under the test's control."""

    def __init__(self) -> None:
        self.store = Store()
        self.keeping = Keeping(self.store, TOKEN, ANN, sleep=self._sleep)
        self.state: State | None = EMPTY
        self._ticks: asyncio.Queue[None] = asyncio.Queue()
        self._waits = asyncio.Event()
        self.task = asyncio.create_task(self.keeping.run(lambda: self.state))

    async def _sleep(self, seconds: float) -> None:
        self._waits.set()
        await self._ticks.get()
        self.store.now += seconds

    async def settled(self) -> None:
        await asyncio.wait(
            {self.task, waiting := asyncio.create_task(self._waits.wait())}, return_when="FIRST_COMPLETED"
        )
        waiting.cancel()

    async def pass_seconds(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            await self.settled()
            self._waits.clear()
            self._ticks.put_nowait(None)
        await self.settled()

    async def waiting(self) -> State | None:
        """What somebody who comes back would find."""
        kept = await self.store.take(TOKEN.session_id, ANN, TOKEN.digest)
        if kept is None:
            return None
        await self.store.give_back(TOKEN.session_id, kept)
        return State.from_json(kept.text)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    await stage.settled()
    yield stage
    stage.task.cancel()
    await asyncio.wait({stage.task})
    assert await finishing.settled(1)


async def test_it_is_kept_as_soon_as_it_begins(stage):
    assert await stage.waiting() == EMPTY


async def test_before_there_is_anything_to_keep_nothing_is(stage):
    await stage.store.give_back(TOKEN.session_id, Kept(ANN, "another", ""))
    stage.state = None
    kept = stage.store.kept
    await stage.pass_seconds(2 * SIGN_OF_LIFE_SECONDS)
    assert stage.store.kept == kept


async def test_a_second_after_something_was_said_it_is_kept(stage):
    stage.state = ASKED
    await stage.pass_seconds(1)
    assert await stage.waiting() == ASKED


async def test_a_quiet_conversation_is_kept_for_as_long_as_it_lasts_and_seldom_written(stage):
    await stage.pass_seconds(3 * KEPT_SECONDS)
    assert await stage.waiting() == EMPTY
    assert stage.store.kept <= 1 + 3 * KEPT_SECONDS / SIGN_OF_LIFE_SECONDS


async def test_who_comes_back_after_a_kill_has_most_of_the_minute(stage):
    await stage.pass_seconds(SIGN_OF_LIFE_SECONDS - 1)
    stage.task.cancel()
    stage.store.now += KEPT_SECONDS - SIGN_OF_LIFE_SECONDS
    assert await stage.waiting() == EMPTY


async def test_a_store_that_is_away_costs_nothing_but_what_was_said_meanwhile(stage):
    stage.store.answers = False
    stage.state = ASKED
    await stage.pass_seconds(3)
    stage.store.answers = True
    await stage.pass_seconds(1)
    assert await stage.waiting() == ASKED


async def test_what_was_taken_away_or_erased_is_kept_no_more(stage):
    await stage.store.forget_user("1")
    stage.state = ASKED
    await stage.pass_seconds(1)
    assert stage.task.done()
    assert await stage.waiting() is None


@pytest.mark.parametrize("reason", sorted(EndReason))
async def test_at_its_end_the_last_word_is_kept_or_nothing_is(stage, reason):
    stage.task.cancel()
    await stage.keeping.finish(reason, ASKED)
    assert (await stage.waiting() == ASKED) is (reason in SURVIVED)
    assert await stage.waiting() in (ASKED, None)


async def test_a_session_that_somebody_else_continues_does_not_spoil_it_by_its_own_end(stage):
    assert await stage.store.take(TOKEN.session_id, ANN, TOKEN.digest)
    await stage.keeping.finish(EndReason.CONCURRENT, ASKED)
    await stage.keeping.finish(EndReason.CLIENT_LOST, ASKED)
    assert await stage.waiting() is None


async def test_a_store_that_is_away_does_not_keep_a_session_from_ending(stage):
    stage.store.answers = False
    await stage.keeping.finish(EndReason.CLIENT_LOST, ASKED)
