"""One open WebSocket: frames that arrived and wait for their reader, room for what is sent, and how it ended.

The library calls back for each frame. Nothing here waits or decides; :mod:`voice.upstream.openai.transport` does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport

from voice.upstream.base import UpstreamClosed, UpstreamError, UpstreamTimeout

MAX_FRAME = 4 * 2**20
"""Bytes. The largest frame in practice is a second of audio in base64, 64 KiB."""

MAX_QUEUE = 64
"""Frames that wait to be received before the socket stops reading, and with it the service stops sending."""

_TEXT = WSMsgType.TEXT
_MESSAGE = (_TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


class Connection(WSListener):
    """What the library tells of one connection, kept for the two tasks that use it."""

    __slots__ = (
        "_abandoned", "_arrived", "_fragments", "_frames", "_paused", "_socket", "_writable", "failure", "has_room",
        "take",
    )  # fmt: skip

    def __init__(self) -> None:
        self.failure: UpstreamError | None = None
        """By what it was lost."""
        self.has_room = False
        """Whether it is open, and what was sent has left. Asked for each frame, so it is kept."""
        self.take: Callable[[bytes], bool] | None = None
        """Asked first for a frame that comes while none waits to be received. It never waits, and raises nothing."""
        self._socket: WSTransport | None = None
        self._frames: deque[bytes] = deque()
        self._fragments = bytearray()
        self._arrived, self._writable = asyncio.Event(), asyncio.Event()
        self._writable.set()
        self._paused = self._abandoned = False

    # -- the user's side -----------------------------------------------------------------------------------------

    def send_at_once(self, frame: bytes) -> bool:
        """Send a text frame, if it has room; whether it did."""
        if not self.has_room or self._socket is None:
            return False
        self._socket.send(_TEXT, frame)
        return True

    def send(self, frame: bytes) -> None:
        """Send a text frame; what the socket does not take at once is kept.

        Raises:
            UpstreamError: it is closed.
        """
        if self._socket is None or self._abandoned or self.failure is not None:
            raise self.failure or UpstreamClosed("not open")
        self._socket.send(_TEXT, frame)

    async def room(self) -> None:
        """Wait until what was sent has left.

        Raises:
            UpstreamError: it is closed.
        """
        await self._writable.wait()
        if self.failure is not None:
            raise self.failure

    async def receive(self) -> bytes:
        """The next frame.

        Raises:
            UpstreamError: it is closed, and all that came before was received.
        """
        while not self._frames:
            if self.failure is not None:
                raise self.failure
            self._arrived.clear()
            await self._arrived.wait()
        if self._paused and len(self._frames) <= MAX_QUEUE // 2:
            self._read(True)
        return self._frames.popleft()

    async def close(self) -> None:
        """Say goodbye, and wait until the other side has. To nobody, where it is over."""
        if self._socket is not None and not self._abandoned and self.failure is None:
            self._socket.send_close(WSCloseCode.OK)
            self._read(True)  # the answer is behind what nobody wants any more
            with suppress(WSError):  # what it broke by has been told
                await self._socket.wait_disconnected()

    def abort(self) -> None:
        """Be gone, now, or as soon as it is there."""
        self._abandoned, self.has_room = True, False
        if self._socket is not None:
            self._socket.disconnect(graceful=False)

    # -- the library's side --------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._socket, self.has_room = transport, not self._abandoned
        if self._abandoned:
            self.abort()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came: all of a message, as a rule."""
        if transport.is_close_frame_sent and frame.msg_type != WSMsgType.CLOSE:
            return  # what follows a fault of the service is noise
        if frame.msg_type in _MESSAGE:
            if frame.fin and not self._fragments:
                self._arrive(frame.get_payload_as_bytes())
            else:
                self._join(frame)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """It is over."""
        self.failure, self.has_room = _ending(transport), False
        for event in (self._arrived, self._writable):
            event.set()

    def pause_writing(self) -> None:
        """The service reads more slowly than is sent."""
        self.has_room = False
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self.has_room = self.failure is None and not self._abandoned
        self._writable.set()

    def _join(self, frame: WSFrame) -> None:
        self._fragments += frame.get_payload_as_memoryview()
        if len(self._fragments) > MAX_FRAME:
            self.abort()
        elif frame.fin:
            message, self._fragments = bytes(self._fragments), bytearray()
            self._arrive(message)

    def _arrive(self, message: bytes) -> None:
        if self.take is not None and not self._frames and self.take(message):
            return
        self._frames.append(message)
        self._arrived.set()
        if len(self._frames) >= MAX_QUEUE and not self._paused:
            self._read(False)

    def _read(self, on: bool) -> None:
        self._paused = not on
        if self._socket is not None and self.failure is None:
            transport = self._socket.underlying_transport
            transport.resume_reading() if on else transport.pause_reading()


def _ending(transport: WSTransport) -> UpstreamError:
    said = transport.close_handshake
    if said is not None and said.recv is not None:
        code = int(said.recv.code)  # type: ignore[call-overload]  # whatever its stub says
        return UpstreamClosed(f"closed by the service, code {code}")
    if said is not None and said.sent is not None and said.sent.code == WSCloseCode.GOING_AWAY:
        return UpstreamTimeout("no pong in time")  # with this code the library gives up
    return UpstreamClosed("connection lost")
