"""Connections to Redis: a client for each event loop, since a connection belongs to the loop that it was opened on.

Most processes have one loop. A site served synchronously has one for each call, as ``async_to_sync`` makes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import NoScriptError, RedisError

from voice.admission.redis.connections import honest
from voice.admission.redis.scripts import Script
from voice.admission.store import ANSWER_SECONDS, StoreUnavailable
from voice.condition import Part, note

logger = logging.getLogger(__name__)

CONNECTIONS = 50
"""Of one loop. A decision takes a fraction of a millisecond: whoever comes when all are busy waits for one."""
CONNECT_SECONDS = 1.0
COMMAND_SECONDS = 1.5
"""Of one command. Whoever asks has two seconds for all (:data:`voice.admission.store.ANSWER_SECONDS`)."""

# Once more at once, for a connection that a restart of Redis left dead in the pool; never after a time limit.
_RETRY = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))


class Clients:
    """The clients of one address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._of_loop: dict[asyncio.AbstractEventLoop, Redis] = {}
        self._asking: set[asyncio.Task[Any]] = set()

    def client(self) -> Redis:
        """The running loop's. Nothing is dialled yet."""
        loop = asyncio.get_running_loop()
        if loop not in self._of_loop:
            self._forget_the_closed()
            self._of_loop[loop] = self._make(timeout=CONNECT_SECONDS, socket_timeout=COMMAND_SECONDS)
        return self._of_loop[loop]

    def subscriber(self) -> Redis:
        """A new client for somebody who waits for as long as nothing is said, and closes it."""
        return self._make(max_connections=1, socket_timeout=None, socket_keepalive=True)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """What ``script`` answers. Raises Redis's errors."""
        given = len(keys), *keys, *arguments
        client: Any = self.client()  # this method of it has no types
        try:
            return await client.execute_command("EVALSHA", script.sha, *given)
        except NoScriptError:  # a new server, or one whose scripts were flushed
            return await client.execute_command("EVAL", script.text, *given)

    async def answer(self, question: Coroutine[Any, Any, Any]) -> Any:
        """What a question comes to, which may be several commands. Raises :class:`StoreUnavailable`, nothing else.

        It is asked in a task of its own. The client library loses cancellations while its connections break, and
        whoever asks and is cancelled would go on: a session that is over would stay.
        """
        asking = asyncio.create_task(question)
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        try:
            await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
            if not asking.done():
                raise TimeoutError("no answer in time")
            answer = asking.result()
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            note(Part.REDIS, ok=False)
            logger.warning("Redis does not answer: %s: %s", type(error).__name__, error)
            raise StoreUnavailable(type(error).__name__) from error
        finally:
            asking.cancel()
        note(Part.REDIS, ok=True)
        return answer

    async def close(self) -> None:
        """Close the running loop's connections."""
        client = self._of_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _asked(self, asking: asyncio.Task[Any]) -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # of one that nobody waits for any more it is nobody's concern

    def _make(self, **options: Any) -> Redis:
        options = {"max_connections": CONNECTIONS, "socket_connect_timeout": CONNECT_SECONDS, "retry": _RETRY} | options
        pool = BlockingConnectionPool.from_url(self._url, decode_responses=True, **options)
        pool.connection_class = honest(pool.connection_class)
        return Redis.from_pool(pool)

    def _forget_the_closed(self) -> None:
        # Their sockets close with them; a closed loop leaves no way to do it in order.
        for loop in [loop for loop in list(self._of_loop) if loop.is_closed()]:
            self._of_loop.pop(loop, None)
