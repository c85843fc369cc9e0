"""What only the store in Redis has to master: a Redis that forgets, is away or is slow, and several event loops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync

from tests.redis_server import RedisServer
from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.redis.store import RedisStore
from voice.admission.store import ANSWER_SECONDS, Admitted, Refused, Renewal, StoreUnavailable
from voice.protocol.outcomes import EndReason

LIMITS = Limits()
TWO = Limits(sessions_per_user_per_hour=2)


class Records:
    """What the site's records say of everybody's last hour."""

    def __init__(self) -> None:
        self.starts: list[tuple[str, float]] = []
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, user_id: str) -> list[tuple[str, float]]:
        self.asked += 1
        await self.answering.wait()
        return self.starts


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
async def store(redis: RedisServer, records: Records) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis.url, "voice", records)
    yield store
    await store.close()


# -- a Redis that forgot ------------------------------------------------------------------------------------------


async def test_a_redis_that_was_emptied_learns_a_users_hour_from_the_records(store, redis, records):
    now = time.time()
    records.starts = [("a", now - 600), ("b", now - 60)]
    refused = await store.acquire("c", "u", TWO)
    assert refused.reason is EndReason.RATE_LIMITED
    assert refused.retry_after_ms == pytest.approx((HOUR_SECONDS - 600) * 1000, abs=5_000)
    assert (await store.peek("u", TWO)).reason is EndReason.RATE_LIMITED


async def test_what_left_the_hour_is_not_learnt_and_what_a_clock_ahead_wrote_counts_as_now(store, records):
    now = time.time()
    records.starts = [("old", now - HOUR_SECONDS - 1), ("ahead", now + 600)]
    refused = await store.peek("u", Limits(sessions_per_user_per_hour=1))
    assert refused.retry_after_ms <= HOUR_SECONDS * 1000
    assert await store.peek("u", TWO) is None


async def test_two_processes_that_learn_it_at_the_same_time_count_once(redis, records):
    records.starts = [("a", time.time() - 60)]
    records.answering.clear()
    stores = [RedisStore(redis.url, "voice", records) for _ in range(8)]
    asking = [asyncio.create_task(each.peek("u", TWO)) for each in stores]
    while records.asked < len(stores):  # noqa: ASYNC110 (nobody announces it)
        await asyncio.sleep(0.01)
    records.answering.set()
    assert await asyncio.gather(*asking) == [None] * len(stores)
    for each in stores:
        await each.close()


async def test_the_records_are_asked_once_for_a_user(store, records):
    for n in range(5):
        await store.acquire(f"s{n}", "u", LIMITS)
    assert records.asked == 1


async def test_an_hour_after_it_was_emptied_it_knows_everything_itself(store, redis, records):
    redis.do("SET", "{voice}:epoch", round((time.time() - HOUR_SECONDS) * 1000))
    await store.acquire("s", "u", LIMITS)
    assert records.asked == 0


async def test_without_the_records_nobody_is_admitted(store, records):
    async def away(user_id: str) -> list[tuple[str, float]]:
        raise StoreUnavailable("the records cannot be read")

    store._history = away
    with pytest.raises(StoreUnavailable):
        await store.acquire("s", "u", LIMITS)


async def test_records_that_hang_are_not_waited_for_beyond_the_limit(store, records):
    records.answering.clear()
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.peek("u", LIMITS)
    assert time.monotonic() - begun < 3 * ANSWER_SECONDS


async def test_a_lease_that_was_forgotten_is_taken_again_by_its_holder(store, redis):
    await store.acquire("s", "u", LIMITS)
    redis.empty()
    assert await store.renew("s") is Renewal.KEPT
    assert await store.renew("s") is Renewal.KEPT
    assert await store.peek("somebody", Limits(sessions=1)) == Refused(EndReason.OVERLOADED)


async def test_a_lease_that_was_forgotten_yields_to_whoever_was_admitted_since(store, redis):
    await store.acquire("old", "u", LIMITS)
    redis.empty()
    assert await store.acquire("new", "u", LIMITS) == Admitted()
    assert await store.renew("old") is Renewal.TAKEN
    assert await store.renew("new") is Renewal.KEPT


async def test_a_lease_that_was_forgotten_is_over_where_the_site_has_filled_up(store, redis):
    one = Limits(sessions=1)
    await store.acquire("old", "ann", one)
    redis.empty()
    await store.acquire("new", "bob", one)
    assert await store.renew("old") is Renewal.ENDED


async def unanswered(store: RedisStore, redis: RedisServer, session_id: str) -> None:
    """Redis stands still, longer than the lease, but for what it says in between."""
    redis.freeze()
    try:
        with pytest.raises(StoreUnavailable):
            await store.renew(session_id)
    finally:
        redis.thaw()
    redis.do("ZADD", "{voice}:leases", 1, session_id)


async def test_a_lease_that_ran_out_while_nobody_was_answered_is_taken_again_by_its_holder(store, redis):
    """A failover may take longer than a lease, and nobody else was admitted meanwhile."""
    await store.acquire("s", "u", LIMITS)
    await unanswered(store, redis, "s")
    assert await store.renew("s") is Renewal.KEPT
    assert await store.peek("somebody", Limits(sessions=1)) == Refused(EndReason.OVERLOADED)


async def test_a_lease_that_ran_out_so_yields_to_whoever_was_admitted_since(store, redis):
    await store.acquire("old", "u", LIMITS)
    await unanswered(store, redis, "old")
    assert await store.acquire("new", "u", LIMITS) == Admitted()
    assert await store.renew("old") is Renewal.TAKEN
    assert await store.renew("old") is Renewal.TAKEN


async def test_a_lease_that_was_confirmed_again_runs_out_as_any_other(store, redis):
    await store.acquire("s", "u", LIMITS)
    await unanswered(store, redis, "s")
    await store.renew("s")
    redis.do("ZADD", "{voice}:leases", 1, "s")
    assert await store.renew("s") is Renewal.ENDED
    assert await store.renew("s") is Renewal.ENDED


async def test_a_released_session_does_not_come_back(store, redis):
    await store.acquire("s", "u", LIMITS)
    await store.release("s")
    redis.empty()
    assert await store.renew("s") is Renewal.ENDED


async def test_flushed_scripts_are_given_again(store, redis):
    await store.acquire("a", "u", LIMITS)
    redis.do("SCRIPT", "FLUSH")
    assert await store.renew("a") is Renewal.KEPT


async def test_everything_expires_by_itself_and_lies_in_one_slot(store, redis):
    await store.acquire("a", "u", LIMITS, "192.0.2.1")
    await store.acquire("b", "u", LIMITS)
    await store.spend("ticket", 30)
    keys = redis.do("KEYS", "*")
    assert len(keys) == 7
    assert len({redis.do("CLUSTER", "KEYSLOT", key) for key in keys}) == 1
    assert all(0 < redis.do("PTTL", key) <= 2 * HOUR_SECONDS * 1000 for key in keys)


async def test_two_sites_share_a_redis_and_nothing_else(store, redis, records):
    other = RedisStore(redis.url, "other", records)
    one = Limits(sessions=1)
    await store.acquire("a", "u", one)
    assert await other.acquire("b", "u", one) == Admitted()
    await other.close()


# -- a Redis in trouble -------------------------------------------------------------------------------------------


async def test_a_redis_that_is_away_is_unavailable_and_good_again_when_it_is_back(store, redis):
    await store.acquire("a", "u", LIMITS)
    redis.kill()
    questions = (
        lambda: store.acquire("b", "u", LIMITS),
        lambda: store.peek("u", LIMITS),
        lambda: store.renew("a"),
        lambda: store.spend("t", 30),
        lambda: store.release("a"),
    )
    begun = time.monotonic()
    for question in questions:
        with pytest.raises(StoreUnavailable):
            await question()
    assert time.monotonic() - begun < len(questions) * ANSWER_SECONDS
    redis.start()
    assert isinstance(await store.acquire("b", "u", LIMITS), Admitted)


async def test_a_redis_that_answers_nothing_is_unavailable_within_the_limit_however_many_ask(store, redis):
    await store.peek("u", LIMITS)
    redis.freeze()
    try:
        begun = time.monotonic()
        asked = [store.acquire(f"s{n}", "u", LIMITS) for n in range(200)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        took = time.monotonic() - begun
    finally:
        redis.thaw()
    print(f"200 questions to a frozen Redis: {took:.1f} s")
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert took < 3 * ANSWER_SECONDS


async def test_an_answer_that_came_too_late_is_nobody_elses(store, redis):
    await store.acquire("a", "u", LIMITS)
    redis.freeze()
    try:
        with pytest.raises(StoreUnavailable):
            await store.renew("a")
        cancelled = asyncio.create_task(store.renew("a"))
        await asyncio.sleep(0.1)
        cancelled.cancel()
        await asyncio.wait({cancelled})
    finally:
        redis.thaw()
    assert await store.spend("t", 30) is True
    assert await store.spend("t", 30) is False
    assert await store.renew("a") is Renewal.KEPT


async def test_take_overs_are_heard_again_after_redis_was_away(store, redis):
    heard = asyncio.Event()
    await store.acquire("old", "u", LIMITS)
    unwatch = store.watch("old", heard.set)

    async def listening() -> None:
        async with asyncio.timeout(10):
            while redis.do("PUBSUB", "NUMSUB", "{voice}:taken")[1] == 0:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)

    await listening()
    redis.kill()
    redis.start()
    await listening()
    assert await store.renew("old") is Renewal.KEPT
    assert await store.acquire("new", "u", LIMITS) == Admitted(("old",))
    async with asyncio.timeout(5):
        await heard.wait()
    unwatch()


async def test_nothing_is_left_when_nobody_watches_and_the_store_is_closed(store, redis):
    before = asyncio.all_tasks()
    await store.acquire("a", "u", LIMITS)
    unwatch = store.watch("a", lambda: None)
    unwatch()
    left = asyncio.all_tasks() - before
    if left:
        _, late = await asyncio.wait(left, timeout=5)
        assert not late
    await store.close()
    async with asyncio.timeout(5):
        while len(redis.do("CLIENT", "LIST").splitlines()) > 1:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


# -- several event loops ------------------------------------------------------------------------------------------


def test_each_event_loop_has_a_client_of_its_own_and_none_of_a_closed_loop_stays(redis, records):
    store = RedisStore(redis.url, "voice", records)
    spend = async_to_sync(store.spend)
    for n in range(20):
        assert spend(f"t{n}", 30)
    assert len(store._clients._of_loop) <= 2
    assert not spend("t0", 30)
    asyncio.run(store.close())


def test_who_admitted_a_session_renews_it_from_any_loop(redis, records):
    store = RedisStore(redis.url, "voice", records)
    asyncio.run(store.acquire("a", "u", LIMITS))
    assert asyncio.run(store.renew("a")) is Renewal.KEPT
    asyncio.run(store.release("a"))
