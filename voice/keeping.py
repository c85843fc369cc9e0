"""The facts of a session on their way to its record, in order, off the conversation's path.

Whatever has changed by then is counted with each fact, so the record is never older than the last answer: a process
that is killed loses at most what was under way, and of what that turn has cost no more than the last
:data:`COUNT_SECONDS`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Protocol

from voice import finishing
from voice.protocol import commands as c
from voice.protocol.counters import Counters
from voice.protocol.tally import Tally

log = logging.getLogger("voice.session")

COUNT_SECONDS = 10.0
"""For which what something cost waits for a fact to be stored with. Most answers are over by then; with half of it, a
turn wrote its count twice."""
RECORD_LIMIT = 5.0
"""Seconds that the end of a session waits for its last facts."""


class Recorder(Protocol):
    """Where the facts of a session go. Nothing here may raise for a fault of the store."""

    async def keep(self, fact: c.ToRecords, counters: Counters) -> None:
        """Store one fact, and the count so far with it."""

    async def checkpoint(self, counters: Counters) -> None:
        """Store the count so far."""

    def remember(self, counters: Counters) -> None:
        """The last count, told once; it is stored with the session's end."""


class Keeper:
    """Between the conversation, which must not wait, and a recorder, which may be slow."""

    def __init__(self, session_id: str, recorder: Recorder, tally: Tally) -> None:
        self._session_id, self._recorder, self._tally = session_id, recorder, tally
        self._facts: deque[c.ToRecords] = deque()  # bounded by the turns that a session can hold
        self._due, self._pressing = asyncio.Event(), asyncio.Event()
        self._storing: asyncio.Task[None] | None = None

    def note(self, fact: c.ToRecords) -> None:
        """Something is to be kept. Never waits."""
        self._tally.count(fact)
        self._due.set()
        if not isinstance(fact, c.CountUsage):  # counted, and in every checkpoint
            self._facts.append(fact)
            self._pressing.set()

    async def run(self) -> None:
        """Store what is noted, until cancelled."""
        while True:
            await self._due.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(COUNT_SECONDS):
                    await self._pressing.wait()
            self._due.clear()
            self._pressing.clear()
            # In a task of its own: a fact that is being stored when the session ends is neither lost nor stored twice.
            self._storing = asyncio.create_task(self._store())
            await asyncio.shield(self._storing)

    async def finish(self) -> None:
        """Store what is left. Call once, at the end, when nothing is noted any more.

        Waits :data:`RECORD_LIMIT` at most; what is not stored by then goes on by itself, each fact within the
        recorder's own limits (:mod:`voice.finishing`).
        """
        self._recorder.remember(self._tally.counters())
        rest = finishing.begin(self._store_rest())
        if await finishing.waited(rest, RECORD_LIMIT):
            rest.result()
        else:
            log.warning("the last facts of a session are slow to be stored", extra={"session": self._session_id})

    async def _store_rest(self) -> None:
        if self._storing is not None:
            await asyncio.wait({self._storing})
        await self._store_facts()

    async def _store(self) -> None:
        if not self._facts:
            await self._recorder.checkpoint(self._tally.counters())
        await self._store_facts()

    async def _store_facts(self) -> None:
        while self._facts:
            await self._recorder.keep(self._facts.popleft(), self._tally.counters())
