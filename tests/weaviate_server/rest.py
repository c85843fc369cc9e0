"""HTTP/1.1 on a socket, one handler for all requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import h11

Handler = Callable[[str, str, dict[str, str], Any], Awaitable[tuple[int, Any]]]
"""Method, target, headers and decoded body go in; status and what is the body as JSON come out."""


class RestServer:
    """Listens from ``start`` to ``stop``, on the same port again."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut what is open."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._converse(h11.Connection(h11.SERVER), reader, writer)
        except (h11.RemoteProtocolError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _converse(self, wire: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request, body = await self._read(wire, reader)
            if request is None:
                return
            headers = {name.decode(): value.decode() for name, value in request.headers}
            decoded = json.loads(body) if body else None
            status, answer = await self._handler(request.method.decode(), request.target.decode(), headers, decoded)
            sent = b"" if answer is None else json.dumps(answer).encode()
            about = [("Content-Length", str(len(sent))), ("Content-Type", "application/json")]
            events = [h11.Response(status_code=status, headers=about), h11.Data(data=sent), h11.EndOfMessage()]
            writer.write(b"".join(wire.send(event) or b"" for event in events))
            await writer.drain()
            if wire.our_state is h11.MUST_CLOSE:
                return
            wire.start_next_cycle()

    async def _read(self, wire: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request | None, bytes]:
        request, body = None, b""
        while True:
            event = wire.next_event()
            if event is h11.NEED_DATA:
                wire.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return request, body
            else:
                return None, b""
