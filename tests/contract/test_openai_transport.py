"""The socket to the service, where a service or a network does what it seldom does."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from voice.upstream.base import UpstreamClosed, UpstreamUnavailable
from voice.upstream.openai.connection import MAX_FRAME, MAX_QUEUE
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.transport import Transport

LONG = "x" * 65_536


class Service:
    """Does with each connection what a test says, then waits until it is closed."""

    def __init__(
        self,
        serve: Callable[[ServerConnection], Awaitable[None]],
        before: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._serve, self._before = serve, before
        self.dialled, self.closed = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> "Service":
        self._server = await serve(self._converse, "127.0.0.1", 0, process_request=self._answer, compression=None)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def dial(self, **options: str) -> Transport:
        """A transport that is open."""
        transport = Transport(OpenAIOptions(**options))  # type: ignore[arg-type]
        await transport.open(f"ws://127.0.0.1:{self.port}/", {})
        return transport

    async def _answer(self, connection: ServerConnection, request: Request) -> None:
        self.dialled.set()
        if self._before is not None:
            await self._before()

    async def _converse(self, connection: ServerConnection) -> None:
        try:
            await self._serve(connection)
            await connection.wait_closed()
        except ConnectionClosed:
            pass
        self.closed.set()


async def test_a_message_in_fragments_arrives_whole_and_in_its_place() -> None:
    async def say(connection: ServerConnection) -> None:
        for message in ("first", ["a", "b", "", "c"], "last"):
            await connection.send(message)

    async with Service(say) as service:
        transport = await service.dial()
        assert [await transport.receive() for _ in range(3)] == [b"first", b"abc", b"last"]
        await transport.close()
        async with asyncio.timeout(5):
            await service.closed.wait()


@pytest.mark.parametrize(
    "message",
    ["x" * (MAX_FRAME + 1), [LONG] * (MAX_FRAME // len(LONG) + 1)],
    ids=["in one frame", "in fragments"],
)
async def test_a_message_that_is_longer_than_any_ends_the_connection(message: str | list[str]) -> None:
    async def say(connection: ServerConnection) -> None:
        await connection.send(message)

    async with Service(say) as service:
        transport = await service.dial()
        async with asyncio.timeout(5):
            with pytest.raises(UpstreamClosed):
                await transport.receive()
        await transport.close()


async def test_a_service_that_says_more_than_is_received_has_to_wait() -> None:
    sent = 0

    async def say(connection: ServerConnection) -> None:
        nonlocal sent
        for _ in range(10 * MAX_QUEUE):
            await connection.send(LONG)
            sent += 1

    async with Service(say) as service:
        transport = await service.dial()
        assert transport._connection is not None
        async with asyncio.timeout(20):
            while not transport._connection._paused:  # noqa: ASYNC110 (it is the matter here)
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert sent < 10 * MAX_QUEUE
            assert len(transport._connection._frames) < 2 * MAX_QUEUE
            for _ in range(10 * MAX_QUEUE):
                assert await transport.receive() == LONG.encode()
        await transport.close()


async def test_one_that_is_given_up_while_it_is_dialled_does_not_stay_open() -> None:
    answered = asyncio.Event()

    async def nothing(connection: ServerConnection) -> None: ...

    async with Service(nothing, before=answered.wait) as service:
        dialling = asyncio.create_task(service.dial())
        async with asyncio.timeout(5):
            await service.dialled.wait()
            dialling.cancel()
            await asyncio.wait({dialling})
            answered.set()
            await service.closed.wait()


async def test_a_service_that_hangs_up_in_the_handshake_is_unavailable() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamUnavailable):
            await Transport(OpenAIOptions()).open(f"ws://127.0.0.1:{port}/", {})


async def test_it_goes_through_the_proxy_that_is_named() -> None:
    asked: list[bytes] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(4096):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        up, down = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pass_on(reader, down), pass_on(up, writer))

    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")

    async with Service(greet) as service, await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = await service.dial(proxy=f"http://127.0.0.1:{port}")
        assert await transport.receive() == b"hello"
        await transport.close()
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{service.port} HTTP/1.1\r\n".encode())
