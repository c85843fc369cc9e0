"""What every admission store must do, said once for all of them, with the time under the test's control."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.memory import MemoryStore
from voice.admission.redis.store import RedisStore
from voice.admission.store import LEASE_SECONDS, AdmissionStore, Admitted, Refused, Renewal
from voice.protocol.outcomes import EndReason

T = TypeVar("T")

LIMITS = Limits()
HOUR_MS = int(HOUR_SECONDS * 1000)


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TimedRedisStore(RedisStore):
    """The store whose scripts ask a clock of the test's for the time, which each question brings along."""

    clock = "local function clock() return tonumber(redis.call('GET', 'now')) end\n"

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        super().__init__(url, "voice", self._no_history)
        self._now, self._told = now, -1.0

    async def _run(self, *question: Any) -> Any:
        if self._told != self._now():
            self._told = self._now()
            await self._clients.client().set("now", round(self._told * 1000))
        return await super()._run(*question)

    async def listeners(self) -> int:
        return (await self._clients.client().pubsub_numsub(self._channel))[0][1]

    @staticmethod
    async def _no_history(user_id: str) -> list[tuple[str, float]]:
        return []


@pytest.fixture(params=["memory", "redis"])
async def store(request: Any, clock: Clock) -> AsyncIterator[AdmissionStore]:
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    server = request.getfixturevalue("redis")
    store = TimedRedisStore(server.url, clock)
    yield store
    await store.close()


async def start(store: AdmissionStore, session_id: str, user_id: str = "u", limits: Limits = LIMITS) -> Any:
    return await store.acquire(session_id, user_id, limits)


async def listening(store: AdmissionStore) -> None:
    """Returns when the store would hear of a take-over."""
    while isinstance(store, TimedRedisStore) and not (await store.listeners()):  # noqa: ASYNC110 (another process)
        await asyncio.sleep(0.01)


# -- the hour -----------------------------------------------------------------------------------------------------


async def test_five_starts_fit_into_an_hour_and_the_sixth_is_told_when_it_fits(store, clock):
    for n in range(5):
        assert isinstance(await start(store, f"s{n}"), Admitted)
        await store.release(f"s{n}")
        clock.now += 60
    assert await start(store, "s5") == Refused(EndReason.RATE_LIMITED, HOUR_MS - 300_000)


async def test_the_hour_slides(store, clock):
    """A place comes back an hour after each start, not all of them at once."""
    for n in range(5):
        await start(store, f"s{n}")
        clock.now += 60
    clock.now += HOUR_SECONDS - 300
    assert isinstance(await start(store, "s5"), Admitted)
    assert await start(store, "s6") == Refused(EndReason.RATE_LIMITED, 60_000)


async def test_who_comes_back_when_told_is_admitted_and_a_moment_earlier_is_not(store, clock):
    for n in range(5):
        await start(store, f"s{n}")
    refused = await start(store, "s5")
    clock.now += refused.retry_after_ms / 1000 - 0.001
    assert isinstance(await start(store, "s5"), Refused)
    clock.now += 0.002
    assert isinstance(await start(store, "s5"), Admitted)


async def test_a_refusal_counts_nothing(store, clock):
    for n in range(5):
        await start(store, f"s{n}")
    for n in range(20):
        await start(store, f"again{n}")
    clock.now += HOUR_SECONDS
    assert isinstance(await start(store, "later"), Admitted)


async def test_another_user_has_an_hour_of_their_own(store):
    for n in range(5):
        await start(store, f"s{n}")
    assert isinstance(await start(store, "other", user_id="v"), Admitted)


async def test_a_limit_that_was_lowered_meanwhile_says_when_it_is_met(store, clock):
    for n in range(5):
        await start(store, f"s{n}")
        clock.now += 60
    lowered = Limits(sessions_per_user_per_hour=2)
    assert await store.peek("u", lowered) == Refused(EndReason.RATE_LIMITED, HOUR_MS - 120_000)


async def test_a_refunded_start_was_never_made(store):
    for n in range(5):
        await start(store, f"s{n}")
    await store.release("s4", refund=True)
    assert isinstance(await start(store, "s5"), Admitted)


