"""WebSocket frames as no library makes them, and a connection that sends them."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """One frame. ``length`` is the one that it claims to have."""
    claimed = len(payload) if length is None else length
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    mask_bit = 0x80 if masked else 0
    if claimed < 126:
        head = struct.pack("!BB", first, mask_bit | claimed)
    elif claimed < 65_536:
        head = struct.pack("!BBH", first, mask_bit | 126, claimed)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, claimed)
    return head + (bytes(4) + payload if masked else payload)  # a mask of zeros is one


class RawConnection:
    """A socket after its handshake. What the server sends is read, and thrown away."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = urlsplit(url), token
        self.closed = asyncio.Event()
        """Set when the server has closed it."""
        self.received = b""
        """The head of the answer to the handshake."""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            f"GET {self._url.path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
            f"Sec-WebSocket-Protocol: voice.v1, voice.bearer.{self._token}\r\n\r\n".encode()
        )
        self.received = await self._reader.readuntil(b"\r\n\r\n")
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._reading.cancel()
        self._writer.transport.abort()
        await asyncio.wait({self._reading})

    async def send(self, data: bytes) -> None:
        """Send these bytes, unless nobody takes them any more."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                self._writer.write(data)
                await self._writer.drain()

    async def is_closed(self, within: float) -> bool:
        """Whether the server closes it within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.closed.wait()
        return self.closed.is_set()

    async def _read(self) -> None:
        with suppress(OSError):
            while await self._reader.read(65_536):
                pass
        self.closed.set()
