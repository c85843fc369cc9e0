"""Three server processes, one database and one Valkey: what is exact across them, and what becomes of it in trouble.

Times are bounded at three times what was measured where a machine's pace is in them, and printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.client import VoiceClient
from tests.realtime_server import Answer, RealtimeServer
from tests.several import crowd
from tests.several import site as several
from tests.several.site import ORIGIN, Person, Site
from voice.admission.limits import Limits
from voice.admission.redis.store import RedisStore
from voice.admission.store import LEASE_SECONDS
from voice.protocol.outcomes import EndReason

pytestmark = pytest.mark.asyncio(loop_scope="module")

RACES = int(os.environ.get("RACES", "1"))
"""How often the race for five starts is run."""
ONE_PLACE = Limits(sessions=1, sessions_per_user_per_hour=0)


@dataclass(frozen=True)
class World:
    """What there is."""

    site: Site
    upstream: RealtimeServer
    store: RedisStore
    """The test's own eye on what the processes share."""

    def client(self, person: Person, process: int, **options: Any) -> VoiceClient:
        """A client of a process."""
        return VoiceClient(self.site.processes[process].url, person.token, **options)

    async def somebody_talks(self) -> bool:
        """Whether any lease is held."""
        refused = await self.store.peek("nobody", ONE_PLACE)
        return refused is not None and refused.reason is EndReason.OVERLOADED


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("several")
    async with RealtimeServer() as upstream:
        running = several.running(folder, 3, OPENAI_BASE_URL=upstream.url)
        site = await asyncio.to_thread(running.__enter__)
        store = RedisStore(site.redis.url, "voice", _nothing)
        try:
            yield World(site, upstream, store)
        finally:
            await store.close()
            await asyncio.to_thread(running.__exit__, None, None, None)
    assert " ERROR voice" not in site.log()


async def _nothing(user_id: str) -> list[tuple[str, float]]:
    return []


async def until(happened: Callable[[], Awaitable[bool]], within: float) -> float:
    """Wait until it has; returns how many seconds that took."""
    begun = time.monotonic()
    while not await happened():
        assert time.monotonic() - begun < within
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


# -- all at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("race", range(RACES))
async def test_of_200_dials_of_one_user_exactly_five_are_admitted_and_everybody_is_told(
    world: World, race: int
) -> None:
    (person,) = await asyncio.to_thread(world.site.people, f"racer{race}")
    offered = ["voice.v1", f"voice.bearer.{person.token}"]
    calls: list[crowd.Call] = [(world.site.processes[n % 3].url, offered, None) for n in range(200)]
    begun = time.monotonic()
    endings = Counter(await asyncio.to_thread(crowd.dial, calls, 8, 1))
    print(f"200 dials: {time.monotonic() - begun:.1f} s, {endings}")
    told: Counter[str | None] = Counter()
    for (reason, code), count in endings.items():
        told[reason] += count
        # Who was told may yet have lost the close frame, where the server's loop stood still for a second.
        assert reason is not None, endings
        assert code in (EndReason(reason).ending.code, 1006), endings
    assert world.site.redis.do("ZCARD", f"{{voice}}:starts:user:{person.pk}") == 5
    busy = told.pop("overloaded", 0)  # a database that took more than two seconds, or none
    assert set(told) == {"rate_limited", "concurrent", "client_hangup"}
    assert 5 - busy <= told["concurrent"] + told["client_hangup"] <= 5


async def test_of_tickets_that_are_each_shown_to_all_processes_at_once_each_is_good_once(world: World) -> None:
    (person,) = await asyncio.to_thread(world.site.people, "tickets", tickets=67)
    calls: list[crowd.Call] = [
        (process.url, ["voice.v1", f"voice.bearer.{ticket}"], ORIGIN)
        for ticket in person.tickets
        for process in world.site.processes
    ]
    told = [reason for reason, _ in await asyncio.to_thread(crowd.dial, calls, 8, 1)]
    print(f"{len(calls)} dials with {len(person.tickets)} tickets: {Counter(told)}")
    # A server that is busy says so, and does not look at the ticket, or not any more.
    assert set(told) <= {"unauthenticated", "overloaded", "rate_limited", "concurrent", "client_hangup"}
    for n in range(0, len(told), 3):
        assert told[n : n + 3].count("unauthenticated") + told[n : n + 3].count("overloaded") >= 2
    assert told.count("unauthenticated") > len(person.tickets)


