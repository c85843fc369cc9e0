"""What every store of waiting conversations must do, with the time under the test's control."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.test_admission import Clock
from voice.admission.store import StoreUnavailable
from voice.resuming.memory import MemoryResumeStore
from voice.resuming.redis.store import RedisResumeStore
from voice.resuming.sealing import Seal
from voice.resuming.store import CLOSED_SECONDS, KEPT_SECONDS, Holder, Kept, ResumeStore

KEY, OTHER_KEY = "A" * 43 + "=", "B" * 42 + "A="
ANN = Holder("1", "https://shop.example", "browser-1")
KEPT = Kept(ANN, "digest", "what was said")
SESSION = "0198c1f0a5b74c0d8f6f2a4f7f1d9a35"


class TimedRedisStore(RedisResumeStore):
    """The store whose scripts ask a clock of the test's for the time."""

    clock = "local function clock() return tonumber(redis.call('GET', 'now')) end\n"

    def __init__(self, url: str, now: Callable[[], float], keys: tuple[str, ...] = (KEY,)) -> None:
        super().__init__(url, "voice", Seal(keys))
        self._now = now

    async def _run(self, *question: Any) -> Any:
        await self._clients.client().set("now", round(self._now() * 1000))
        return await super()._run(*question)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
async def store(request: Any, clock: Clock) -> AsyncIterator[ResumeStore]:
    if request.param == "memory":
        yield MemoryResumeStore(clock)
        return
    server = request.getfixturevalue("redis")
    store = TimedRedisStore(server.url, clock)
    yield store
    await store.close()


async def test_who_brings_the_token_gets_the_conversation_once(store):
    assert await store.keep(SESSION, KEPT)
    assert await store.take(SESSION, ANN, "digest") == KEPT
    assert await store.take(SESSION, ANN, "digest") is None


async def test_it_waits_a_minute_from_the_last_time_that_it_was_kept(store, clock):
    await store.keep(SESSION, KEPT)
    clock.now += KEPT_SECONDS - 1
    await store.keep(SESSION, KEPT)
    clock.now += KEPT_SECONDS - 0.001
    assert await store.take(SESSION, ANN, "digest") == KEPT
    await store.keep("next", KEPT)
    clock.now += KEPT_SECONDS
    assert await store.take("next", ANN, "digest") is None


async def test_the_newest_text_is_kept_and_the_first_token(store):
    """A token that was reissued meanwhile stays good: whoever keeps does not know of it."""
    await store.keep(SESSION, KEPT)
    await store.keep(SESSION, replace(KEPT, digest="another", text="what was said since"))
    assert await store.take(SESSION, ANN, "another") is None
    assert await store.take(SESSION, ANN, "digest") == replace(KEPT, text="what was said since")


@pytest.mark.parametrize(
    ("holder", "digest"),
    [
        (ANN, "wrong"),
        (replace(ANN, user_id="2"), "digest"),
        (replace(ANN, origin="https://evil.example"), "digest"),
        (replace(ANN, origin=""), "digest"),
    ],
    ids=["token", "user", "origin", "no origin"],
)
async def test_who_brings_something_else_gets_nothing_and_spoils_nothing(store, holder, digest):
    await store.keep(SESSION, KEPT)
    assert await store.take(SESSION, holder, digest) is None
    assert await store.take(SESSION, ANN, "digest") == KEPT


async def test_a_token_is_good_for_its_own_conversation_only(store):
    await store.keep(SESSION, KEPT)
    await store.keep("other", replace(KEPT, digest="other's"))
    assert await store.take("other", ANN, "digest") is None
    assert await store.take("nobody's", ANN, "digest") is None


async def test_the_session_that_it_was_taken_from_keeps_nothing_any_more(store, clock):
    """Its server may believe for a while that the visitor is still there, or be paused for any time."""
    await store.keep(SESSION, KEPT)
    await store.take(SESSION, ANN, "digest")
    clock.now += CLOSED_SECONDS - 1
    assert not await store.keep(SESSION, KEPT)
    assert await store.take(SESSION, ANN, "digest") is None


async def test_what_was_taken_in_vain_is_given_back(store, clock):
    await store.keep(SESSION, KEPT)
    taken = await store.take(SESSION, ANN, "digest")
    await store.give_back(SESSION, taken)
    clock.now += KEPT_SECONDS - 1
    assert await store.take(SESSION, ANN, "digest") == KEPT