async def test_a_start_is_not_refunded_after_a_take_over(store):
    """Else two tabs that displace each other would start for ever."""
    for n in range(5):
        await start(store, f"s{n}")
        await store.release(f"s{n - 1}", refund=True)
    assert isinstance(await start(store, "s5"), Refused)


async def test_an_address_has_an_hour_of_its_own_whoever_comes_from_it(store, clock):
    two = Limits(sessions_per_address_per_hour=2)
    for n, user in enumerate(["ann", "bob"]):
        assert isinstance(await store.acquire(f"s{n}", user, two, "192.0.2.1"), Admitted)
        clock.now += 60
    expected = Refused(EndReason.RATE_LIMITED, HOUR_MS - 120_000)
    assert await store.acquire("s2", "eve", two, "192.0.2.1") == expected
    assert await store.peek("eve", two, "192.0.2.1") == expected
    assert isinstance(await store.acquire("s2", "eve", two, "192.0.2.2"), Admitted)
    assert isinstance(await store.acquire("s3", "joe", two), Admitted)


async def test_who_is_refused_for_two_reasons_waits_for_the_later_one(store, clock):
    one = Limits(sessions_per_user_per_hour=1, sessions_per_address_per_hour=1)
    await store.acquire("a", "ann", one, "192.0.2.1")
    clock.now += 60
    await store.acquire("b", "bob", one, "192.0.2.2")
    expected = Refused(EndReason.RATE_LIMITED, HOUR_MS)
    assert await store.peek("ann", one, "192.0.2.2") == expected
    assert await store.peek("bob", one, "192.0.2.1") == expected


async def test_a_refund_counts_for_the_address_too(store):
    one = Limits(sessions_per_address_per_hour=1)
    await store.acquire("a", "ann", one, "192.0.2.1")
    await store.release("a", refund=True)
    assert await store.peek("bob", one, "192.0.2.1") is None


# -- live sessions ------------------------------------------------------------------------------------------------


async def test_the_newest_session_of_a_user_takes_the_lease_over(store):
    await start(store, "old")
    assert await start(store, "new") == Admitted(displaced=("old",))
    assert await store.renew("old") is Renewal.TAKEN
    assert await store.renew("new") is Renewal.KEPT


async def test_the_oldest_gives_way_where_several_are_allowed(store):
    two = Limits(sessions_per_user=2)
    assert await start(store, "a", limits=two) == Admitted()
    assert await start(store, "b", limits=two) == Admitted()
    assert await start(store, "c", limits=two) == Admitted(displaced=("a",))


async def test_the_displaced_session_does_not_end_its_successor(store):
    """It releases its lease as any session does at its end; but that lease is no longer its own."""
    await start(store, "old")
    await start(store, "new")
    await store.release("old")
    assert await store.renew("new") is Renewal.KEPT


async def test_the_site_has_places_for_so_many(store):
    site = Limits(sessions=2)
    await start(store, "a", "ann", site)
    await start(store, "b", "bob", site)
    assert await start(store, "c", "eve", site) == Refused(EndReason.OVERLOADED)
    await store.release("a")
    assert isinstance(await start(store, "c", "eve", site), Admitted)


async def test_a_take_over_needs_no_further_place(store):
    site = Limits(sessions=1)
    await start(store, "old", limits=site)
    assert await start(store, "new", limits=site) == Admitted(displaced=("old",))


async def test_a_session_that_the_site_refused_took_nothing_over_and_counts_nothing(store):
    site = Limits(sessions=1, sessions_per_user_per_hour=1)
    await start(store, "a", "ann", site)
    assert isinstance(await start(store, "b", "bob", site), Refused)
    await store.release("a")
    assert isinstance(await start(store, "b", "bob", site), Admitted)


async def test_zero_lifts_a_limit(store):
    free = Limits(sessions_per_user_per_hour=0, sessions_per_user=0, sessions=0)
    for n in range(50):
        assert await start(store, f"s{n}", limits=free) == Admitted()


