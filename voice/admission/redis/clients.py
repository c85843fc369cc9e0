"""Connections to Redis: a client for each event loop, since a connection belongs to the loop that it was opened on.

Most processes have one loop. A site served synchronously has one for each call, as ``async_to_sync`` makes it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost

CONNECTIONS = 50
"""Of one loop. A decision takes a fraction of a millisecond: whoever comes when all are busy waits for one."""
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 1.5
"""Of one command. Whoever asks has two seconds for all."""

# Once more at once, for a connection that a restart of Redis left dead in the pool; never after a time limit.
_RETRY = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))


class Clients:
    """The clients of one address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._of_loop: dict[asyncio.AbstractEventLoop, Redis] = {}

    def client(self) -> Redis:
        """The running loop's. Nothing is dialled yet."""
        loop = asyncio.get_running_loop()
        if loop not in self._of_loop:
            self._forget_the_closed()
            self._of_loop[loop] = self._make(timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS)
        return self._of_loop[loop]

    def subscriber(self) -> Redis:
        """A new client for somebody who waits for as long as nothing is said, and closes it."""
        return self._make(max_connections=1, socket_timeout=None, socket_keepalive=True)

    async def close(self) -> None:
        """Close the running loop's connections."""
        client = self._of_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _make(self, **options: Any) -> Redis:
        options = {"max_connections": CONNECTIONS, "socket_connect_timeout": CONNECT_SECONDS, "retry": _RETRY} | options
        return Redis.from_pool(BlockingConnectionPool.from_url(self._url, decode_responses=True, **options))

    def _forget_the_closed(self) -> None:
        # Their sockets close with them; a closed loop leaves no way to do it in order.
        for loop in [loop for loop in list(self._of_loop) if loop.is_closed()]:
            self._of_loop.pop(loop, None)