async def test_a_refused_client_that_is_busy_for_seconds_before_its_first_message_is_told_all_the_same(
    world: World,
) -> None:
    """Daphne would reset its connection a second after the close; then its own message finds it broken."""
    (person,) = await asyncio.to_thread(world.site.people, "busy")
    for n in range(5):
        await world.store.acquire(f"busy{n}", str(person.pk), Limits())
        await world.store.release(f"busy{n}")
    async with world.client(person, 0, start=False) as client:
        time.sleep(2)  # noqa: ASYNC251 (nothing runs meanwhile: that is the point)
        await client.tell(type="start")
        ending = await client.ending()
        assert (ending["reason"], await client.closed()) == ("rate_limited", 4429)


# -- Redis in trouble ---------------------------------------------------------------------------------------------


async def test_while_redis_is_down_those_who_talk_go_on_nobody_is_admitted_and_then_all_is_as_before(
    world: World,
) -> None:
    talker, newcomer, frequent = await asyncio.to_thread(world.site.people, "talker", "newcomer", "frequent")
    for n in range(5):
        async with world.client(frequent, n % 3) as client:
            await client.until("session.ready")
            await client.end()
    async with world.client(talker, 0) as talking:
        await talking.until("session.ready")
        world.site.redis.kill()
        async with world.client(newcomer, 1) as refused:
            ending = await refused.ending()
            assert (ending["code"], ending["reason"], ending["retry"]) == (4513, "overloaded", "backoff")
        await talking.ask("Are you still there?")
        await talking.until("turn.done")

        world.site.redis.start()  # as empty as a new one
        async with world.client(newcomer, 1) as admitted:
            await admitted.until("session.ready")
            await admitted.end()
        print(f"the lease is held again after {await until(world.somebody_talks, 15):.1f} s")
        await talking.ask("And now?")
        await talking.until("turn.done", after=talking.all("turn.done")[0])
        assert (await talking.end())["reason"] == "client_hangup"
    async with world.client(frequent, 2) as refused:
        ending = await refused.ending()
        assert (ending["code"], ending["reason"], ending["retry"]) == (4429, "rate_limited", "after")
        assert 0 < ending["retry_after_ms"] <= 3_600_000


async def test_a_redis_that_answers_nothing_refuses_within_seconds_and_stops_nobody(world: World) -> None:
    talker, newcomer = await asyncio.to_thread(world.site.people, "talker2", "newcomer2")
    async with world.client(talker, 0) as talking:
        await talking.until("session.ready")
        world.site.redis.freeze()
        begun = time.monotonic()
        async with world.client(newcomer, 1) as refused:
            assert (await refused.ending())["reason"] == "overloaded"
        print(f"refused after {time.monotonic() - begun:.1f} s")
        assert time.monotonic() - begun < 3 * 2
        await talking.ask("Are you still there?")
        await talking.until("turn.done")
        world.site.redis.thaw()
        async with world.client(newcomer, 1) as admitted:
            await admitted.until("session.ready")
            await admitted.end()
        await talking.end()


# -- processes in trouble: the last test, it spoils two of them ---------------------------------------------------


async def test_a_killed_process_frees_its_places_and_a_paused_one_does_not_act_when_it_wakes(world: World) -> None:
    killed, replaced, forgotten = await asyncio.to_thread(world.site.people, "killed", "replaced", "forgotten")
    world.upstream.script.answers.append(Answer("word " * 100))
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await (await enter(world.client(killed, 0))).until("session.ready")
        old = await enter(world.client(replaced, 1))
        await old.until("session.ready")
        upstream_of_old = world.upstream.session
        await old.ask("Tell me everything.")
        await old.until("audio")
        other = await enter(world.client(forgotten, 1))
        await other.until("session.ready")
        upstream_of_other = world.upstream.session
        await other.say(bytes(48_000))

        world.site.processes[0].send(signal.SIGKILL)
        world.site.processes[1].send(signal.SIGSTOP)

        async def nobody_talks() -> bool:
            return not await world.somebody_talks()

        print(f"places are free {await until(nobody_talks, LEASE_SECONDS + 5):.1f} s after kill -9 and SIGSTOP")
        new = await enter(world.client(replaced, 2))
        await new.until("session.ready")

        heard = len(old.received), len(other.received)
        sent = len(upstream_of_old.received), len(upstream_of_other.received)
        world.site.processes[1].send(signal.SIGCONT)
        endings = await old.ending(), await other.ending()
        assert [(each["code"], each["reason"]) for each in endings] == [(4409, "concurrent"), (4500, "lease_lost")]
        assert not [
            frame for frame in (*old.received[heard[0] :], *other.received[heard[1] :]) if frame.type == "audio"
        ]
        assert (len(upstream_of_old.received), len(upstream_of_other.received)) == sent

        await new.ask("Is it me whom you hear?")
        await new.until("turn.done")
        assert (await new.end())["reason"] == "client_hangup"
    assert world.site.reasons(replaced) == ["concurrent", "client_hangup"]
    assert world.site.reasons(forgotten) == ["lease_lost"]