# -- leases -------------------------------------------------------------------------------------------------------


async def test_a_lease_that_nobody_renews_frees_its_place(store, clock):
    """As after a killed process."""
    site = Limits(sessions=1)
    await start(store, "killed", "ann", site)
    clock.now += LEASE_SECONDS
    assert isinstance(await start(store, "next", "bob", site), Admitted)


async def test_a_lease_that_ended_cannot_be_renewed(store, clock):
    """A process that was paused past its lease must not wake up as a second holder."""
    await start(store, "paused")
    clock.now += LEASE_SECONDS
    assert await store.renew("paused") is Renewal.ENDED


async def test_renewing_prolongs_a_lease_without_end(store, clock):
    await start(store, "s")
    for _ in range(100):
        clock.now += LEASE_SECONDS - 1
        assert await store.renew("s") is Renewal.KEPT


async def test_asking_again_for_a_held_session_counts_nothing(store):
    """The answer to the first request may have been lost on its way."""
    for _ in range(10):
        assert await start(store, "same") == Admitted()
    for n in range(4):
        assert isinstance(await start(store, f"s{n}"), Admitted)


async def test_who_watches_a_lease_hears_of_the_take_over_and_who_no_longer_does_hears_nothing(store):
    heard: list[str] = []
    told = asyncio.Event()
    await start(store, "a")
    await start(store, "b", user_id="v")
    store.watch("b", lambda: (heard.append("b"), told.set()))
    store.watch("a", lambda: heard.append("a"))()
    await listening(store)
    await start(store, "a2")
    await start(store, "b2", user_id="v")
    async with asyncio.timeout(5):
        await told.wait()
    assert heard == ["b"]


# -- a conversation that goes on -----------------------------------------------------------------------------------


async def resume(store: AdmissionStore, session_id: str, continued: str, limits: Limits = LIMITS) -> Any:
    return await store.acquire(session_id, "u", limits, continued=continued)


async def test_who_goes_on_with_a_conversation_makes_no_start(store):
    for n in range(5):
        await start(store, f"s{n}")
    assert await resume(store, "s5", "s4") == Admitted(displaced=("s4",))
    await store.release("s5")
    assert await resume(store, "s6", "s5") == Admitted()
    assert isinstance(await start(store, "s7"), Refused)


async def test_who_goes_on_takes_the_lease_of_the_session_that_it_continues_over_and_no_other(store):
    """Also where the user has a place left, and where another session of theirs is older."""
    three = Limits(sessions_per_user=3)
    await start(store, "other", limits=three)
    await start(store, "half-open", limits=three)
    assert await resume(store, "next", "half-open", three) == Admitted(displaced=("half-open",))
    assert await store.renew("half-open") is not Renewal.KEPT
    assert await store.renew("other") is Renewal.KEPT


async def test_who_goes_on_in_a_full_site_needs_the_place_that_the_session_had(store):
    site = Limits(sessions=1)
    await start(store, "a", limits=site)
    assert await resume(store, "b", "a", site) == Admitted(displaced=("a",))
    await store.release("b")
    await start(store, "someone else's", "bob", site)
    assert await resume(store, "c", "b", site) == Refused(EndReason.OVERLOADED)


async def test_nobody_takes_over_what_is_another_users(store):
    await start(store, "a", "ann")
    assert await store.acquire("b", "bob", LIMITS, continued="a") == Admitted()
    assert await store.renew("a") is Renewal.KEPT


async def test_a_session_that_went_on_gives_no_start_back(store):
    for n in range(5):
        await start(store, f"s{n}")
    await resume(store, "s5", "s4")
    await store.release("s5", refund=True)
    assert isinstance(await start(store, "s6"), Refused)


# -- looking ahead, and tickets -----------------------------------------------------------------------------------


async def test_a_peek_says_what_the_door_would_say_and_changes_nothing(store):
    for _ in range(20):
        assert await store.peek("u", LIMITS) is None
    for n in range(5):
        await start(store, f"s{n}")
    assert await store.peek("u", LIMITS) == Refused(EndReason.RATE_LIMITED, HOUR_MS)


