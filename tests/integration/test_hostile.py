"""Clients that mean harm, over real sockets, on both servers: what they get, and that they cost little."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.client import VoiceClient
from tests.integration.test_fuzz import memory_mb
from tests.load.frames import RawConnection
from tests.proxy import Proxy
from tests.realtime_server import Answer, RealtimeServer
from tests.several import site as several
from tests.several.site import Person, Process, Site

FRAME = bytes(1_920)
CLIENT_MB = 1.5
"""What a hostile client may cost: twenty seconds of sound are one, what the provider has sent and nobody has read yet
the rest."""
FROZEN = 5
VANISHED_SECONDS, STUCK_SECONDS = 10.0, 7.0
"""In which somebody is given up who answers no ping; and somebody to whom nothing leaves for five seconds, after
what the network had room for."""
NARROW = 536
"""Bytes of a segment, the fewest that TCP knows: with them the server's kernel buffers tens of kilobytes, not millions,
and two seconds of sound fill it."""


@dataclass(frozen=True)
class Attacked:
    """One process, and what it dials."""

    site: Site
    people: dict[str, Person]
    upstream: RealtimeServer

    @property
    def process(self) -> Process:
        """The one that is attacked."""
        return self.site.processes[0]

    @property
    def token(self) -> str:
        """Of whoever attacks it quickly."""
        return self.people["hasty"].token

    async def ended(self, who: str, count: int) -> set[str]:
        """Why the sessions of this person were over, as soon as all of them are."""
        async with asyncio.timeout(60):
            while len(reasons := self.site.reasons(self.people[who])) < count or not all(reasons):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # the database tells nobody
        return set(reasons)

    def client(self, **options: object) -> VoiceClient:
        """A new client, who has begun unless told otherwise."""
        return VoiceClient(self.process.url, self.token, **options)  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["daphne", "uvicorn"])
async def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacked]:
    """A site with the limits that a new one has."""
    async with RealtimeServer() as upstream:
        overrides = {"DJANGO_SETTINGS_MODULE": "tests.load.settings", "OPENAI_BASE_URL": upstream.url}
        running = several.running(tmp_path_factory.mktemp("site"), 1, request.param, **overrides)
        site = await asyncio.to_thread(running.__enter__)
        names = ("hasty", "frozen", "stuck", "vanished")
        people = await asyncio.to_thread(site.people, *names)
        yield Attacked(site, dict(zip(names, people, strict=True)), upstream)
        await asyncio.to_thread(running.__exit__, None, None, None)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_compression_is_not_agreed_upon(attacked: Attacked) -> None:
    """A kilobyte would become a megabyte."""
    async with RawConnection(attacked.process.url, attacked.token) as connection:
        assert b" 101 " in connection.received
        assert b"permessage-deflate" not in connection.received.lower()


async def test_a_recording_pushed_as_fast_as_it_goes_ends_the_session_and_little_of_it_is_billed(
    attacked: Attacked,
) -> None:
    async with attacked.client() as client:
        await client.until("session.ready")
        began = time.monotonic()
        for _ in range(1_000):
            await client.send_anyway(FRAME)
        ending = await client.ending()
        assert (ending["code"], ending["reason"], ending["retry"]) == (4430, "too_fast", "no")
        assert time.monotonic() - began < 3 * 3.0
        assert [error["code"] for error in client.all("error")][:1] == ["too_fast"]
    assert attacked.upstream.main.hearing.appended_ms <= 1_000 * (3 + 1.25 * (time.monotonic() - began + 1))


async def test_a_flood_of_messages_ends_the_session(attacked: Attacked) -> None:
    async with attacked.client() as client:
        await client.until("session.ready")
        for _ in range(1_000):
            await client.send_anyway('{"type": "interrupt"}')
        assert (await client.ending())["code"] == 4430


@asynccontextmanager
async def reading_nothing(attacked: Attacked, who: str, segment: int = 0) -> AsyncIterator[None]:
    """Somebody who has asked for everything and reads nothing of it, with the smallest window that TCP has."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    if segment:
        narrow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", attacked.process.port))
    offered = [Subprotocol("voice.v1"), Subprotocol(f"voice.bearer.{attacked.people[who].token}")]
    async with connect(
        attacked.process.url, sock=narrow, subprotocols=offered, compression=None, ping_interval=None,
        close_timeout=0.1, max_queue=1,
    ) as connection:  # fmt: skip
        await connection.send('{"type": "start"}')
        await connection.send('{"type": "input_text", "text": "Tell me everything."}')
        connection.transport.pause_reading()
        yield
        connection.transport.abort()


