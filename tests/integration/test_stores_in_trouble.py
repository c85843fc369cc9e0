"""Redis and the database in trouble: nobody new comes in, nobody who talks is disturbed, and no record is lost.

The conversation is in this process; Redis is a real one behind a proxy, and the database a file that somebody else
locks, or on a disk that is full.
"""

import resource
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.proxy import Proxy
from tests.realtime_server import Answer, RealtimeServer, tone
from tests.redis_server import RedisServer
from voice import finishing, wiring
from voice.protocol.audio import duration_ms, silence

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "when do you open on sundays"
REFUSED_WITHIN = 2.0
"""Seconds in which somebody who cannot be admitted is told so."""
FAREWELL_WITHIN = 6.0
"""Seconds from the last word to the close where the last facts cannot be stored: five for them, and one for the end."""


@pytest.fixture(scope="module")
def valkey() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
async def proxy(valkey: RedisServer) -> AsyncIterator[Proxy]:
    """Before an empty Redis; healed at the end, for whoever still has to leave."""
    valkey.empty()
    async with Proxy(valkey.port) as proxy:
        yield proxy


@pytest.fixture
async def redis(valkey: RedisServer, proxy: Proxy, visit: Visit, settings: Any) -> AsyncIterator[Proxy]:
    """The proxy before the Redis in which the application counts. Who left while it was away has a place in there for
    up to 15 seconds more; at the end of a test it is forgotten.
    """
    settings.VOICE = {**settings.VOICE, "REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}
    yield proxy
    proxy.heal()
    proxy.reset()
    valkey.empty()


FAULTS: dict[str, Callable[[Proxy], None]] = {
    "down": Proxy.refuse,
    "frozen": Proxy.freeze,
    "half-open": Proxy.half_open,
}
EACH_FAULT = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


async def answered_aloud(client: Visitor, upstream: RealtimeServer) -> None:
    """The visitor asks a question aloud: every frame of it reaches the upstream, and the answer them."""
    upstream.script.transcripts.append(QUESTION)
    heard, spoken = upstream.session.hearing.appended_ms, tone(1_200) + silence(700)
    began = time.monotonic()
    await client.speak(spoken)
    await upstream.until(lambda: upstream.session.hearing.appended_ms - heard >= duration_ms(len(spoken)))
    seconds = time.monotonic() - began
    print(f"{duration_ms(len(spoken))} ms of speech reached the upstream {seconds * 1000:.0f} ms after they were said")
    await client.until("audio.item")
    assert (await client.until("turn.done"))["outcome"] == "completed"


async def begun(visit: Visit, upstream: RealtimeServer) -> Visitor:
    upstream.script.answers = deque([Answer("At ten.")] * 3)
    client = await visit(start={})
    await client.until("session.ready")
    return client


async def assert_turned_away(visit: Visit, upstream: RealtimeServer, sessions: Any) -> None:
    """In time, in words, and for nothing: no record, and no call to the upstream."""
    rows, dials, began = len(await sessions()), len(upstream.handshakes), time.monotonic()
    client = await visit(start={})
    client.patience = 3 * REFUSED_WITHIN
    ending = await client.ending()
    seconds = time.monotonic() - began
    print(f"turned away after {seconds:.2f} s (bound: {REFUSED_WITHIN:.0f} s)")
    assert seconds < 3 * REFUSED_WITHIN
    assert (ending["code"], ending["reason"], ending["retry"]) == (4513, "overloaded", "backoff")
    assert (len(await sessions()), len(upstream.handshakes)) == (rows, dials)


# -- Redis --------------------------------------------------------------------------------------------------------


@EACH_FAULT
async def test_without_redis_nobody_is_admitted_and_when_it_is_back_the_next_one_is(
    redis: Proxy, visit: Visit, upstream: RealtimeServer, sessions: Any, fault: Callable[[Proxy], None]
) -> None:
    fault(redis)
    await assert_turned_away(visit, upstream, sessions)
    redis.heal()
    redis.reset()  # what was half-open is known to be over by now
    await begun(visit, upstream)


@EACH_FAULT
async def test_who_talks_notices_nothing_of_it(
    redis: Proxy, visit: Visit, upstream: RealtimeServer, sessions: Any, fault: Callable[[Proxy], None]
) -> None:
    client = await begun(visit, upstream)
    fault(redis)
    await answered_aloud(client, upstream)
    began = time.monotonic()
    await client.tell(type="end")
    assert (await client.ending())["code"] == 1000
    print(f"over {time.monotonic() - began:.2f} s after the last word")
    assert time.monotonic() - began < 3 * REFUSED_WITHIN
    assert [row.end_reason for row in await sessions()] == ["client_hangup"]


async def test_a_slow_redis_delays_who_comes_and_nobody_who_talks(
    redis: Proxy, visit: Visit, upstream: RealtimeServer
) -> None:
    redis.latency = 0.1
    client = await begun(visit, upstream)
    await answered_aloud(client, upstream)


# -- the database -------------------------------------------------------------------------------------------------


@contextmanager
def locked() -> Iterator[None]:
    """Somebody else writes, for as long as that takes."""
    other = sqlite3.connect(Path(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_while_the_database_is_locked_nobody_new_comes_in(
    visit: Visit, upstream: RealtimeServer, sessions: Any
) -> None:
    with locked():
        await assert_turned_away(visit, upstream, sessions)
    assert await finishing.settled(5)
    await begun(visit, upstream)


async def test_while_the_database_is_locked_who_talks_is_heard_and_the_record_is_whole_afterwards(
    visit: Visit, upstream: RealtimeServer, sessions: Any, settings: Any, tmp_path: Path
) -> None:
    settings.VOICE = {**settings.VOICE, "SPOOL": str(tmp_path / "spool")}
    client = await begun(visit, upstream)
    client.patience = 3 * FAREWELL_WITHIN
    with locked():
        await answered_aloud(client, upstream)
        await client.tell(type="end")
        assert (await client.ending())["code"] == 1000
    assert await finishing.settled(30)
    [row] = await sessions()
    assert (row.end_reason, row.turns_count, row.text_out) == ("client_hangup", 1, 10)
    assert list(wiring.spool().waiting()) == []


@contextmanager
def full_disk() -> Iterator[None]:
    """The kernel refuses this process each byte for any file, as it does where the disk is full: SQLite and the spool
    are told so. What is printed goes to a file too, and must wait.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_on_a_full_disk_who_talks_is_answered_and_the_end_is_in_the_log(
    visit: Visit, upstream: RealtimeServer, sessions: Any, settings: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: Any,
) -> None:  # fmt: skip
    """Neither the database nor the spool takes it; whoever reads the log can put it right."""
    settings.VOICE = {**settings.VOICE, "SPOOL": str(tmp_path / "spool")}
    monkeypatch.setattr("voice.records.RETRY_SECONDS", 0.5)
    client = await begun(visit, upstream)
    with full_disk():
        await client.tell(type="input_text", text=QUESTION)
        assert (await client.until("turn.done"))["outcome"] == "completed"
        await client.tell(type="end")
        assert (await client.ending())["code"] == 1000
        assert await finishing.settled(10)
    [line] = [record.getMessage() for record in caplog.records if "its record stays open" in record.getMessage()]
    assert '"client_hangup"' in line
    assert QUESTION not in caplog.text
    assert [row.ended_at for row in await sessions()] == [None]
    await begun(visit, upstream)
