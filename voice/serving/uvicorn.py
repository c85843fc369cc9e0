"""uvicorn, for more conversations on one core. It already waits for both sides of a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # not in its __all__
from websockets.protocol import State

from voice.bypass import EXTENSION, Bypass
from voice.protocol.drain import DrainPolicy
from voice.protocol.wires.base import Frame
from voice.serving import limits
from voice.serving.stopping import wind_down
from voice.serving.stream import Stream, written

SWEEP = 10
"""Ticks, of a tenth of a second each, between two looks at connections that are closing."""
WAITING = 8
"""Messages that may wait for the application before the client is not read from."""


class Socket(WebSocketsSansIOProtocol):
    """Hands messages to whoever hears them past its queue, and reads on; and is their mouth.

    uvicorn's own puts all into its queue, and stops reading after each message until the application takes it: two
    system calls for a frame.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bypass = Bypass()
        self._bypass.mouth = self
        self._stream = Stream(self._bypass, apply_mask, super().data_received)
        # The transport's loop asks for it once, so that nothing of this class stands in a frame's way: its more than
        # thirty attributes are too many for CPython to keep them together.
        self.data_received = self._stream.receive  # type: ignore[method-assign]

    async def receive(self) -> Any:
        """The next message by the queue, for the application."""
        message = await super().receive()
        self._stream.waiting = not self.queue.empty()
        return message

    @property
    def has_room(self) -> bool:
        """Whether the socket is open, and takes more."""
        return self.conn.state is State.OPEN and self.writable.is_set() and not self.disconnected

    def say(self, frames: Iterable[Frame]) -> None:
        """Send these, while there is room."""
        self.transport.write(b"".join(map(written, frames)))

    def handle_connect(self, event: Any) -> None:
        """A client asks to come in."""
        super().handle_connect(event)
        if not self.close_sent:  # else it was no WebSocket's handshake
            extensions: dict[str, Any] = self.scope["extensions"] or {}
            extensions[EXTENSION] = self._bypass

    def send_receive_event_to_app(self) -> None:
        """A message is complete."""
        has_room = not self.read_paused and self.queue.qsize() < WAITING
        self.read_paused = self.read_paused or has_room  # so that it is not paused again
        super().send_receive_event_to_app()
        self._stream.waiting = not self.queue.empty()
        if has_room:
            self.read_paused = False

    def handle_parser_exception(self) -> None:
        """The client has sent what no WebSocket's client may, and is told so.

        From then on uvicorn calls it an error of the application to go on sending, before that can know.
        """
        super().handle_parser_exception()
        self.disconnected = True

    def keepalive_timeout(self) -> None:
        """The client answers no ping.

        uvicorn's own closes the connection when all that was written has been read, and tells the application nothing
        until then: one that goes on sending is told of an error in it. Nobody reads, so nothing is waited for.
        """
        super().keepalive_timeout()
        self.disconnected = True
        self.transport.abort()


class VoiceServer(uvicorn.Server):
    """uvicorn's server for one process. :meth:`run` returns when it was stopped by a signal."""

    def __init__(
        self,
        application: Any,
        drain: DrainPolicy,
        ready: Callable[[], None],
        *,
        host: str,
        port: int,
        unix_socket: str,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=host,
                port=port,
                uds=unix_socket or None,
                ws=Socket,
                ws_max_size=limits.MESSAGE_LIMIT,
                ws_ping_interval=limits.PING_SECONDS,
                ws_ping_timeout=limits.PING_SECONDS,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
                lifespan="off",
                proxy_headers=False,  # who trusts which proxy is said by VOICE["TRUSTED_PROXIES"]
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="warning",  # below, it writes query strings
            )
        )
        self._drain, self._tell_ready = drain, ready
        self._closing: dict[Any, int] = {}

    async def startup(self, sockets: Any = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            self._tell_ready()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % SWEEP == 0:
            self._abort_the_stuck(counter)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop."""
        await wind_down(lambda: self.server_state.tasks, self._stop_listening, self._drain)
        await super().shutdown(sockets)

    def _stop_listening(self) -> None:
        for server in self.servers:
            server.close()

    def _abort_the_stuck(self, tick: int) -> None:
        """uvicorn closes a connection when the last of it is written: never, if its client has stopped reading."""
        closing = [each for each in self.server_state.connections if each.transport.is_closing()]
        self._closing = {each: self._closing.get(each, tick) for each in closing}
        for connection, since in self._closing.items():
            if tick - since > limits.CLOSE_SECONDS * 10:
                connection.transport.abort()
