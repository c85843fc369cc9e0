"""Each process keeps up with what was decided in any: it looks once a second, and hears of it sooner by the layer.

One task for each event loop that has conversations, started by the first and ended with the last. Looking is the
guarantee: it needs the database alone, and sees the changes of commands, other hosts and hands. Hearing makes it fast.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import Error as DatabaseFault

from voice import condition, database, metrics

log = logging.getLogger("voice.following")

GROUP = "voice.live"
"""Of the channel layer: every process that has conversations."""
INTERVAL = 1.0
"""Seconds between two looks."""
LOOK_LIMIT = 1.0
"""Seconds that a look may take."""
JOIN_LIMIT = 5.0
"""Seconds to join the group, or to leave it."""
LAG_INTERVAL = 0.25
"""Seconds between two looks at how late the event loop is."""
LAG_LIMIT = 0.25
"""Seconds of lateness that are told in the log: speech stutters."""
RETRY = 5.0
"""Seconds until a layer that failed is joined again."""

Hearer = Callable[[Mapping[str, Any]], None]


Beside = Callable[[], Coroutine[Any, Any, None]]
"""Work that each process does while it has conversations. It runs until cancelled and must not raise."""


class Follower:
    """What the conversations of one event loop share."""

    def __init__(self, look: Callable[[], Any], hearers: Mapping[str, Hearer], beside: Beside | None = None) -> None:
        self._look, self._hearers, self._beside = look, hearers, beside
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._wanted = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for ``condition``, which is tried after each look. It must do no I/O."""
        if condition():
            return
        come = asyncio.get_running_loop().create_future()
        self._waiting[come] = condition
        try:
            await come
        finally:
            del self._waiting[come]

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking())
            if self._beside is not None:
                tasks.create_task(self._beside())
            tasks.create_task(_watch_the_loop())
            layer = get_channel_layer()
            if layer is not None and not isinstance(layer, InMemoryChannelLayer):
                tasks.create_task(self._keep_listening(layer))

    def hear(self, message: Mapping[str, Any]) -> None:
        """A message came. One that has a hearer is theirs; any other says: look now."""
        hearer = self._hearers.get(str(message.get("type")))
        if hearer is not None:
            hearer(message)
        else:
            self._wanted.set()

    async def _keep_looking(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await database.call(self._look, limit=LOOK_LIMIT)
            except (DatabaseFault, TimeoutError) as error:  # those who talk go on; nobody new is let in meanwhile
                log.warning("the live settings cannot be read: %s", type(error).__name__)
            # Also then: the setting, which needs no database, may have changed.
            self._tell()
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._wanted.wait()

    def _tell(self) -> None:
        """Wake those whose condition holds, and nobody else: each conversation waits here."""
        for come, holds in self._waiting.items():
            if not come.done() and holds():
                come.set_result(None)

    async def _keep_listening(self, layer: Any) -> None:
        while True:
            try:
                await self._listen(layer)
            except Exception as error:  # whatever a layer raises when its server is away
                log.warning("the channel layer is away (%s); looking goes on", type(error).__name__)
            await asyncio.sleep(RETRY)
            metrics.reconnecting("layer")

    async def _listen(self, layer: Any) -> None:
        async with asyncio.timeout(JOIN_LIMIT):
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
        try:
            while True:
                self.hear(await layer.receive(channel))  # waits for as long as nothing is said
        finally:
            with suppress(Exception):
                async with asyncio.timeout(JOIN_LIMIT):
                    await layer.group_discard(GROUP, channel)


async def _watch_the_loop() -> None:
    """Measure how late the loop is. A loop that stands still is no conversation's fault, and every conversation's."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_INTERVAL
        await asyncio.sleep(LAG_INTERVAL)
        late = max(0.0, loop.time() - due)
        metrics.loop_lag(late)
        condition.stood_still(late)
        if late > LAG_LIMIT:
            log.warning("the event loop stood still for %.2f s", late)


class _Shared:
    def __init__(self, follower: Follower) -> None:
        self.follower, self.users = follower, 0
        # In a context of its own: what the first visitor's is (session, language) is not the others'.
        self.task = asyncio.get_running_loop().create_task(follower.run(), context=contextvars.Context())


_shared: dict[asyncio.AbstractEventLoop, _Shared] = {}


@asynccontextmanager
async def followed(
    look: Callable[[], Any], hearers: Mapping[str, Hearer], beside: Beside | None = None
) -> AsyncIterator[Follower]:
    """The follower of this event loop, for as long as somebody wants it; the first one's ``look`` is used."""
    loop = asyncio.get_running_loop()
    shared = _shared.get(loop)
    if shared is None:
        shared = _shared[loop] = _Shared(Follower(look, hearers, beside))
    shared.users += 1
    try:
        yield shared.follower
    finally:
        shared.users -= 1
        if not shared.users:
            del _shared[loop]
            shared.task.cancel()
            await asyncio.wait({shared.task})


def deliver(message: Mapping[str, Any]) -> None:
    """Have a message heard by the followers of this process. From any thread."""
    for loop, shared in list(_shared.items()):
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(shared.follower.hear, message)
