"""The course of a soak: so many minutes of trouble, then peace, and what is left."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from websockets.exceptions import WebSocketException

from tests.client import VoiceClient
from tests.load.soak import SESSION_SECONDS, verdict
from tests.load.soak.faults import Trouble
from tests.load.soak.verdict import KINDS, Found
from tests.load.soak.visitors import WORDS, Register, Visitor
from tests.load.soak.watching import Watch
from tests.load.soak.world import World, world
from tests.realtime_server import RealtimeServer
from voice.admission.limits import Limits
from voice.admission.redis.store import RedisStore

KILL_SECONDS = 60.0
SHORT, HASTE = 3.0, 5
"""In fewer minutes, servers are killed, and presumed to be lost, so many times as soon."""
LONG = 5.0
"""Minutes from which on it can be seen whether memory grows."""
SLOPE_MB, SLOPE_FILES = 1.0, 1.0
"""By which it may grow in a minute."""
FILES_SPARE = 20
"""Files beyond those of before that an idle process may have open, its connections to Redis aside: a database's, for
each thread that has used it."""
PATIENCE, VISITS = 30.0, 3
"""Seconds for a visit that nothing disturbs, and how often it is tried."""
FINAL_SECONDS, LEASE_SECONDS, HANGUP_SECONDS = 60.0, 20.0, 15.0
"""When, after all of it, each record is final, no place is taken, and the upstream is left alone, at the latest."""


@dataclass(frozen=True)
class Outcome:
    """What it came to."""

    happened: Counter[str]
    """Faults."""
    counted: Counter[str]
    """What visitors did and were told."""
    reasons: Counter[str]
    """How sessions ended."""
    resumed: int
    unbilled: Counter[str]
    """Tokens that were billed upstream and are in no record."""
    growth: tuple[float, float]
    """Megabytes and files in a minute, of the process that was left alone."""
    final_seconds: float
    """Until every record was."""
    wrong: list[str]


async def run(folder: Path, minutes: float, visitors: int, seed: int) -> Outcome:
    """All of it: so many minutes of trouble, and about one of peace. What the processes leave is in ``folder``."""
    async with world(folder, visitors, hasty=minutes < SHORT) as there:
        return await _run(there, minutes, seed)


async def _run(there: World, minutes: float, seed: int) -> Outcome:
    assert there.steady.popen is not None
    register, trouble, watch = Register(), Trouble(seed, Counter()), Watch(there.steady.popen.pid)
    wrong = [each async for each in _welcomed(there)]
    idle = _files(there, watch)
    await _troubled(there, trouble, register, watch, minutes)
    over = time.monotonic()
    wrong += [each async for each in _welcomed(there)]
    wrong += [each async for each in _at_peace(there)]
    final_seconds = time.monotonic() - over
    more = _files(there, watch) - idle
    await asyncio.to_thread(there.stop)
    found = Found(there.rows(), there.turns(), register.sessions, verdict.billed(there.upstream.sessions))
    growth = watch.growth(warm_up=minutes / 3)
    wrong += verdict.violations(found, SESSION_SECONDS)
    wrong += verdict.noise(there.site.log())
    wrong += _grown(growth, more, minutes)
    reasons = Counter(row["end_reason"] for row in found.rows.values())
    resumed = sum(bool(each.resumed_from) for each in register.sessions)
    wrong += _idle(trouble.happened, register, resumed, minutes)
    return Outcome(trouble.happened, register.counted, reasons, resumed, _unbilled(found), growth, final_seconds, wrong)


async def _troubled(there: World, trouble: Trouble, register: Register, watch: Watch, minutes: float) -> None:
    chance = random.Random(trouble.seed)
    kill_every = KILL_SECONDS / (HASTE if minutes < SHORT else 1)
    works = [trouble.on_link(name, link) for name, link in there.links().items()]
    works += [trouble.at_upstream(there.upstream), trouble.of_processes(there.mortal, kill_every)]
    works += [watch.run(), _forgetting(there.upstream)]
    visits = [Visitor(each, there.urls(), register, random.Random(chance.random())) for each in there.people]
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(work) for work in works]
        visiting = [tasks.create_task(visitor.come_and_go()) for visitor in visits]
        await asyncio.sleep(minutes * 60)
        for task in (*working, *visiting):
            task.cancel()
    for process in there.mortal:
        await asyncio.to_thread(process.wait)


async def _forgetting(upstream: RealtimeServer) -> None:
    """What the scripted service remembers for assertions would fill this process."""
    while True:
        await asyncio.sleep(5)
        upstream.handshakes.clear()
        for session in upstream.sessions:
            session.received.clear()
            session.sent.clear()


# -- what must be true when nothing disturbs any more ----------------------------------------------------------------


async def _welcomed(there: World) -> AsyncIterator[str]:
    """Whoever comes to any of the processes is answered; on a machine that has no time for them, at the third visit."""
    for n, url in enumerate(there.urls()):
        failure = "unasked"
        for _ in range(VISITS):
            failure = failure and await _answered(there, url)
        if failure:
            yield f"process {n} did not answer a visitor who came in peace: {failure}"


async def _answered(there: World, url: str) -> str:
    """What was wrong with a visit, if anything."""
    try:
        async with asyncio.timeout(PATIENCE), VoiceClient(url, there.witness.token) as client:
            ready = await client.until("session.ready", PATIENCE)
            await client.ask(f"{ready['session_id']} {WORDS}")
            await client.until("turn.done", PATIENCE, outcome="completed")
            await client.end()
    except (OSError, AssertionError, WebSocketException) as error:
        return repr(error)
    return ""


async def _at_peace(there: World) -> AsyncIterator[str]:
    def open_rows() -> int:
        return sum(row["ended_at"] is None for row in there.rows().values())

    store = RedisStore(there.site.redis.url, "voice", _nothing)
    try:
        if not await _within(FINAL_SECONDS, lambda: not open_rows()):
            yield f"{open_rows()} records are not final after {FINAL_SECONDS:.0f} s"
        if not await _within(HANGUP_SECONDS, lambda: not there.upstream.open):
            yield f"{there.upstream.open} connections to the upstream outlive their sessions"
        until = time.monotonic() + LEASE_SECONDS
        while await store.peek("nobody", Limits(sessions=1, sessions_per_user_per_hour=0)) is not None:
            if time.monotonic() > until:
                yield "a place is still taken"
                break
            await asyncio.sleep(0.5)
    finally:
        await store.close()
    redis = there.site.redis
    for key in redis.do("KEYS", "*"):
        if redis.do("TTL", key) == -1:
            yield f"{key} stays in Redis for ever"
    if there.spool.exists() and (waiting := list(there.spool.iterdir())):
        yield f"{len(waiting)} files are left in the spool"


async def _within(seconds: float, true: Callable[[], object]) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.3)
    return True


async def _nothing(user_id: str) -> list[tuple[str, float]]:
    return []


def _files(there: World, watch: Watch) -> int:
    """Open files of the process that is left alone; its pool of connections to Redis grows by need, to a bound."""
    return watch.look().files - there.to_redis[-1].open


def _grown(growth: tuple[float, float], files: int, minutes: float) -> Iterator[str]:
    if files > FILES_SPARE:
        yield f"{files} more files are open than before it all, in the process that was left alone"
    if minutes >= LONG and growth[0] > SLOPE_MB:
        yield f"its memory grows by {growth[0]:.1f} MB a minute"
    if minutes >= LONG and growth[1] > SLOPE_FILES:
        yield f"its open files grow by {growth[1]:.1f} a minute"


def _idle(happened: Counter[str], register: Register, resumed: int, minutes: float) -> Iterator[str]:
    """A soak in which nothing happens proves nothing."""
    talked = register.counted["answers"] and resumed
    if not happened["process kill -9"] or (minutes >= LONG and not talked):
        yield f"too little happened: {dict(happened)}, {dict(register.counted)}, and {resumed} sessions went on"


def _unbilled(found: Found) -> Counter[str]:
    """Tokens that were billed and are in no record, by kind."""
    paid = sum((bill for bills in found.bills.values() for bill in bills), Counter[str]())
    return Counter({kind: paid[kind] - sum(row[kind] for row in found.rows.values()) for kind in KINDS})