async def test_a_live_session_elsewhere_is_no_reason_to_refuse_a_ticket(store):
    await start(store, "old")
    assert await store.peek("u", LIMITS) is None
    assert await store.renew("old") is Renewal.KEPT


async def test_a_store_that_is_there_says_so_and_counts_nothing(store):
    await store.ping()
    assert isinstance(await start(store, "s1", limits=Limits(sessions_per_user_per_hour=1)), Admitted)


async def test_a_ticket_is_spent_once(store, clock):
    assert await store.spend("ticket", 30)
    assert not await store.spend("ticket", 30)
    clock.now += 29
    assert not await store.spend("ticket", 30)
    assert await store.spend("another", 30)


async def test_showing_a_spent_ticket_does_not_prolong_its_memory(store, clock):
    await store.spend("ticket", 30)
    clock.now += 29
    await store.spend("ticket", 30)
    clock.now += 1
    assert await store.spend("ticket", 30)


# -- against a model ----------------------------------------------------------------------------------------------

USERS, ADDRESSES = ["ann", "bob"], ["", "192.0.2.1", "192.0.2.2"]
TERMS = [
    Limits(sessions_per_user_per_hour=2),
    Limits(sessions_per_user_per_hour=3, sessions_per_user=2, sessions=3, sessions_per_address_per_hour=4),
    Limits(sessions_per_user_per_hour=0, sessions=1),
    Limits(sessions_per_user_per_hour=2, sessions_per_user=0, sessions_per_address_per_hour=2),
]
visitors = st.tuples(st.sampled_from(USERS), st.sampled_from(ADDRESSES))


@dataclass
class Session:
    """What the list says of one."""

    name: str
    user: str
    address: str
    limits: Limits
    at: float
    until: float
    released: bool = False
    refunded: bool = False
    """Its start does not count: given back, or never made."""


