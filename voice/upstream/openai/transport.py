"""The socket to the service: four methods, so that another client library can take this one's place.

Failures are translated here, once, into the :class:`~voice.upstream.base.UpstreamError` tree. Their texts
hold a status or a close code and nothing that either side wrote: the handshake carries the key, frames carry
what people say.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from functools import cache

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from voice.upstream.base import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from voice.upstream.openai.options import OpenAIOptions

MAX_FRAME = 4 * 2**20
"""Bytes. The largest frame in practice is a second of audio in base64, 64 KiB."""

MAX_QUEUE = 64
"""Frames that wait to be received before the socket stops reading, and with it the service stops sending."""

_KEEPALIVE_LOST = 1011
"""The close code that the library sends when no pong came."""

_LOGGER = logging.getLogger("voice.upstream.openai.websockets")
# At DEBUG the library logs the headers, with the key, and the frames. The filter holds also where a host's
# LOGGING sets a lower level on everything.
_LOGGER.setLevel(logging.INFO)
_LOGGER.addFilter(lambda record: record.levelno >= logging.INFO)


class Transport:
    """One WebSocket connection, opened once. ``send`` and ``receive`` are called from different tasks."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._socket: ClientConnection | None = None

    async def open(self, url: str, headers: Mapping[str, str]) -> None:
        """Dial.

        Raises:
            UpstreamError: refused, unavailable, rate limited or too slow.
        """
        options = self._options
        try:
            self._socket = await _Connect(
                url,
                additional_headers=headers,
                ssl=_tls() if url.startswith("wss:") else None,
                proxy=options.proxy,
                compression=None,  # base64 of speech hardly shrinks; the memory and time are better spent
                open_timeout=options.open_timeout,
                close_timeout=options.close_timeout,
                ping_interval=options.ping_interval,
                ping_timeout=options.ping_timeout,
                max_size=MAX_FRAME,
                max_queue=MAX_QUEUE,
                logger=_LOGGER,
            )
        except (WebSocketException, OSError) as failure:
            raise _translated(failure) from None

    async def send(self, text: str) -> None:
        """Send one text frame.

        Raises:
            UpstreamError: the connection is closed, or the service did not read in time.
        """
        # The library's own keepalive does not help here: its ping queues behind the same full buffer.
        try:
            async with asyncio.timeout(self._options.send_timeout):
                await self._connection.send(text)
        except (WebSocketException, OSError) as failure:
            raise _translated(failure) from None

    async def receive(self) -> bytes | str:
        """The next frame. The time limit is that of the pings.

        Raises:
            UpstreamError: the connection is closed or lost.
        """
        try:
            return await self._connection.recv(decode=False)
        except (WebSocketException, OSError) as failure:
            raise _translated(failure) from None

    async def close(self) -> None:
        """Close, within ``close_timeout``, whatever the state; then abort. Never fails."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        try:
            async with asyncio.timeout(self._options.close_timeout):
                await socket.close()
        except (WebSocketException, OSError):
            pass
        finally:
            socket.transport.abort()

    @property
    def _connection(self) -> ClientConnection:
        if self._socket is None:
            raise UpstreamClosed("not open")
        return self._socket


TransportFactory = Callable[[OpenAIOptions], Transport]


class _Connect(connect):
    """A redirect is a refusal: following it would hand key and conversation to an address that nobody configured."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@cache
def _tls() -> ssl.SSLContext:
    """One for the process: making one takes some 35 ms with the loop blocked, and 0.9 MiB, each time."""
    return ssl.create_default_context()


def _translated(failure: Exception) -> UpstreamError:
    match failure:
        case TimeoutError():
            return UpstreamTimeout("no answer in time")
        case InvalidStatus():
            return _refusal(failure.response.status_code, failure.response.headers.get("Retry-After", ""))
        case ConnectionClosed():
            return _closed(failure)
    return UpstreamUnavailable(f"cannot be reached: {type(failure).__name__}")


def _refusal(status: int, retry_after: str) -> UpstreamError:
    if status == 429:
        return UpstreamRateLimited("HTTP 429", _seconds(retry_after))
    if status in {408, 504}:
        return UpstreamTimeout(f"HTTP {status}")
    return (UpstreamUnavailable if status >= 500 else UpstreamRefused)(f"HTTP {status}")


def _seconds(retry_after: str) -> float | None:
    """The seconds that the header names; one that names a date says nothing to us."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None


def _closed(closed: ConnectionClosed) -> UpstreamError:
    if closed.rcvd is not None:
        return UpstreamClosed(f"closed by the service, code {closed.rcvd.code}")
    if closed.sent is not None and closed.sent.code == _KEEPALIVE_LOST:
        return UpstreamTimeout("no pong in time")
    return UpstreamClosed("connection lost")
