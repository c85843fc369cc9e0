"""Daphne, which waits for both sides of a connection, and for its applications when it is stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

# Early, because it must come before anything else that uses Twisted.
from daphne.server import Server  # isort: skip
from autobahn.exception import Disconnected
from autobahn.websocket.xormasker import create_xor_masker  # type: ignore[attr-defined]  # not in its __all__
from daphne.endpoints import build_endpoint_description_strings
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.defer import Deferred

from voice.bypass import EXTENSION, Bypass
from voice.protocol.drain import DrainPolicy
from voice.protocol.wires.base import Frame
from voice.serving import limits
from voice.serving.flow import Inbox, Outlet
from voice.serving.stopping import wind_down
from voice.serving.stream import Stream, written

FLUSHED_LIMIT = 1.0
"""Seconds for what was written last to leave, and for the clients' close frames to come."""


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """Hands messages to whoever hears them past its queue, and is their mouth."""

    outlet: Outlet
    """From when it has become a WebSocket; so has its mouth."""

    def __init__(self) -> None:
        super().__init__()
        self.bypass = Bypass()
        self._stream = Stream(self.bypass, _unmask, super().dataReceived)

    def dataReceived(self, data: bytes) -> None:
        """Something came from the client."""
        self._stream.waiting = self.state != self.STATE_OPEN or not self.application_queue.empty()
        self._stream.receive(data)
        self.last_ping = time.time()  # a sign of life, as any message is to Daphne

    @property
    def has_room(self) -> bool:
        """Whether the socket is open, and takes more."""
        return self.state == self.STATE_OPEN and self.outlet.has_room

    def say(self, frames: Iterable[Frame]) -> None:
        """Send these, while there is room."""
        self.transport.write(b"".join(map(written, frames)))


class VoiceServer(Server):  # type: ignore[misc]  # Daphne ships no types
    """Daphne's server for one process. :meth:`run` returns when it was stopped by a signal."""

    def __init__(self, application: Any, endpoints: list[str], drain: DrainPolicy, ready: Callable[[], None]) -> None:
        super().__init__(
            application,
            endpoints=endpoints,
            http_timeout=limits.HTTP_SECONDS,
            ping_interval=limits.PING_SECONDS,
            ping_timeout=limits.PING_SECONDS,
            websocket_handshake_timeout=limits.HANDSHAKE_SECONDS,
            websocket_connect_timeout=limits.HANDSHAKE_SECONDS,
            websocket_max_message_size=limits.MESSAGE_LIMIT,
            websocket_max_frame_size=limits.MESSAGE_LIMIT,
            application_close_timeout=30,
            ready_callable=self._ready,
            server_name="",
        )
        self._drain, self._tell_ready = drain, ready
        self._ports: list[Any] = []
        self._deaf = False

    def listen_success(self, port: Any) -> None:
        """Called with each address that it listens at."""
        self._ports.append(port)
        super().listen_success(port)

    def _ready(self) -> None:
        """Called by :meth:`run` when its factories are there, and nobody has connected."""
        self.ws_factory.protocol = Socket
        # Autobahn forgets that Daphne allows the null origin where that is not said again. Whose page it is, is ours to
        # judge, and to say why.
        self.ws_factory.setProtocolOptions(closeHandshakeTimeout=limits.CLOSE_SECONDS, allowNullOrigin=True)
        if not self.abort_start:
            self._tell_ready()

    def run(self) -> None:
        """Serve until a signal."""
        super().run()
        # As asyncio.run does, and Twisted does not. A request that outlasted the winding down may have a thread that
        # waits for a view on the event loop, and would keep the process. On a closed one none begins to wait.
        loop = asyncio.get_event_loop()
        loop.run_until_complete(_nothing_left())
        loop.close()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> asyncio.Queue[Any] | None:
        """As Daphne's own, with flow control for WebSockets. Once it is deaf, who still asks is hung up on."""
        if self._deaf:
            protocol.transport.loseConnection()
            return None
        connection = self.connections[protocol]
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        if scope["type"] == "websocket":
            scope.setdefault("extensions", {})[EXTENSION] = protocol.bypass
            inbox = connection["inbox"] = Inbox(protocol.transport)
            protocol.outlet = Outlet(protocol.transport)
            protocol.bypass.mouth = protocol
        scope.setdefault("asgi", {"version": "3.0"})
        application = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        connection["application_instance"] = asyncio.ensure_future(application, loop=asyncio.get_event_loop())
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """As Daphne's own; returns when the client has taken it. Raises ``OSError`` if it is gone, as ASGI has it."""
        try:
            await super().handle_reply(protocol, message)
        except Disconnected:
            raise ConnectionResetError("the client is gone") from None
        connection = self.connections.get(protocol, {})
        if message["type"] == "websocket.close" and "inbox" in connection:
            connection["inbox"].discard()
        elif message["type"] == "websocket.send":
            await protocol.outlet.room()

    def kill_all_applications(self) -> Deferred[None]:
        """What Daphne calls before its event loop stops, and waits for."""
        return Deferred.fromFuture(asyncio.ensure_future(self._wind_down()))

    async def _wind_down(self) -> None:
        await wind_down(self._applications, self._stop_listening, self._drain)
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSHED_LIMIT):
                while any(self._sockets()):  # noqa: ASYNC110 (Daphne announces nothing)
                    await asyncio.sleep(0.02)

    def _stop_listening(self) -> None:
        self._deaf = True
        for port in self._ports:
            port.stopListening()

    def _applications(self) -> Iterator[asyncio.Future[Any]]:
        for details in self.connections.values():
            # One that is half a request has none yet; one that became a socket has none any more.
            application = details.get("application_instance")
            if application is not None and not application.done():
                yield application

    def _sockets(self) -> Iterator[Any]:
        """The connections that a close frame may still be on its way to, or from."""
        return (
            each for each, details in self.connections.items() if "inbox" in details and "disconnected" not in details
        )


async def _nothing_left() -> None:
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left)


def _unmask(payload: bytes, key: bytes) -> bytes:
    unmasked: bytes = create_xor_masker(key, len(payload)).process(payload)  # type: ignore[no-untyped-call]
    return unmasked


def endpoints(host: str, port: int, unix_socket: str = "") -> list[str]:
    """Where to listen, in Twisted's words."""
    if unix_socket:
        return list(build_endpoint_description_strings(unix_socket=unix_socket))
    return list(build_endpoint_description_strings(host=host, port=port))