@dataclass(frozen=True)
class GivenUp:
    """What became of clients who do nothing wrong, but nothing else either."""

    reasons: dict[str, set[str]]
    seconds: dict[str, float]
    """From their last word to the end of their record."""
    grown_mb: float
    """Memory of the process, for each of those who are frozen."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def given_up(attacked: Attacked) -> GivenUp:
    """All of them at once, since they take their time: one to whom nothing leaves, some who read nothing, and one who
    has vanished."""
    attacked.upstream.script.answers = deque([Answer("word " * 200)] * (1 + FROZEN))
    reasons, seconds = {}, {}

    async def ended(who: str, count: int = 1) -> None:
        began = time.monotonic()
        reasons[who] = await attacked.ended(who, count)
        seconds[who] = time.monotonic() - began

    async with AsyncExitStack() as clients, Proxy(attacked.process.port) as network, asyncio.TaskGroup() as waiting:
        before = memory_mb(attacked.process)
        for _ in range(FROZEN):
            await clients.enter_async_context(reading_nothing(attacked, "frozen"))
        waiting.create_task(ended("frozen", FROZEN))
        url = attacked.process.url.replace(str(attacked.process.port), str(network.port))
        client = await clients.enter_async_context(VoiceClient(url, attacked.people["vanished"].token))
        await client.until("session.ready", within=30)
        # The last, for its time is the shortest: what the others' beginning costs is over.
        await clients.enter_async_context(reading_nothing(attacked, "stuck", NARROW))
        waiting.create_task(ended("stuck"))
        network.half_open()
        await ended("vanished")
        client.vanish()
    grown = (memory_mb(attacked.process) - before) / FROZEN
    told = ", ".join(f"{who} after {after:.1f} s as {' and '.join(reasons[who])}" for who, after in seconds.items())
    print(f"\n{attacked.process.server}: given up were {told}; memory {grown:+.1f} MB for each who was frozen")
    return GivenUp(reasons, seconds, grown)


async def test_who_reads_nothing_is_given_up_and_costs_little(given_up: GivenUp) -> None:
    """No ping is answered either. Five at once, for what a process allots once is not what each of them costs."""
    assert given_up.reasons["frozen"] <= {"client_lost", "slow_client"}, "whatever is noticed first"
    assert given_up.seconds["frozen"] <= 3 * VANISHED_SECONDS
    assert given_up.grown_mb <= 3 * CLIENT_MB  # of the answer's minute, twenty seconds wait here: the rest upstream


async def test_who_takes_nothing_is_given_up_sooner(given_up: GivenUp) -> None:
    """Where the network has no room either for what they do not read, so that a message does not leave."""
    assert given_up.reasons["stuck"] == {"slow_client"}
    assert given_up.seconds["stuck"] <= 3 * STUCK_SECONDS


async def test_who_has_vanished_without_a_word_is_noticed(given_up: GivenUp) -> None:
    """Their network is gone, so nothing says so but a ping that stays unanswered."""
    assert given_up.reasons["vanished"] == {"client_lost"}
    assert given_up.seconds["vanished"] <= 3 * VANISHED_SECONDS


async def test_of_thirty_sockets_that_say_nothing_ten_may_wait(attacked: Attacked) -> None:
    """The rest are told so at once; and the address is not kept out when they have gone."""
    async with AsyncExitStack() as clients:
        sockets = [await clients.enter_async_context(attacked.client(start=False)) for _ in range(30)]
        told = [(await client.ending())["code"] for client in sockets[10:]]
        assert told == [4513] * 20
        assert not any(client.all("session.ending") for client in sockets[:10])
    async with attacked.client() as client:
        await client.until("session.ready")
