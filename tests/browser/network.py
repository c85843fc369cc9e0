"""A visitor's network, which may be gone without a word: the way from a browser to a server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

PIECE = 65_536


class Network:
    """A port of its own before that of a server. While it is down nothing passes, and nobody is told."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._up = asyncio.Event()
        self._up.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = 0

    async def __aenter__(self) -> Self:
        """Listen."""
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cut everything."""
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)
        await self._listener.wait_closed()

    def go_down(self) -> None:
        """What is connected now stays so for ever, without a byte: both sides believe in it for a while."""
        self._generation += 1
        self._up.clear()

    def come_back(self) -> None:
        """From now on one can connect again."""
        self._up.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends = [writer]
        try:
            await self._up.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._server_port)
            ends.append(back)
            generation = self._generation
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, back, generation))
                tasks.create_task(self._carry(there, writer, generation))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in ends:
                end.close()
            self._tasks.discard(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, generation: int) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE):
                if generation != self._generation:
                    await asyncio.Future()  # it went down under this connection
                sink.write(piece)
                await sink.drain()
        sink.close()
