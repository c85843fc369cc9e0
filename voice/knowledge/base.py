"""The port to the site's knowledge: a question goes in, passages come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voice.protocol.context import Passage

Progress = Callable[[int, int], None]
"""Told how many are done, and how many there are."""


def no_progress(done: int, total: int) -> None:
    """Nobody is watching."""


Filter = str | int | bool | tuple[str, ...]
"""What a property must be, or one of several texts that it may be."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one visitor may find. The same for all searches of their session."""

    tenant: str = ""
    """Whose texts are searched: those of this tenant and of nobody else. Empty: those that belong to no tenant."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    """Values that properties of a text must have, all of them, by the properties' names in the backend."""


EVERYONE = Scope()
"""Where the site makes no difference between visitors."""


class KnowledgeError(Exception):
    """The search came to nothing for a reason of the backend's; the visitor is answered without it."""


class KnowledgeUnavailable(KnowledgeError):
    """The backend cannot be reached now."""


class Knowledge(ABC):
    """A searchable body of texts, shared by all sessions of a process and event loop."""

    name: str
    """In settings, records and statistics: ``local``, ``weaviate``, ``none``."""

    @abstractmethod
    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        """The ``limit`` passages that fit ``query`` best, best first; an empty tuple if none does.

        ``language`` is the visitor's language tag; passages of that language are preferred or required, as the
        backend can. Nothing outside of ``scope`` is found, and a scope that the backend cannot keep to (a property
        that it does not have) is an error. The caller sets the time limit and may cancel at any await.

        Raises:
            KnowledgeError: and nothing else.
        """

    async def prepare(self, progress: Progress = no_progress) -> int:
        """Make the first search as quick as the others. Returns how many documents were made ready.

        ``progress`` is told how many of how many are; it may be called from another thread.

        Raises:
            KnowledgeError: and nothing else.
        """
        return 0

    async def close(self) -> None:
        """Give up connections. The next search may open them again."""


class NoKnowledge(Knowledge):
    """A site without knowledge: every search finds nothing, at once."""

    name = "none"

    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        """Find nothing."""
        return ()
