"""A session's facts become rows, off the conversation's path.

The row of a session is committed before its upstream is dialled, so whatever costs money has a record. It ends once
(:mod:`voice.ends`). Django's own server-side tidying up is no help here: neither Daphne nor uvicorn promises to run
``disconnect()``, hence a context manager::

    async with Recorder(session_id) as recorder:
        await recorder.open(user_id=..., provider=..., model=..., language=...)
        ...
        await recorder.finish(reason)

Nothing here waits for a database longer than said, and no conversation ends because a fact could not be kept. What
the database does not take, a turn or the end, goes to the :mod:`~voice.spool` at once, and whoever reaps brings it
there; an end is also tried on for a minute. A checkpoint that is not taken is made good by the next.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Self

from django.db import Error as DatabaseFault
from django.utils import timezone

from voice import counts, database, ends, finishing, heartbeat
from voice.counts import Count
from voice.ends import End
from voice.models import VoiceSession
from voice.protocol.commands import QuestionCorrected, SessionBegan, ToRecords, TurnEnded
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason
from voice.spool import Spool, SpoolError
from voice.turns import Facts, Words

logger = logging.getLogger(__name__)

OPEN_SECONDS = 2.0
"""How long a visitor waits for the row before they are asked to come back."""
CALL_SECONDS = 5.0
"""Limit of any other call; what it should have written goes elsewhere then, or is tried again."""
FINISH_SECONDS = 1.0
"""How long :meth:`Recorder.finish` waits for its write; the write itself goes on."""
RETRY_SECONDS = 60.0
"""How long the end of a session is tried to be written, pauses added up."""

Sleep = Callable[[float], Awaitable[None]]


class RecordsUnavailable(Exception):
    """The session cannot be recorded, so it must not begin."""

    reason = EndReason.OVERLOADED


class Recorder:
    """The record of one session. ``session_id`` is a UUID as hexadecimal digits.

    What is said is stored only with ``transcripts``.
    """

    def __init__(
        self, session_id: str, spool: Spool, *, transcripts: bool = False, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.session_id = session_id
        self._id = uuid.UUID(session_id)
        self._spool, self._transcripts, self._sleep = spool, transcripts, sleep
        self._count = Count()
        self._inserting: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._refused = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """A session that nobody ended by now was ended by a fault."""
        await self.finish(EndReason.INTERNAL_ERROR)

    async def open(
        self, *, user_id: Any, provider: str, conversation_id: str = "", resumed_from: str = "", **facts: str
    ) -> None:
        """Commit the row, within two seconds; once. Raises :class:`RecordsUnavailable`.

        ``conversation_id`` (by default a new one) and the session ``resumed_from`` are UUIDs as hexadecimal digits.
        ``facts`` are further columns: ``model``, ``language``, ``client``, ``notice``, ``currency``, ``price_version``.
        """
        row = VoiceSession(
            id=self._id,
            user_id=user_id,
            conversation_id=uuid.UUID(conversation_id) if conversation_id else self._id,
            resumed_from_id=uuid.UUID(resumed_from) if resumed_from else None,
            provider=provider,
            server=_server(),
            **facts,
        )
        self._inserting = finishing.begin(_insert(row))
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await asyncio.shield(self._inserting)
        except (TimeoutError, DatabaseFault) as error:
            # The insert may yet succeed, unheard: then the row must not stay open.
            self._end(RecordsUnavailable.reason)
            self._refused = True
            raise RecordsUnavailable(type(error).__name__) from error
        heartbeat.hold(self._id)

    async def ready(self) -> None:
        """The visitor can speak from now on."""
        await self._note("ready", _set_ready, self._id, timezone.now())

    async def keep(self, fact: ToRecords, counters: Counters) -> None:
        """Keep what the conversation told, that it began or the facts of its turns, and the count so far. Raises
        nothing."""
        self.remember(counters)  # before anything is waited for, so that no older count comes behind a newer one
        count = self._count
        if isinstance(fact, TurnEnded):
            await self.turn(fact, count)
            return
        if isinstance(fact, SessionBegan):
            await self.ready()
        elif isinstance(fact, QuestionCorrected) and self._transcripts:
            words = Words.corrected(self._id, timezone.now(), fact.number, fact.question)
            await self._store(words, words.write, f"{fact.number}-corrected")
        await self._keep(count)

    async def turn(self, ended: TurnEnded, count: Count) -> None:
        """Keep the facts of a turn, and the count with them; what was said only where that is stored."""
        now = timezone.now()
        facts = Facts.of(self._id, now, ended)
        await self._store(facts, partial(facts.write, count), f"{ended.number}-facts")
        if self._transcripts:
            words = Words.of(self._id, now, ended)
            await self._store(words, words.write, f"{ended.number}-words")

    async def _store(self, kept: Facts | Words, write: Callable[[], None], name: str) -> None:
        """In the database, or else on the disk for whoever reaps."""
        try:
            await database.call(write, limit=CALL_SECONDS)
        except (DatabaseFault, TimeoutError) as error:
            cause = type(error).__name__
            if await self._put_aside(f"{self.session_id}-{name}", kept.to_json()):
                logger.warning("session %s: turn %s waits in the spool: %s", self.session_id, name, cause)
            else:
                logger.error("session %s: turn %s is lost: %s", self.session_id, name, cause)

    async def checkpoint(self, counters: Counters) -> None:
        """Keep the count so far: one conditional update. Raises nothing."""
        self.remember(counters)
        await self._keep(self._count)

    async def _keep(self, count: Count) -> None:
        await self._note("checkpoint", counts.keep, self._id, count)

    def remember(self, counters: Counters) -> None:
        """This count goes with the session's end, if none comes after it."""
        self._count = self._count.next(counters)

    async def finish(self, reason: EndReason) -> None:
        """End the row with ``reason``. Only the first call counts; without a row, nothing happens.

        Waits a second at most, and not where the row could not be committed. The write goes on without its caller,
        also through a cancellation, and is tried again for a minute; :func:`voice.finishing.settled` waits for it when
        the process stops.
        """
        if self._inserting is None:
            return
        ending = self._end(reason)
        if not self._refused:
            await finishing.waited(ending, FINISH_SECONDS)

    def _end(self, reason: EndReason) -> asyncio.Task[None]:
        if self._ending is None:
            heartbeat.release(self._id)
            end = End(self._id, reason, timezone.now(), self._count)
            self._ending = finishing.begin(self._write_end(end))
        return self._ending

    async def _write_end(self, end: End) -> None:
        if await self._has_no_row():
            return
        spooled, cause = False, ""
        for pause in _pauses():
            try:
                await database.call(ends.write, end, limit=CALL_SECONDS)
            except (DatabaseFault, TimeoutError) as error:
                cause = type(error).__name__
            else:
                if spooled:
                    await asyncio.to_thread(self._spool.remove, self.session_id)
                return
            spooled = spooled or await self._put_aside(self.session_id, end.to_json())
            await self._sleep(pause)
        if spooled:
            logger.warning("session %s ended (%s); its end waits in the spool: %s", self.session_id, end.reason, cause)
        else:
            logger.error("session %s ended, and its record stays open: %s %s", self.session_id, cause, end.to_json())

    async def _put_aside(self, name: str, line: str) -> bool:
        # At once, whatever is tried afterwards: this process may be killed meanwhile.
        try:
            await asyncio.to_thread(self._spool.keep, name, line)
        except (OSError, SpoolError) as error:
            logger.error("session %s: nothing can be spooled: %s", self.session_id, error)
            return False
        return True

    async def _has_no_row(self) -> bool:
        """Whether the insert is known to have failed. One that was not answered in time may have succeeded."""
        if self._inserting is None:
            return True
        await asyncio.wait({self._inserting})
        error = self._inserting.exception()
        return error is not None and not isinstance(error, TimeoutError)

    async def _note(self, what: str, write: Callable[..., object], *args: Any) -> None:
        try:
            await database.call(write, *args, limit=CALL_SECONDS)
        except (DatabaseFault, TimeoutError) as error:
            logger.warning("session %s: %s not recorded: %s", self.session_id, what, type(error).__name__)


def _pauses() -> Iterator[float]:
    """Seconds after each failed attempt: from 0.2, doubling, up to 5, within a minute altogether."""
    pause, total = 0.2, 0.0
    while total + pause <= RETRY_SECONDS:
        yield pause
        total, pause = total + pause, min(2 * pause, 5.0)


async def _insert(row: VoiceSession) -> None:
    # Beyond the visitor's patience, because whether it succeeds must be known: see Recorder.open.
    await database.call(row.save, force_insert=True, limit=RETRY_SECONDS)


def _set_ready(session_id: uuid.UUID, at: datetime) -> None:
    VoiceSession.objects.filter(pk=session_id, ready_at=None).update(ready_at=at)


def _server() -> str:
    """This process, as an operator finds it: host and process id."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}"
