"""Flow control between a Twisted connection and an application, which Daphne leaves out both ways.

It takes frames from a client as fast as the network brings them, and writes replies as fast as the application makes
them; what the other side does not take lies in memory, without a limit. Here either side waits for the other.
"""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

CHUNK = 2 * 1024
"""Bytes that are read at once, and that may wait to be written before the application waits. Frames are taken apart in
one go, as many as were read: with Twisted's 64 KiB, a flood of tiny ones holds up everybody for a good part of a
second."""
INBOX_LIMIT = 256 * 1024
"""Bytes that may wait for the application: more than five seconds of speech."""
MESSAGE_COST = 200
"""Bytes of memory that a message takes besides what it holds."""

Message = dict[str, Any]


class Inbox(asyncio.Queue[Message]):
    """Messages for an application. While too much waits here, the client is not read from."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self._transport = transport
        self._waiting = 0
        self._paused = self._discards = False

    def discard(self) -> None:
        """The application has closed the socket. What else comes is read, for the client's answer is behind it."""
        self._discards = True
        if self._paused:
            self._paused = False
            self._transport.resumeProducing()

    def _put(self, item: Message) -> None:
        if self._discards and item["type"] == "websocket.receive":
            return
        super()._put(item)
        self._waiting += _cost(item)
        if self._waiting > INBOX_LIMIT and not self._paused and not self._discards:
            self._paused = True
            self._transport.pauseProducing()

    def _get(self) -> Message:
        item: Message = super()._get()
        self._waiting -= _cost(item)
        if self._paused and self._waiting < INBOX_LIMIT / 2:
            self._paused = False
            self._transport.resumeProducing()
        return item


@implementer(IPushProducer)
class Outlet:
    """Tells whether a connection takes more: what Twisted calls the producer of what is written to it."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._room = asyncio.Event()
        self._room.set()
        transport.bufferSize = CHUNK
        transport.unregisterProducer()  # that of HTTP, which is over
        transport.registerProducer(self, streaming=True)

    @property
    def has_room(self) -> bool:
        """Whether the client has taken what was written."""
        return self._room.is_set()

    async def room(self) -> None:
        """Wait until the client has taken what was written, or is gone."""
        await self._room.wait()

    def pauseProducing(self) -> None:
        """Too much waits to be written."""
        self._room.clear()

    def resumeProducing(self) -> None:
        """All of it is written."""
        self._room.set()
        if self._transport.disconnecting:  # Twisted would wait for the producer to go first
            self._transport.unregisterProducer()

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._room.set()


def _cost(message: Message) -> int:
    return MESSAGE_COST + len(message.get("bytes") or message.get("text") or "")
