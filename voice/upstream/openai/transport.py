"""The socket to the service: a handful of methods, so that another client library can take this one's place.

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

from picows import WSError, WSInvalidStatusError, ws_connect
from python_socks import ProxyError

from voice.upstream.base import (
    UpstreamClosed,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from voice.upstream.openai.connection import MAX_FRAME, Connection
from voice.upstream.openai.options import OpenAIOptions

_SILENT = logging.Logger("voice.upstream.openai.picows", logging.CRITICAL + 1)
"""The library writes what it hears, headers too. No host's LOGGING reaches this logger: none knows of it."""


class Transport:
    """One WebSocket connection, opened once. ``send`` and ``receive`` are called from different tasks."""

    __slots__ = ("_connection", "_options", "send_at_once")

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._connection: Connection | None = None
        self.send_at_once: Callable[[bytes], bool] = _closed
        """Send one text frame, if the connection is good and takes it at once; whether it did. It is the connection's
        own: what the microphone hears goes this way."""

    async def open(self, url: str, headers: Mapping[str, str]) -> None:
        """Dial. No compression is offered: base64 of speech hardly shrinks; memory and time are better spent.

        Raises:
            UpstreamError: refused, unavailable, rate limited or too slow.
        """
        options, connection = self._options, Connection()
        try:
            async with asyncio.timeout(options.open_timeout):
                _, connected = await ws_connect(
                    lambda: connection,
                    url,
                    extra_headers=headers,
                    ssl_context=_tls() if url.startswith("wss:") else None,
                    proxy=options.proxy,
                    proxy_ssl_context=_tls() if (options.proxy or "").startswith("https:") else None,
                    websocket_handshake_timeout=options.open_timeout,
                    enable_auto_ping=True,
                    auto_ping_idle_timeout=options.ping_interval,
                    auto_ping_reply_timeout=options.ping_timeout,
                    max_frame_size=MAX_FRAME,
                    # A redirect is a refusal: following it would hand key and conversation to an address that nobody
                    # configured.
                    max_redirects=0,
                    # Without TLS, picows writes to the descriptor itself. On uvloop's own transport, frames of sessions
                    # that were broken off ended in connections to Redis, which had the descriptor next. This transport
                    # closes it last, as asyncio's does: none in 12,000 such sessions.
                    use_aiofastnet=not url.startswith("wss:"),
                    logger_name=_SILENT,
                )
            if connected is None:
                raise UpstreamUnavailable("cannot be reached: closed during the handshake")
            self._connection, self.send_at_once = connection, connection.send_at_once
        except (WSError, ProxyError, OSError) as failure:
            raise _translated(failure) from None
        finally:
            if self._connection is None:  # a dial that is given up may yet come about
                connection.abort()

    async def send(self, frame: bytes) -> None:
        """Send one text frame, and wait until there is room for the next.

        Raises:
            UpstreamError: the connection is closed, or the service did not read in time.
        """
        connection = self._open_connection
        connection.send(frame)
        if not connection.has_room:
            await self._room(connection)

    async def receive(self) -> bytes:
        """The next frame. The time limit is that of the pings.

        Raises:
            UpstreamError: the connection is closed or lost.
        """
        return await self._open_connection.receive()

    def offer(self, take: Callable[[bytes], bool] | None) -> None:
        """Have ``take`` asked first for each frame that comes while none waits to be received; or nobody."""
        self._open_connection.take = take

    async def close(self) -> None:
        """Close, within ``close_timeout``, whatever the state; then abort. Never fails."""
        connection, self._connection, self.send_at_once = self._connection, None, _closed
        if connection is None:
            return
        try:
            async with asyncio.timeout(self._options.close_timeout):
                await connection.close()
        except TimeoutError:
            pass
        finally:
            connection.abort()

    async def _room(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(self._options.send_timeout):
                await connection.room()
        except TimeoutError:
            raise UpstreamTimeout("it takes no more") from None

    @property
    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise UpstreamClosed("not open")
        return self._connection


def _closed(_frame: bytes) -> bool:
    return False


TransportFactory = Callable[[OpenAIOptions], Transport]


@cache
def _tls() -> ssl.SSLContext:
    """One for the process: making one takes some 35 ms with the loop blocked, and 0.9 MiB, each time."""
    return ssl.create_default_context()


def _translated(failure: Exception) -> UpstreamError:
    if isinstance(failure, TimeoutError):
        return UpstreamTimeout("no answer in time")
    if isinstance(failure, WSInvalidStatusError) and failure.response is not None:
        return _refusal(int(failure.response.status), failure.response.headers.get("Retry-After", ""))
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
