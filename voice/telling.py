"""What goes out by the socket, in the words of its wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from voice.bypass import Bypass
from voice.protocol.commands import ToBrowser
from voice.protocol.wires.base import Wire


class Telling:
    """One socket's. It is the session's :class:`~voice.delivery.Visitor`."""

    def __init__(self, wire: Wire, send: Callable[[Any], Awaitable[None]], bypass: Bypass) -> None:
        self._wire, self._send, self._mouth = wire, send, bypass.mouth
        self.sent = 0
        """Frames so far."""

    @property
    def has_room(self) -> bool:
        """Whether the client has taken what it was told, and the server has a way past its queue."""
        return self._mouth is not None and self._mouth.has_room

    def tell_at_once(self, command: ToBrowser) -> None:
        """Tell this, while there is room."""
        frames = self._wire.encode(command)
        if frames and self._mouth is not None:
            self.sent += len(frames)
            self._mouth.say(frames)

    async def tell(self, command: ToBrowser) -> None:
        """Tell this, when the client takes it. Raises ``OSError`` if it is gone, as ASGI has it."""
        for frame in self._wire.encode(command):
            self.sent += 1
            if isinstance(frame, bytes):
                await self._send({"type": "websocket.send", "bytes": frame, "text": None})
            else:
                await self._send({"type": "websocket.send", "bytes": None, "text": frame})