class AgainstAListOfWhatHappened(RuleBasedStateMachine):
    """The store answers as if it kept a list of all that happened and read it from the start each time."""

    make: Callable[[Clock], AdmissionStore]

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = type(self).make(self.clock)
        self.sessions: list[Session] = []
        self.spent: list[tuple[str, float]] = []
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.ask(self.store.close())
        self.runner.close()

    def ask(self, question: Awaitable[T]) -> T:
        async def asked() -> T:
            return await question

        return self.runner.run(asked())

    # What the list says.

    def live(self, user: str | None = None) -> list[Session]:
        now = self.clock.now
        return [s for s in self.sessions if s.until > now and not s.released and user in (None, s.user)]

    def losers(self, user: str, limits: Limits) -> list[Session]:
        mine = self.live(user)
        surplus = len(mine) - (limits.sessions_per_user - 1)
        return mine[:surplus] if limits.sessions_per_user and surplus > 0 else []

    def refusal(self, user: str, address: str, limits: Limits) -> EndReason | None:
        recent = [s for s in self.sessions if s.at + HOUR_SECONDS > self.clock.now and not s.refunded]
        of_user = sum(s.user == user for s in recent)
        from_address = sum(s.address == address != "" for s in recent)
        if 0 < limits.sessions_per_user_per_hour <= of_user or 0 < limits.sessions_per_address_per_hour <= from_address:
            return EndReason.RATE_LIMITED
        if limits.sessions and len(self.live()) - len(self.losers(user, limits)) >= limits.sessions:
            return EndReason.OVERLOADED
        return None

    # What happens.

    @rule(visitor=visitors, limits=st.sampled_from(TERMS))
    def acquire(self, visitor: tuple[str, str], limits: Limits) -> None:
        (user, address), name, now = visitor, f"s{len(self.sessions)}", self.clock.now
        refusal, losers = self.refusal(user, address, limits), self.losers(user, limits)
        answer = self.ask(self.store.acquire(name, user, limits, address))
        if refusal:
            assert isinstance(answer, Refused)
            assert answer.reason is refusal
            self.check_retry(answer, user, address, limits)
            return
        assert answer == Admitted(tuple(loser.name for loser in losers))
        for loser in losers:
            loser.until = now
        self.sessions.append(Session(name, user, address, limits, now, now + LEASE_SECONDS))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), limits=st.sampled_from(TERMS))
    def go_on(self, data: st.DataObject, limits: Limits) -> None:
        before, name = data.draw(st.sampled_from(self.sessions)), f"s{len(self.sessions)}"
        handed_over = [before] if before in self.live() else []
        free = len(self.live()) - len(self.losers(before.user, limits)) < limits.sessions
        answer = self.ask(self.store.acquire(name, before.user, limits, before.address, before.name))
        if limits.sessions and not handed_over and not free:
            assert answer == Refused(EndReason.OVERLOADED)
            return
        for loser in handed_over:
            loser.until = self.clock.now
        losers = self.losers(before.user, limits)
        for loser in losers:
            loser.until = self.clock.now
        assert answer == Admitted(tuple(loser.name for loser in handed_over + losers))
        until = self.clock.now + LEASE_SECONDS
        session = Session(name, before.user, before.address, limits, self.clock.now, until, refunded=True)
        self.sessions.append(session)

    def check_retry(self, answer: Refused, user: str, address: str, limits: Limits) -> None:
        if answer.reason is not EndReason.RATE_LIMITED:
            assert answer.retry_after_ms is None
            return
        assert answer.retry_after_ms is not None
        now = self.clock.now
        self.clock.now = now + answer.retry_after_ms / 1000 - 0.002
        assert self.refusal(user, address, limits) is EndReason.RATE_LIMITED
        self.clock.now = now + answer.retry_after_ms / 1000
        assert self.refusal(user, address, limits) is not EndReason.RATE_LIMITED
        self.clock.now = now

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def acquire_again(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.live()))
        answer = self.ask(self.store.acquire(session.name, session.user, session.limits, session.address))
        assert answer == Admitted()
        session.until = self.clock.now + LEASE_SECONDS

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.sessions))
        if session in self.live():
            session.until = self.clock.now + LEASE_SECONDS
            expected = Renewal.KEPT
        else:
            taken = self.losers(session.user, session.limits) and not session.released
            expected = Renewal.TAKEN if taken else Renewal.ENDED
        assert self.ask(self.store.renew(session.name)) is expected

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), refund=st.booleans())
    def release(self, data: st.DataObject, refund: bool) -> None:
        session = data.draw(st.sampled_from(self.sessions))
        session.refunded |= refund and session in self.live()
        session.released = True
        self.ask(self.store.release(session.name, refund))

    @rule(jti=st.sampled_from("xyz"))
    def spend(self, jti: str) -> None:
        known = any(j == jti and until > self.clock.now for j, until in self.spent)
        if not known:
            self.spent.append((jti, self.clock.now + 30))
        assert self.ask(self.store.spend(jti, 30)) is not known

    @rule(seconds=st.sampled_from([0.5, 7.0, LEASE_SECONDS, 30.0, 1000.0, HOUR_SECONDS - 1, HOUR_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def a_peek_agrees(self) -> None:
        questions = [(user, at, limits) for user, at in zip(USERS, ADDRESSES[1:], strict=True) for limits in TERMS]

        async def answers() -> list[Refused | None]:
            return [await self.store.peek(user, limits, address) for user, address, limits in questions]

        for (user, address, limits), answer in zip(questions, self.ask(answers()), strict=True):
            assert (answer and answer.reason) == self.refusal(user, address, limits)


@pytest.mark.parametrize("backend", ["memory", "redis"])
def test_against_a_list(backend: str, request: Any) -> None:
    class Machine(AgainstAListOfWhatHappened):
        @staticmethod
        def make(clock: Clock) -> AdmissionStore:
            if backend == "memory":
                return MemoryStore(clock)
            redis.do("FLUSHDB")
            return TimedRedisStore(redis.url, clock)

    redis = request.getfixturevalue("redis") if backend == "redis" else None
    examples = 100 if backend == "memory" else 30  # each of its steps takes some ten questions over a socket
    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None))
