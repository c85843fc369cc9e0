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
from tests.several.site import Process

FRAME = bytes(1_920)
CLIENT_MB = 1.0
"""What a hostile client may cost."""
FROZEN = 5
VANISHED_SECONDS = 10.0
"""In which a connection that is only half there is noticed."""


@dataclass(frozen=True)
class Attacked:
    """One process, and what it dials."""

    process: Process
    token: str
    upstream: RealtimeServer

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
        [person] = await asyncio.to_thread(site.people, "attacker")
        yield Attacked(site.processes[0], person.token, upstream)
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
async def frozen(attacked: Attacked) -> AsyncIterator[None]:
    """Somebody who has asked for everything and reads nothing of it, with the smallest window that TCP has."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", attacked.process.port))
    offered = [Subprotocol("voice.v1"), Subprotocol(f"voice.bearer.{attacked.token}")]
    async with connect(
        attacked.process.url, sock=narrow, subprotocols=offered, compression=None, ping_interval=None,
        close_timeout=0.1, max_queue=1,
    ) as connection:  # fmt: skip
        await connection.send('{"type": "start"}')
        await connection.send('{"type": "input_text", "text": "Tell me everything."}')
        connection.transport.pause_reading()
        yield
        connection.transport.abort()


async def test_who_reads_nothing_is_given_up_and_costs_little(attacked: Attacked) -> None:
    """Nothing is reported either. Five at once, for what a process allots once is not what each of them costs."""
    attacked.upstream.script.answers = deque([Answer("word " * 200)] * FROZEN)
    before, began = memory_mb(attacked.process), time.monotonic()
    async with AsyncExitStack() as clients:
        for _ in range(FROZEN):
            await clients.enter_async_context(frozen(attacked))
        await attacked.upstream.until(lambda: attacked.upstream.open == FROZEN, seconds=30)
        await attacked.upstream.until(lambda: attacked.upstream.open == 0, seconds=60)
        gave_up_after, grown = time.monotonic() - began, (memory_mb(attacked.process) - before) / FROZEN
    print(f"\n{attacked.process.server}: given up after {gave_up_after:.1f} s, memory {grown:+.1f} MB for each")
    assert gave_up_after <= 3 * 20
    assert grown <= 3 * CLIENT_MB  # of the answer's minute, twenty seconds wait here: the rest waits at the upstream


async def test_who_has_vanished_without_a_word_is_noticed(attacked: Attacked) -> None:
    """Their network is gone, so nothing says so but a ping that stays unanswered."""
    async with Proxy(attacked.process.port) as network:
        url = attacked.process.url.replace(str(attacked.process.port), str(network.port))
        async with VoiceClient(url, attacked.token) as client:
            await client.until("session.ready")
            network.half_open()
            began = time.monotonic()
            await attacked.upstream.until(lambda: attacked.upstream.open == 0, seconds=60)
            noticed_after = time.monotonic() - began
            client.vanish()
    print(f"\n{attacked.process.server}: noticed after {noticed_after:.1f} s")
    assert noticed_after <= 3 * VANISHED_SECONDS


async def test_of_thirty_sockets_that_say_nothing_ten_may_wait(attacked: Attacked) -> None:
    """The rest are told so at once; and the address is not kept out when they have gone."""
    async with AsyncExitStack() as clients:
        sockets = [await clients.enter_async_context(attacked.client(start=False)) for _ in range(30)]
        told = [(await client.ending())["code"] for client in sockets[10:]]
        assert told == [4513] * 20
        assert not any(client.all("session.ending") for client in sockets[:10])
    async with attacked.client() as client:
        await client.until("session.ready")
