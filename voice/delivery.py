"""What the visitor is told: at once where it leaves at once, and else by a task that can wait.

:class:`Delivery` owns what waits to go to the visitor, as :class:`~voice.line.Line` owns what waits to go up. When
something may leave is decided by :class:`~voice.protocol.egress.Egress`, and whether its reader keeps up by
:class:`~voice.protocol.window.Window`.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import Protocol

from voice.place import Granted, Place
from voice.protocol import commands as c
from voice.protocol.egress import Egress
from voice.protocol.events import Heard
from voice.protocol.outcomes import EndReason
from voice.protocol.tally import Tally
from voice.protocol.window import Window

SEND_LIMIT = 5.0
"""Seconds that one message may take to leave. uvicorn never drops a reader that stopped reading."""
FAREWELL_LIMIT = 1.0
"""Seconds for the last messages to the visitor."""


class Visitor(Protocol):
    """Who is told."""

    @property
    def has_room(self) -> bool:
        """Whether what is told now leaves at once."""

    def tell_at_once(self, command: c.ToBrowser) -> None:
        """Tell this, while there is room. Never waits, and raises nothing."""

    async def tell(self, command: c.ToBrowser) -> None:
        """Tell this, when it can leave. Raises ``OSError`` if nobody is there any more."""


class Holder(Protocol):
    """Whose visitor it is."""

    def end(self, reason: EndReason) -> None:
        """The visitor cannot be told any more."""

    def fail(self, fault: Exception) -> None:
        """A fault of ours, outside of every task."""


class Delivery:
    """One session's. Made for one :meth:`run`; the other methods never wait, but for :meth:`room` and
    :meth:`take_leave`.

    ``reports``: the client has to say what it has played, and is given up if it does not.
    """

    def __init__(self, visitor: Visitor, holder: Holder, tally: Tally, *, reports: bool) -> None:
        self.place: Place = Granted()
        """While it is not valid, nothing leaves."""
        self._visitor, self._holder, self._tally, self._reports = visitor, holder, tally, reports
        self._egress = Egress(reports=reports)
        self._window = Window()
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._context = contextvars.copy_context()
        """For the timer, which may be set by a call of a server or of a library, in nobody's context."""
        self._due, self._room = asyncio.Event(), asyncio.Event()
        self._waits = self._crowded = self._over = False
        """Whether the task has the word; whether somebody waits for room; whether only last words are left."""
        self._bell: asyncio.TimerHandle | None = None

    @property
    def deepest_ms(self) -> int:
        """The most audio that ever waited."""
        return self._egress.deepest_ms

    def tell(self, command: c.ToBrowser) -> None:
        """Tell this, in its turn."""
        now = self._now()
        self._egress.push(command, now)
        if not self._waits and not self._over:
            self._say(now)
        elif self._egress.is_stuck:
            self._holder.end(EndReason.SLOW_CLIENT)

    def heard(self, event: Heard, now: float) -> None:
        """The client says what it has played."""
        self._window.played(event.item_id, event.played_ms)
        self._egress.heard(now)
        self._make_room(now)

    def is_full(self, now: float) -> bool:
        """Whether more of an answer has to wait for :meth:`room`."""
        return self._egress.is_full(now)

    async def room(self) -> None:
        """Wait until more of an answer can be taken."""
        if self._egress.is_full(self._now()):
            self._crowded = True
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Tell what could not leave at once, until nobody can be told."""
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await self.place.confirmed()
                while self._now() < self.place.valid_until and self._egress.is_due(self._now()):
                    await self._tell_next()
                self._waits = False
                if not self._over:
                    self._say(self._now())
        except TimeoutError:
            self._holder.end(EndReason.SLOW_CLIENT)
        except OSError:  # how ASGI servers say that nobody is there any more
            self._holder.end(EndReason.CLIENT_LOST)

    def stop(self) -> None:
        """The session is over. What is told from now on is for :meth:`take_leave`."""
        self._over = True
        if self._bell is not None:
            self._bell.cancel()

    async def take_leave(self) -> None:
        """Tell the last words, if the visitor is still there. What was not sent of an answer is dropped."""
        self._egress.silence(self._now())
        try:
            async with asyncio.timeout(FAREWELL_LIMIT):
                while self._egress.is_due(self._now()):
                    await self._visitor.tell(self._egress.pop(self._now()))
        except (TimeoutError, OSError):
            return  # whoever owns the socket knows

    async def _tell_next(self) -> None:
        command = self._egress.pop(self._now())
        async with asyncio.timeout(SEND_LIMIT):
            await self._visitor.tell(command)
        self._account(command)

    def _say(self, now: float) -> None:
        """Tell what is due, as far as it leaves at once."""
        egress, visitor = self._egress, self._visitor
        while egress.is_due(now):
            if now >= self.place.valid_until or not visitor.has_room:
                self._waits = True
                self._due.set()
                return
            command = egress.pop(now)
            visitor.tell_at_once(command)
            self._account(command)
        if self._crowded:
            self._make_room(now)
        if self._bell is None and (wait := egress.wait(now)) is not None:
            # For when the first of what waits is due; nothing behind it is due earlier.
            self._bell = self._loop.call_later(wait, self._ring, context=self._context)

    def _ring(self) -> None:
        self._bell = None
        if self._waits or self._over:
            return
        try:
            self._say(self._now())
        except Exception as fault:
            self._holder.fail(fault)

    def _make_room(self, now: float) -> None:
        if self._crowded and not self._egress.is_full(now):
            self._crowded = False
            self._room.set()

    def _account(self, told: c.ToBrowser) -> None:
        if isinstance(told, c.Play):
            size = len(told.pcm)
            self._tally.answer_frames += 1
            self._tally.answer_bytes += size
            self._window.sent(told.item_id, size)
            if self._reports and self._window.is_over:
                self._holder.end(EndReason.SLOW_CLIENT)
        elif isinstance(told, c.StopPlayback):
            self._window.stopped()
