"""What every admission store must do, said once for all of them, with the time under the test's control."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.memory import MemoryStore
from voice.admission.store import LEASE_SECONDS, AdmissionStore, Admitted, Refused
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


@pytest.fixture(params=[MemoryStore], ids=["memory"])
def store(request: Any, clock: Clock) -> AdmissionStore:
    return request.param(clock)


async def start(store: AdmissionStore, session_id: str, user_id: str = "u", limits: Limits = LIMITS) -> Any:
    return await store.acquire(session_id, user_id, limits)


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


async def test_a_refund_gives_back_one_start(store):
    """A session's id may have been admitted before: that start stays counted."""
    two = Limits(sessions_per_user_per_hour=2)
    await start(store, "same", limits=two)
    await store.release("same")
    await start(store, "same", limits=two)
    await store.release("same", refund=True)
    assert isinstance(await start(store, "third", limits=two), Admitted)
    assert isinstance(await start(store, "fourth", limits=two), Refused)


# -- live sessions ------------------------------------------------------------------------------------------------


async def test_the_newest_session_of_a_user_takes_the_lease_over(store):
    await start(store, "old")
    assert await start(store, "new") == Admitted(displaced=("old",))
    assert not await store.renew("old")
    assert await store.renew("new")


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
    assert await store.renew("new")


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
    assert not await store.renew("paused")


async def test_renewing_prolongs_a_lease_without_end(store, clock):
    await start(store, "s")
    for _ in range(100):
        clock.now += LEASE_SECONDS - 1
        assert await store.renew("s")


async def test_asking_again_for_a_held_session_counts_nothing(store):
    """The answer to the first request may have been lost on its way."""
    for _ in range(10):
        assert await start(store, "same") == Admitted()
    for n in range(4):
        assert isinstance(await start(store, f"s{n}"), Admitted)


async def test_who_watches_a_lease_hears_of_the_take_over(store):
    heard: list[str] = []
    await start(store, "old")
    store.watch("old", lambda: heard.append("old"))
    await start(store, "new")
    assert heard == ["old"]


async def test_who_no_longer_watches_hears_nothing(store):
    heard: list[str] = []
    await start(store, "old")
    store.watch("old", lambda: heard.append("old"))()
    await start(store, "new")
    assert heard == []


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
    assert await store.renew("old")


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

USERS, SESSIONS = ["ann", "bob"], [f"s{n}" for n in range(3)]
TERMS = [Limits(2, 1, 0), Limits(3, 2, 3), Limits(0, 1, 1), Limits(2, 0, 0)]


class AgainstAListOfWhatHappened(RuleBasedStateMachine):
    """The store answers as if it kept a list of all that happened and read it from the start each time."""

    make: Callable[[Clock], AdmissionStore] = MemoryStore

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = type(self).make(self.clock)
        self.starts: list[tuple[str, str, float]] = []  # session, user, when
        self.held: list[tuple[str, str, float]] = []  # session, user, until
        self.spent: list[tuple[str, float]] = []
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.runner.close()

    def ask(self, question: Awaitable[T]) -> T:
        async def asked() -> T:
            return await question

        return self.runner.run(asked())

    def live(self) -> list[tuple[str, str, float]]:
        return [lease for lease in self.held if lease[2] > self.clock.now]

    def losers(self, user: str, limits: Limits) -> list[str]:
        mine = [session for session, holder, _ in self.live() if holder == user]
        surplus = len(mine) - (limits.sessions_per_user - 1)
        return mine[:surplus] if limits.sessions_per_user and surplus > 0 else []

    def refusal(self, user: str, limits: Limits) -> EndReason | None:
        recent = [s for s in self.starts if s[1] == user and s[2] + HOUR_SECONDS > self.clock.now]
        if limits.sessions_per_user_per_hour and len(recent) >= limits.sessions_per_user_per_hour:
            return EndReason.RATE_LIMITED
        if limits.sessions and len(self.live()) - len(self.losers(user, limits)) >= limits.sessions:
            return EndReason.OVERLOADED
        return None

    @rule(session=st.sampled_from(SESSIONS), user=st.sampled_from(USERS), limits=st.sampled_from(TERMS))
    def acquire(self, session: str, user: str, limits: Limits) -> None:
        session = f"{user}-{session}"  # a session belongs to one user
        expected = self.expected(session, user, limits)
        answer = self.ask(self.store.acquire(session, user, limits))
        if isinstance(expected, EndReason):
            assert isinstance(answer, Refused)
            assert answer.reason is expected
            self.check_retry(answer, user, limits)
        else:
            assert answer == Admitted(tuple(expected))

    def expected(self, session: str, user: str, limits: Limits) -> EndReason | list[str]:
        until = self.clock.now + LEASE_SECONDS
        if any(lease[0] == session for lease in self.live()):
            self.held = [(s, u, until if s == session else t) for s, u, t in self.held]
            return []
        refusal = self.refusal(user, limits)
        if refusal:
            return refusal
        losers = self.losers(user, limits)
        self.held = [lease for lease in self.live() if lease[0] not in losers] + [(session, user, until)]
        self.starts.append((session, user, self.clock.now))
        return losers

    def check_retry(self, answer: Refused, user: str, limits: Limits) -> None:
        if answer.reason is not EndReason.RATE_LIMITED:
            assert answer.retry_after_ms is None
            return
        assert answer.retry_after_ms is not None
        now = self.clock.now
        self.clock.now = now + answer.retry_after_ms / 1000 - 0.002
        assert self.refusal(user, limits) is EndReason.RATE_LIMITED
        self.clock.now = now + answer.retry_after_ms / 1000
        assert self.refusal(user, limits) is not EndReason.RATE_LIMITED
        self.clock.now = now

    @rule(user=st.sampled_from(USERS), session=st.sampled_from(SESSIONS))
    def renew(self, user: str, session: str) -> None:
        session = f"{user}-{session}"
        alive = any(lease[0] == session for lease in self.live())
        until = self.clock.now + LEASE_SECONDS
        self.held = [(s, u, until if s == session else t) for s, u, t in self.live()]
        assert self.ask(self.store.renew(session)) is alive

    @rule(user=st.sampled_from(USERS), session=st.sampled_from(SESSIONS), refund=st.booleans())
    def release(self, user: str, session: str, refund: bool) -> None:
        session = f"{user}-{session}"
        if refund and any(lease[0] == session for lease in self.live()):
            begun = max(at for s, _, at in self.starts if s == session)
            self.starts.remove((session, user, begun))
        self.held = [lease for lease in self.live() if lease[0] != session]
        self.ask(self.store.release(session, refund))

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
        for user in USERS:
            for limits in TERMS:
                answer = self.ask(self.store.peek(user, limits))
                assert (answer and answer.reason) == self.refusal(user, limits)


AgainstAListOfWhatHappened.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestMemoryAgainstAList = AgainstAListOfWhatHappened.TestCase
