"""A TCP proxy with faults that a test switches on and off: what networks do, between two honest ends.

    async with Proxy(upstream.port) as proxy:
        options = OpenAIOptions(base_url=proxy.address("http") + "/v1", api_key="sk-test")
        ...
        proxy.freeze()      # nothing passes, and nobody is told
        proxy.thaw()
        proxy.reset()       # every connection ends with RST

Faults hold for all connections, those there are and those to come, until :meth:`Proxy.heal`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Self

CHUNK = 4_096
"""Bytes that are passed on at a time."""
WAITING = 64
"""Pieces that wait each way."""


class Proxy:
    """Listens on a port of its own and passes everything on to ``port``, both ways."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._changed = asyncio.Event()
        self._connections: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self.dialled = 0
        """Connections that were ever made."""
        self.heal()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cut whatever is open."""
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(set(self._connections))
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def open(self) -> int:
        """Connections that there are."""
        return len(self._connections)

    def address(self, scheme: str) -> str:
        """The proxy's address, in place of the target's."""
        return f"{scheme}://127.0.0.1:{self.port}"

    # -- faults ----------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Pass everything on at once again. What was swallowed stays so."""
        self.latency = 0.0
        """Seconds by which every piece is late, each way."""
        self.bytes_per_second: int | None = None
        """As much passes, each way of each connection."""
        self.swallows = False
        """Half-open: what comes is taken and goes nowhere, and neither end is told when the other leaves."""
        self.refuses = False
        """New connections are reset."""
        self._passing.set()

    def freeze(self) -> None:
        """Take nothing more, of new connections either; both ends fill their buffers, and wait."""
        self._passing.clear()

    def thaw(self) -> None:
        """Pass on what waits, and go on."""
        self._passing.set()

    def half_open(self) -> None:
        """Both ends go on talking, to nobody."""
        self.swallows = True

    def refuse(self) -> None:
        """Nobody is at home: connections are reset, those there are and new ones."""
        self.refuses = True
        self.reset()

    def reset(self) -> None:
        """End every connection there is with RST, at both ends."""
        for task, writers in self._connections.items():
            for writer in writers:
                _reset(writer)
            task.cancel()

    # -- connections -----------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.dialled += 1
        self._connections[task] = (writer,)
        try:
            if self.refuses:
                _reset(writer)
                return
            await self._passing.wait()
            there, back = await asyncio.open_connection(*self._target, limit=CHUNK)
            self._connections[task] = (writer, back)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, back))
                tasks.create_task(self._pass_on(there, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in self._connections.pop(task):
                each.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """One way of a connection."""
        lane: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take(source, lane))
            tasks.create_task(self._give(lane, sink))

    async def _take(self, source: asyncio.StreamReader, lane: asyncio.Queue[tuple[float, bytes]]) -> None:
        piece = b"there is more"
        while piece:
            await self._passing.wait()
            piece = await source.read(CHUNK)
            await lane.put((asyncio.get_running_loop().time() + self.latency, piece))

    async def _give(self, lane: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        while True:
            due, piece = await lane.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self._passing.wait()
            if self.swallows and piece:
                continue
            if self.swallows:
                await asyncio.Event().wait()  # that it is over is not told either
            if not piece:
                sink.write_eof()
                return
            sink.write(piece)
            await sink.drain()
            if self.bytes_per_second:
                await asyncio.sleep(len(piece) / self.bytes_per_second)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
