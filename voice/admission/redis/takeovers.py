"""Hearing of take-overs at once. What is missed here, the next refused renewal says."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from voice import metrics
from voice.admission.redis.clients import Clients

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
"""Between two attempts to subscribe."""

Lost = Callable[[], None]


class TakeOvers:
    """One subscription per event loop, for as long as somebody there watches a lease."""

    def __init__(self, clients: Clients, channel: str) -> None:
        self._clients, self._channel = clients, channel
        self._of_loop: dict[asyncio.AbstractEventLoop, _Subscription] = {}

    def watch(self, session_id: str, lost: Lost) -> Lost:
        """Have ``lost`` called in the running loop when ``session_id`` is taken over; returns what undoes this."""
        loop = asyncio.get_running_loop()
        subscription = self._of_loop.get(loop)
        if subscription is None:
            subscription = self._of_loop[loop] = _Subscription(self._clients, self._channel)
        subscription.watchers[session_id] = lost

        def unwatch() -> None:
            if subscription.watchers.pop(session_id, None) and not subscription.watchers:
                self._of_loop.pop(loop, None)
                subscription.task.cancel()

        return unwatch

    def close(self) -> None:
        """Nobody in the running loop is told anything any more."""
        subscription = self._of_loop.pop(asyncio.get_running_loop(), None)
        if subscription is not None:
            subscription.task.cancel()


class _Subscription:
    def __init__(self, clients: Clients, channel: str) -> None:
        self.watchers: dict[str, Lost] = {}
        self._clients, self._channel = clients, channel
        # In a context of its own: the first visitor's session is not the others'.
        self.task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    async def _run(self) -> None:
        while True:
            client = self._clients.subscriber()
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self._channel)
                    async for message in channel.listen():
                        self._tell(message)
            except (RedisError, OSError) as error:
                logger.debug("take-overs are not heard: %s", type(error).__name__)
            finally:
                await client.aclose(close_connection_pool=True)
            await asyncio.sleep(AGAIN_SECONDS)
            metrics.reconnecting("redis")

    def _tell(self, message: dict[str, Any]) -> None:
        lost = self.watchers.get(message["data"])
        if lost is not None:
            lost()
