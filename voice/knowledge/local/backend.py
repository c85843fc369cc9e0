"""The site's own documents, searched in this process: no service, no network."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import Error as DatabaseError
from django.db import close_old_connections

from voice.knowledge.base import EVERYONE, Knowledge, KnowledgeError, KnowledgeUnavailable, Progress, Scope, no_progress
from voice.knowledge.encoder import Encoder, sentence_encoder
from voice.knowledge.local.current import CurrentIndex
from voice.knowledge.options import KnowledgeOptions
from voice.protocol.context import Passage

logger = logging.getLogger("voice.knowledge.local")

T = TypeVar("T")

THREADS: Final = 2
"""A search keeps a core busy for about 10 ms: more threads would only take time from the conversations. What
waits for one is bounded by the sessions, each of which has one search in flight."""


class LocalKnowledge(Knowledge):
    """``KnowledgeDocument`` rows, by meaning and by words; a changed row is found by the next question."""

    name = "local"

    def __init__(self, options: KnowledgeOptions, *, encoder: Callable[[], Encoder | None] = sentence_encoder) -> None:
        """``encoder`` is called in a thread, when an index is made: first by the first search."""
        self._options = options
        self._index = CurrentIndex(encoder)
        self._threads: ThreadPoolExecutor | None = None

    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        """As the port says. The first search waits for the index; see :meth:`prepare`."""
        return await self._in_thread(lambda: self._index.get().search(query, language, self._options, limit, scope))

    async def prepare(self, progress: Progress = no_progress) -> int:
        """Load the encoder and index all documents, so that the first question need not wait.

        Returns how many documents there are. ``progress`` is called from another thread.

        Raises:
            KnowledgeUnavailable: the database cannot be read.
        """
        return await self._in_thread(lambda: len(self._index.get(progress).documents))

    async def close(self) -> None:
        """Let the threads end with the searches that they have; these are not waited for."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="knowledge")
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with_database, work)


def _with_database(work: Callable[[], T]) -> T:
    """What Django does around a request: no connection that is broken or too old is used, or left behind."""
    close_old_connections()
    try:
        return work()
    except KnowledgeError:
        raise
    except (DatabaseError, sqlite3.Error) as error:
        raise KnowledgeUnavailable(type(error).__name__) from error
    except Exception as error:  # of the encoder, which is not ours; a visitor's turn must not end by it
        logger.exception("A search in the knowledge failed.")
        raise KnowledgeError(type(error).__name__) from error
    finally:
        close_old_connections()
