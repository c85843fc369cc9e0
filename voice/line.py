"""The line to the upstream: dialled, fed and listened to; and dialled again when it is lost.

:class:`Line` owns what waits to go up and the one connection of the moment. How often it dials is decided by
:class:`~voice.protocol.dialling.Dialling`, and what a new connection must be told by the conversation, which learns of
the loss in the same step in which all that was meant for the lost one is dropped. What the microphone hears meanwhile
waits, as far as there is room.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import NoReturn, Protocol

from voice import metrics
from voice.condition import Part, note
from voice.place import Granted, Place
from voice.protocol import events as e
from voice.protocol.backlog import Backlog
from voice.protocol.commands import ToUpstream
from voice.protocol.dialling import Dialling
from voice.upstream.base import Upstream, UpstreamClosed, UpstreamError, UpstreamTimeout

log = logging.getLogger("voice.session")

SEND_LIMIT = 5.0
"""Seconds that one message may take to leave."""

Connect = Callable[[], Upstream]
"""Makes a conversation with the upstream that is not dialled yet."""


class Holder(Protocol):
    """Who holds the line."""

    def reached(self) -> None:
        """The upstream is there, for the first time."""

    def receive(self, event: e.UpstreamEvent | e.LineEvent) -> None:
        """It said something, or was lost, or is back."""

    def take(self, audio: e.AudioDelta) -> bool:
        """It said this of an answer: take it, unless that has to be waited for. Raises nothing."""

    async def room(self) -> None:
        """Wait until what it says next can be taken."""


class Line:
    """One session's line. Made for one :meth:`run`; the other methods never wait."""

    __slots__ = (
        "_clear", "_connect", "_dropped", "_due", "_failure", "_holder", "_now", "_place", "_session_id", "backlog",
        "redials", "retry_after", "upstream",
    )  # fmt: skip

    def __init__(self, session_id: str, connect: Connect, holder: Holder) -> None:
        self.upstream = connect()
        """The newest connection, made if not yet dialled."""
        self.backlog = Backlog()
        self.redials = 0
        """How often it was lost and dialled again."""
        self.retry_after: float | None = None
        """Seconds that the service asks us to stay away, where it did in the end."""
        self._session_id, self._connect, self._holder = session_id, connect, holder
        self._failure: UpstreamError = UpstreamClosed("not dialled")
        """By what the upstream was lost; before it was there, by what it could not be reached."""
        self._now = asyncio.get_running_loop().time
        self._due, self._dropped = asyncio.Event(), asyncio.Event()
        self._place: Place = Granted()
        self._clear = False
        """The upstream is there, and all that was pushed before has been sent."""

    def push_audio(self, pcm: bytes) -> bool:
        """Send this piece of audio: at once, if nothing is in its way, or when the upstream takes it. Whether it has
        gone."""
        if self._clear and self._now() < self._place.valid_until and self.upstream.send_audio_at_once(pcm):
            return True
        self.backlog.push_audio(pcm)
        self._wait()
        return False

    def push(self, command: ToUpstream) -> None:
        """Send this command, behind what was pushed before."""
        self.backlog.push(command)
        self._wait()

    def drop(self) -> None:
        """Nothing more is expected of the connection: it counts as lost."""
        self._dropped.set()

    async def run(self, place: Place) -> UpstreamError:
        """Dial, and hold the line until the upstream is given up. Why it is: where it was lost and cannot be reached
        again, by what it was lost. Nothing is sent while ``place`` is not valid.

        Cancelled, it closes the connection first, within a second.
        """
        self._place = place
        dialling = Dialling(self._now())
        while (wait := await self._connection(dialling)) is not None:
            metrics.reconnecting("upstream")
            await asyncio.sleep(wait)
            self.upstream = self._connect()
        return self._failure

    async def _connection(self, dialling: Dialling) -> float | None:
        """One connection, from dialling to its end. Seconds until the next; ``None``: the upstream is given up.

        In a task of its own: before Python 3.13 a task group swallows a cancellation that comes together with a
        failure inside of it, and a session that is over would go on to dial.
        """
        holding = asyncio.create_task(self._hold(dialling))
        try:
            await asyncio.wait({holding})
            return holding.result()
        finally:
            holding.cancel()
            await asyncio.wait({holding})

    async def _hold(self, dialling: Dialling) -> float | None:
        failures: list[UpstreamError] = []
        async with AsyncExitStack() as stack:
            try:
                await self._dial(stack, dialling.deadline)
                self._reached(dialling)
                async with asyncio.TaskGroup() as tasks:
                    for work in (self._listen, self._feed, self._until_dropped):
                        tasks.create_task(work())
            except* UpstreamError as errors:
                failures += [error for error in errors.exceptions if isinstance(error, UpstreamError)]
            self._clear = False
            return self._failed(failures[0], dialling)  # told before it is closed, which may take a second

    def _failed(self, error: UpstreamError, dialling: Dialling) -> float | None:
        log.warning("upstream failed: %s", error, extra={"session": self._session_id})
        note(Part.UPSTREAM, ok=False)
        lost = dialling.connected
        if lost or not dialling.redials:
            self._failure = error
        wait = dialling.failed(error.reason, self._now(), error.retry_after)
        if wait is None:
            self.retry_after = error.retry_after
        elif lost:
            self._lose(dialling)
        return wait

    async def _dial(self, stack: AsyncExitStack, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await stack.enter_async_context(self.upstream)
        except TimeoutError:
            raise UpstreamTimeout("not there in time") from None

    def _reached(self, dialling: Dialling) -> None:
        dialling.reached()
        note(Part.UPSTREAM, ok=True)
        self._dropped.clear()
        self._due.set()
        if dialling.redials:
            self._holder.receive(e.UpstreamBack())
        else:
            self._holder.reached()

    def _lose(self, dialling: Dialling) -> None:
        """What was on its way is dropped, but for what the visitor said; that comes behind what is to be told first."""
        self.redials = dialling.redials
        waiting = self.backlog.clear()
        self._holder.receive(e.UpstreamLost())
        for pcm in waiting:
            self.backlog.push_audio(pcm)

    async def _listen(self) -> None:
        async for event in self.upstream.events(self._holder.take):
            self._holder.receive(event)
            await self._holder.room()

    def _wait(self) -> None:
        self._clear = False
        self._due.set()

    async def _feed(self) -> NoReturn:
        while True:
            await self._due.wait()
            self._due.clear()
            while (waiting := await self._next()) is not None:
                try:
                    async with asyncio.timeout(SEND_LIMIT):
                        await self._send(waiting)
                except TimeoutError:
                    raise UpstreamTimeout("it takes no more") from None
            self._clear = not self._due.is_set()

    async def _next(self) -> bytes | ToUpstream | None:
        if self._now() >= self._place.valid_until:
            await self._place.confirmed()
        return self.backlog.pop()

    async def _send(self, waiting: bytes | ToUpstream) -> None:
        if isinstance(waiting, bytes):
            await self.upstream.send_audio(waiting)
        else:
            await self.upstream.send(waiting)

    async def _until_dropped(self) -> NoReturn:
        await self._dropped.wait()
        raise UpstreamTimeout("it says no more of an answer")
