"""The faults of the tests' proxy are what they say they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.proxy import Proxy

AT_ONCE = 0.3
"""Seconds in which everything that comes has come."""


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


class Caller:
    """One connection through the proxy."""

    @classmethod
    async def of(cls, proxy: Proxy) -> Caller:
        caller = cls()
        caller.reader, caller.writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        return caller

    async def hears(self, piece: bytes) -> bool:
        """Whether what is said comes back at once."""
        self.writer.write(piece)
        try:
            async with asyncio.timeout(AT_ONCE):
                return await self.reader.readexactly(len(piece)) == piece
        except TimeoutError:
            return False


async def test_without_a_fault_everything_passes_and_ends_are_told(proxy: Proxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(bytes(300_000))
    caller.writer.write_eof()
    assert await caller.reader.read() == b""


async def test_latency_delays_and_does_not_throttle(proxy: Proxy) -> None:
    caller = await Caller.of(proxy)
    proxy.latency = 0.2
    began = asyncio.get_running_loop().time()
    caller.writer.write(bytes(200_000))
    await caller.reader.readexactly(200_000)
    assert 0.4 <= asyncio.get_running_loop().time() - began < 3


async def test_a_throttle_lets_so_much_through(proxy: Proxy) -> None:
    caller = await Caller.of(proxy)
    proxy.bytes_per_second = 40_000
    began = asyncio.get_running_loop().time()
    caller.writer.write(bytes(40_000))
    await caller.reader.readexactly(40_000)
    assert asyncio.get_running_loop().time() - began >= 0.9


async def test_frozen_nothing_passes_and_thawed_nothing_is_missing(proxy: Proxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"one")
    proxy.freeze()
    assert not await caller.hears(b"two")
    proxy.thaw()
    assert await caller.reader.readexactly(3) == b"two"


async def test_half_open_each_end_talks_to_nobody_and_hears_of_no_end(proxy: Proxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"one")
    proxy.half_open()
    assert not await caller.hears(bytes(1_000_000))
    caller.writer.write_eof()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(AT_ONCE):
            await caller.reader.read()


async def test_reset_both_ends_hear_it_and_the_next_may_come(proxy: Proxy) -> None:
    caller = await Caller.of(proxy)
    assert await caller.hears(b"one")
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        await caller.reader.read()
    assert await (await Caller.of(proxy)).hears(b"two")


async def test_refused_nobody_comes_until_it_is_healed(proxy: Proxy) -> None:
    proxy.refuse()
    caller = await Caller.of(proxy)
    with pytest.raises(ConnectionResetError):
        await caller.reader.read()
    proxy.heal()
    assert await (await Caller.of(proxy)).hears(b"two")
    assert proxy.dialled == 2