async def test_the_page_gets_a_token_anew_which_replaces_the_old_one_and_prolongs_nothing(store, clock):
    await store.keep(SESSION, KEPT)
    clock.now += KEPT_SECONDS - 1
    assert await store.reissue(SESSION, ANN, "anew")
    assert await store.take(SESSION, ANN, "digest") is None
    assert await store.take(SESSION, ANN, "anew") == replace(KEPT, digest="anew")
    await store.keep("next", KEPT)
    clock.now += KEPT_SECONDS - 1
    assert await store.reissue("next", ANN, "anew")
    clock.now += 1
    assert await store.take("next", ANN, "anew") is None


@pytest.mark.parametrize("change", [{"user_id": "2"}, {"origin": "https://evil.example"}, {"browser": "browser-2"}])
async def test_another_page_gets_none(store, change):
    await store.keep(SESSION, KEPT)
    assert not await store.reissue(SESSION, replace(ANN, **change), "anew")
    assert await store.take(SESSION, ANN, "digest") == KEPT


async def test_a_program_which_has_no_django_session_gets_none_anew(store):
    program = Holder("1")
    await store.keep(SESSION, replace(KEPT, holder=program))
    assert not await store.reissue(SESSION, program, "anew")
    assert not await store.reissue("nobody's", ANN, "anew")
    assert await store.take(SESSION, program, "digest") is not None


async def test_what_is_forgotten_is_gone_and_stays_so(store):
    await store.keep(SESSION, KEPT)
    await store.forget(SESSION, "1")
    assert await store.take(SESSION, ANN, "digest") is None
    assert not await store.keep(SESSION, KEPT)
    await store.forget("nobody's", "1")


async def test_all_conversations_of_a_user_are_forgotten_and_nobody_elses(store, clock):
    await store.keep("expired", KEPT)
    clock.now += KEPT_SECONDS
    await store.keep("one", KEPT)
    await store.keep("two", KEPT)
    bob = Holder("2")
    await store.keep("bob's", Kept(bob, "digest", "his"))
    assert await store.forget_user("1") == 2
    assert [await store.take(session, ANN, "digest") for session in ("one", "two")] == [None, None]
    assert not await store.keep("one", KEPT), "also of one that still goes on"
    assert await store.take("bob's", bob, "digest") is not None
    assert await store.forget_user("1") == 0


# -- in Redis -----------------------------------------------------------------------------------------------------


async def test_redis_learns_nothing_of_what_was_said(redis, clock):
    redis.empty()
    store = TimedRedisStore(redis.url, clock)
    await store.keep(SESSION, replace(KEPT, text="Vélo cassé"))
    stored = redis.do("HGETALL", f"{{voice}}:conversation:{SESSION}")
    assert "Vélo" not in str(stored)
    assert 0 < redis.do("PTTL", f"{{voice}}:conversation:{SESSION}") <= KEPT_SECONDS * 1000
    await store.close()


async def test_a_key_that_was_replaced_opens_for_as_long_as_it_is_named(redis, clock):
    redis.empty()
    before, rotated, without = (
        TimedRedisStore(redis.url, clock, keys) for keys in ((KEY,), (OTHER_KEY, KEY), (OTHER_KEY,))
    )
    await before.keep("a", KEPT)
    await before.keep("b", KEPT)
    assert await rotated.take("a", ANN, "digest") == KEPT
    assert await without.take("b", ANN, "digest") is None
    for store in (before, rotated, without):
        await store.close()


async def test_what_was_moved_to_another_conversation_in_redis_does_not_open(redis, clock):
    redis.empty()
    store = TimedRedisStore(redis.url, clock)
    await store.keep("a", KEPT)
    redis.do("COPY", "{voice}:conversation:a", "{voice}:conversation:b")
    assert await store.take("b", ANN, "digest") is None
    await store.close()


async def test_a_redis_that_forgot_everything_is_told_anew_by_who_goes_on(redis, clock):
    redis.empty()
    store = TimedRedisStore(redis.url, clock)
    await store.keep(SESSION, KEPT)
    redis.empty()
    assert await store.keep(SESSION, KEPT)
    assert await store.take(SESSION, ANN, "digest") == KEPT
    await store.close()


async def test_a_redis_that_is_not_there_is_said_to_be_unavailable():
    store = RedisResumeStore("redis://127.0.0.1:1/0", "voice", Seal([KEY]))
    with pytest.raises(StoreUnavailable):
        await store.take(SESSION, ANN, "digest")
    await store.close()
