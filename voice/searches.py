"""The searches of a session while they run: each in a task, within its time, and one event each that says what came.

What to search for, and what becomes of it, is decided by the turn's :class:`~voice.protocol.prefetch.Prefetch`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from voice.condition import Part, note
from voice.knowledge.base import Knowledge, KnowledgeError, KnowledgeUnavailable, Scope
from voice.protocol import events as e
from voice.protocol.commands import Retrieve
from voice.protocol.context import Passage, alternate

log = logging.getLogger("voice.session")

SEARCH_LIMIT = 3.0
"""Seconds until a search is given up. Far more than an answer waits for one; it bounds what a dead backend holds."""


class Searches:
    """One session's. ``language``, ``passages`` and ``scope`` go with each to the ``knowledge``."""

    def __init__(
        self,
        session_id: str,
        knowledge: Knowledge,
        receive: Callable[[e.KnowledgeEvent], None],
        *,
        language: str,
        passages: int,
        scope: Scope,
    ) -> None:
        """``receive`` is told what came of each, but for those that were cancelled."""
        self._session_id, self._knowledge, self._receive = session_id, knowledge, receive
        self._language, self._passages, self._scope = language, passages, scope
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, command: Retrieve, tasks: asyncio.TaskGroup) -> None:
        """Search, in a task of this group."""
        self._running[command.search_id] = tasks.create_task(self._run(command))

    def cancel(self, search_id: str) -> None:
        """Nobody wants to know any more; nothing happens if it is over."""
        search = self._running.pop(search_id, None)
        if search is not None:
            search.cancel()

    def cancel_all(self) -> None:
        """The session is over."""
        for search_id in tuple(self._running):
            self.cancel(search_id)

    async def _run(self, command: Retrieve) -> None:
        found = await self._found(command)
        note(Part.KNOWLEDGE, ok=isinstance(found, e.PassagesRetrieved))
        self._receive(found)
        self._running.pop(command.search_id, None)

    async def _found(self, command: Retrieve) -> e.KnowledgeEvent:
        try:
            async with asyncio.timeout(SEARCH_LIMIT):
                passages = await self._search(command)
        except TimeoutError:
            return e.RetrievalFailed(command.search_id, "timeout")
        except KnowledgeUnavailable:
            return e.RetrievalFailed(command.search_id, "unavailable")
        except KnowledgeError:
            return e.RetrievalFailed(command.search_id, "error")
        except Exception:  # a backend's bug costs one search, not the conversation
            log.exception("the knowledge failed", extra={"session": self._session_id})
            return e.RetrievalFailed(command.search_id, "error")
        return e.PassagesRetrieved(command.search_id, passages)

    async def _search(self, command: Retrieve) -> tuple[Passage, ...]:
        if not command.on_page:
            return await self._ask(command.query)
        try:
            async with asyncio.TaskGroup() as tasks:
                on_page, found = (tasks.create_task(self._ask(query)) for query in (command.on_page, command.query))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return alternate(on_page.result(), found.result(), self._passages)

    async def _ask(self, query: str) -> tuple[Passage, ...]:
        return await self._knowledge.search(query, language=self._language, limit=self._passages, scope=self._scope)
