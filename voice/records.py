"""A session's facts become rows, off the conversation's path.

The row of a session is committed before its upstream is dialled, so whatever costs money has a record. It ends by one
conditional ``UPDATE``, which needs no lock and lets exactly one writer win, in however many places a session is
declared over. Django's own server-side tidying up is no help here: neither Daphne nor uvicorn promises to run
``disconnect()``, hence a context manager::

    async with Recorder(session_id) as recorder:
        await recorder.open(user_id=..., provider=..., model=..., language=...)
        ...
        await recorder.finish(reason)

Nothing here waits for a database longer than said, and no conversation ends because a fact could not be kept.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import Error as DatabaseFault
from django.utils import timezone

from voice import database, finishing
from voice.models import VoiceSession, VoiceTurn
from voice.protocol.commands import SessionBegan, ToRecords, TurnEnded
from voice.protocol.outcomes import EndReason

logger = logging.getLogger(__name__)

OPEN_SECONDS = 2.0
"""How long a visitor waits for the row before they are asked to come back."""
CALL_SECONDS = 5.0
"""Limit of any other call; what it should have written counts as lost then, or is tried again."""
FINISH_SECONDS = 1.0
"""How long :meth:`Recorder.finish` waits for its write; the write itself goes on."""
RETRY_SECONDS = 60.0
"""How long the end of a session is tried to be written, pauses added up."""

Sleep = Callable[[float], Awaitable[None]]


class RecordsUnavailable(Exception):
    """The session cannot be recorded, so it must not begin."""

    reason = EndReason.OVERLOADED


@dataclass(frozen=True, slots=True)
class _End:
    reason: EndReason
    at: datetime


class Recorder:
    """The record of one session. ``session_id`` is a UUID as hexadecimal digits."""

    def __init__(self, session_id: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self.session_id = session_id
        self._id = uuid.UUID(session_id)
        self._sleep = sleep
        self._inserting: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """A session that nobody ended by now was ended by a fault."""
        await self.finish(EndReason.INTERNAL_ERROR)

    async def open(self, *, user_id: Any, provider: str, model: str, language: str) -> None:
        """Commit the row, within two seconds; once. Raises :class:`RecordsUnavailable`."""
        row = VoiceSession(id=self._id, user_id=user_id, provider=provider, model=model, language=language)
        self._inserting = finishing.begin(_insert(row))
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await asyncio.shield(self._inserting)
        except (TimeoutError, DatabaseFault) as error:
            # The insert may yet succeed, unheard: then the row must not stay open.
            self._end(RecordsUnavailable.reason)
            raise RecordsUnavailable(type(error).__name__) from error

    async def ready(self) -> None:
        """The visitor can speak from now on."""
        await self._note("ready", _set_ready, self._id, timezone.now())

    async def keep(self, fact: ToRecords) -> None:
        """Keep what the conversation told: that it began, and the facts of its turns. Raises nothing."""
        if isinstance(fact, SessionBegan):
            await self.ready()
        elif isinstance(fact, TurnEnded):
            await self.turn(fact)

    async def turn(self, ended: TurnEnded) -> None:
        """Keep the facts of a turn: one insert. What was said is not among them."""
        await self._note("turn", _insert_turn, self._id, ended)

    async def finish(self, reason: EndReason) -> None:
        """End the row with ``reason``. Only the first call counts; without a row, nothing happens.

        Waits a second at most. The write goes on without its caller, also through a cancellation, and is tried again
        for a minute; :func:`voice.finishing.settled` waits for it when the process stops.
        """
        if self._inserting is not None:
            await finishing.waited(self._end(reason), FINISH_SECONDS)

    def _end(self, reason: EndReason) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = finishing.begin(self._write_end(_End(reason, timezone.now())))
        return self._ending

    async def _write_end(self, end: _End) -> None:
        if await self._has_no_row():
            return
        cause = ""
        for pause in _pauses():
            try:
                await database.call(_set_ended, self._id, end, limit=CALL_SECONDS)
                return
            except (DatabaseFault, TimeoutError) as error:
                cause = type(error).__name__
            await self._sleep(pause)
        logger.error("session %s ended (%s), but its record stays open: %s", self.session_id, end.reason, cause)

    async def _has_no_row(self) -> bool:
        """Whether the insert is known to have failed. One that was not answered in time may have succeeded."""
        if self._inserting is None:
            return True
        await asyncio.wait({self._inserting})
        error = self._inserting.exception()
        return error is not None and not isinstance(error, TimeoutError)

    async def _note(self, what: str, write: Callable[..., None], *args: Any) -> None:
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


def _set_ended(session_id: uuid.UUID, end: _End) -> None:
    VoiceSession.objects.filter(pk=session_id, ended_at=None).update(ended_at=end.at, end_reason=end.reason.value)


def _insert_turn(session_id: uuid.UUID, ended: TurnEnded) -> None:
    VoiceTurn(
        session_id=session_id,
        number=ended.number,
        outcome=ended.outcome.value,
        typed=ended.typed,
        searches=dict(ended.searches),
        marks=dict(ended.marks),
        prefetched=ended.prefetched,
        context_confirmed=ended.context_confirmed,
        sources=[{"title": source.title, "url": source.url} for source in ended.sources],
    ).save(force_insert=True)
