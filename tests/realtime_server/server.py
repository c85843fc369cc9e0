"""The socket of the scripted upstream."""

from __future__ import annotations

import asyncio
import http
import json
import socket
import ssl
import struct
from collections.abc import Callable
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.realtime_server.rules import SessionType
from tests.realtime_server.script import Script
from tests.realtime_server.session import Event, RealtimeSession


class RealtimeServer:
    """GA Realtime on a port of its own::

        async with RealtimeServer(Script(transcripts=deque(["when do you open"]))) as server:
            options = OpenAIOptions(base_url=server.url, api_key="sk-test")
            ...
            await server.until(lambda: server.conversation)

    Any key is good, in the header ``key``. With ``tls`` it is ``https`` and ``wss``. Leaving cuts what is still open.
    Sessions that only transcribe (``?intent=transcription``) follow a script of their own, ``second``.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        second: Script | None = None,
        tls: ssl.SSLContext | None = None,
        path: str = "/v1",
        key: str = "Authorization",
    ) -> None:
        self.script = script or Script()
        self.second_script = second or Script()
        self._tls, self._path, self._key = tls, path, key
        self.sessions: list[RealtimeSession] = []
        """One for each connection there was, oldest first."""
        self.handshakes: list[tuple[str, dict[str, str]]] = []
        """Path and headers of each attempt, refused ones too."""
        self.open = 0
        """Connections that are open now."""
        self._ids = count(1)
        self._connections: list[ServerConnection] = []
        self._changed, self._closing = asyncio.Event(), asyncio.Event()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await serve(
            self._serve, "127.0.0.1", 0,
            ssl=self._tls, process_request=self._admit, compression=None, max_size=16 * 2**20,
        )  # fmt: skip
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Cut whatever is open."""
        self._closing.set()
        for connection in self._connections:
            connection.transport.abort()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The ``base_url`` for a client."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{self._path}"

    @property
    def session(self) -> RealtimeSession:
        """The newest session."""
        return self.sessions[-1]

    @property
    def main(self) -> RealtimeSession:
        """The newest conversation."""
        return next(session for session in reversed(self.sessions) if session.type == "realtime")

    @property
    def second(self) -> RealtimeSession | None:
        """The newest session that only transcribes."""
        return next((session for session in reversed(self.sessions) if session.type == "transcription"), None)

    @property
    def received(self) -> list[Event]:
        """Client events of the newest session."""
        return self.session.received

    @property
    def conversation(self) -> list[Event]:
        """Items of the newest session, in order."""
        return self.session.items

    async def until(self, happened: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until ``happened()`` is true, looking after every event in either direction."""
        async with asyncio.timeout(seconds):
            while not happened():
                await self._changed.wait()

    async def say(self, event: Event | str | bytes, to: SessionType | None = None) -> None:
        """Send something to the newest connection (of this type): an event, or any frame."""
        await self._newest(to).send(_dumped(event))

    async def fail(self, code: str, to: SessionType | None = None, **fields: Any) -> None:
        """Send an ``error`` event to the newest connection (of this type)."""
        error = {"type": "invalid_request_error", "code": code, "message": "Told in secret.", "param": None}
        await self.say({"type": "error", "event_id": "event_e", "error": {**error, **fields}}, to)

    async def drop(self, code: int | None = 1011, to: SessionType | None = None) -> None:
        """Close the newest connection (of this type) with this code; ``None`` cuts the TCP connection."""
        await _drop(self._newest(to), code)

    def reset(self, to: SessionType | None = None) -> None:
        """Reset the newest TCP connection (of this type), as a server does whose process was killed."""
        transport = self._newest(to).transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def freeze(self, to: SessionType | None = None) -> None:
        """Stop reading the newest connection (of this type), pings included, without closing it."""
        self._newest(to).transport.pause_reading()

    def release(self) -> None:
        """Let the answer that is held go on."""
        if self.session.active:
            self.session.active.release()

    def _newest(self, session_type: SessionType | None) -> ServerConnection:
        of_type = [c for c in self._connections if session_type in (None, _session_type(c.request))]
        return of_type[-1]

    # -- connections -----------------------------------------------------------------------------------------

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append((request.path, dict(request.headers.raw_items())))
        self._note()
        script = self._script(request)
        if script.hang == "handshake":
            await self._closing.wait()
        status = script.status or self._status(request)
        return _refuse(connection, status, script.retry_after) if status else None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self._connections.append(connection)
        self.open += 1
        try:
            if "OpenAI-Beta" in connection.request.headers:
                await connection.close(4000, "invalid_request_error.beta_api_shape_disabled")
                return
            async with asyncio.TaskGroup() as tasks:
                await self._converse(connection, tasks)
        except* ConnectionClosed:
            pass
        finally:
            self.open -= 1
            self._note()

    async def _converse(self, connection: ServerConnection, tasks: asyncio.TaskGroup) -> None:
        assert connection.request is not None
        script = self._script(connection.request)

        async def send(event: Event | bytes | str) -> None:
            if session.script.silent:
                return
            await connection.send(_dumped(event))
            self._note()
            if session.script.close_after is not None and len(session.sent) >= session.script.close_after:
                await _drop(connection, session.script.close_code)

        running: set[asyncio.Task[None]] = set()

        def spawn(work: Any) -> None:
            task = tasks.create_task(work)
            running.add(task)
            task.add_done_callback(running.discard)

        session = RealtimeSession(_query(connection.request).get("model", ""), script, send, spawn, self._ids)
        self.sessions.append(session)
        await session.open()
        try:
            async for raw in connection:
                await session.receive(raw)
                self._note()
        finally:
            for task in running:
                task.cancel()

    def _script(self, request: Request) -> Script:
        return self.script if _session_type(request) == "realtime" else self.second_script

    def _status(self, request: Request) -> int | None:
        """The refusal of a request that the service would not take."""
        url = urlsplit(request.path)
        key = request.headers.get(self._key, "")
        if not (key.startswith("Bearer ") if self._key == "Authorization" else key):
            return 401
        query = _query(request)
        known = "model" in query or query.get("intent") == "transcription"
        return None if url.path == f"{self._path}/realtime" and known else 404

    def _note(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _dumped(event: Event | str | bytes) -> str | bytes:
    """An event as the service writes it: without spaces, so that its audio is found by what stands around it."""
    return json.dumps(event, separators=(",", ":")) if isinstance(event, dict) else event


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def _session_type(request: Request | None) -> SessionType:
    """What a connection is for: with a model in its address it is a conversation, whatever else stands there."""
    return "realtime" if request is not None and "model" in _query(request) else "transcription"


def _refuse(connection: ServerConnection, status: int, retry_after: str) -> Response:
    response = connection.respond(http.HTTPStatus(status), "{}")
    if retry_after:
        response.headers["Retry-After"] = retry_after
    if 300 <= status < 400:
        response.headers["Location"] = "/v1/elsewhere"
    return response


async def _drop(connection: ServerConnection, code: int | None) -> None:
    if code is None:
        connection.transport.abort()
    else:
        await connection.close(code)
