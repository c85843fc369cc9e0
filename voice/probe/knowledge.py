"""Knowledge under observation: one that finds the same for every question, and one that delays another and watches."""

from __future__ import annotations

import asyncio

from voice.knowledge.base import EVERYONE, Knowledge, Scope
from voice.protocol.context import Passage

PASSAGE = Passage("A passage", "Whatever is asked, this is what the site knows about it.")


class ScriptedKnowledge(Knowledge):
    """Finds :data:`PASSAGE`, at once, whatever is asked."""

    name = "scripted"

    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        """Find it."""
        return (PASSAGE,)


class ObservedKnowledge(Knowledge):
    """Another knowledge, each of whose searches takes ``latency_ms`` longer. With infinity it never answers."""

    def __init__(self, knowledge: Knowledge, latency_ms: float = 0) -> None:
        self.name = knowledge.name
        self.searches: list[tuple[float, float]] = []
        """When each search began and ended in any way, on the event loop's clock."""
        self._knowledge = knowledge
        self._latency_ms = latency_ms

    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        """Wait, then search."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await asyncio.sleep(self._latency_ms / 1000)
            return await self._knowledge.search(query, language=language, limit=limit, scope=scope)
        finally:
            self.searches.append((began, loop.time()))
