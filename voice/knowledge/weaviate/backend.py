"""The site's texts in Weaviate: an own one or in the cloud, filled by ``voice_sync`` or by the site.

A visitor's answer never waits for this longer than a turn's budget, whatever the server does: each call has a time
limit, and when the server does not answer five times in a row, searches are refused at once for ten seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from array import array
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from voice.knowledge.base import EVERYONE, Knowledge, KnowledgeError, KnowledgeUnavailable, Progress, Scope, no_progress
from voice.knowledge.encoder import Encoder, sentence_encoder
from voice.knowledge.weaviate.breaker import Breaker
from voice.knowledge.weaviate.options import WeaviateOptions
from voice.knowledge.words import primary
from voice.protocol.context import Passage

if TYPE_CHECKING:
    from voice.knowledge.weaviate.connection import WeaviateConnection

logger = logging.getLogger("voice.knowledge.weaviate")

T = TypeVar("T")

CHARACTERS: Final = 1_000
"""Of a question: more than a minute's speech."""
THREADS: Final = 2
"""For the encoder, as many as :mod:`local` has, and for its reasons."""
RESTING: Final = "the server did not answer lately"


class WeaviateKnowledge(Knowledge):
    """One client for each event loop, opened by the first search and again by the first after :meth:`close`."""

    name = "weaviate"

    def __init__(
        self,
        options: WeaviateOptions,
        *,
        encoder: Callable[[], Encoder | None] = sentence_encoder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``encoder`` is called in a thread. ``clock`` gives seconds, for the rests of the breaker."""
        self._options = options
        self._own = options.search != "bm25" and options.vectors in {None, "own"}
        self._encoder, self._clock = encoder, clock
        self._connections: dict[AbstractEventLoop, Task[WeaviateConnection]] = {}
        self._breaker = Breaker()
        self._threads: ThreadPoolExecutor | None = None
        self._told: tuple[str, ...] = ()
        self._told_open = False

    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        """As the port says. Texts of the visitor's language, and those for everyone, are searched."""
        text = searchable(query)
        if not text or () in scope.filters.values():
            return ()
        if self._breaker.refuses(self._clock()):  # before the work on a vector
            raise KnowledgeUnavailable(RESTING)
        vector = await self._vector(text) if self._own else None
        with self._guard():
            connection = await self._connection()
            return await connection.search(text, vector, primary(language), limit, scope)

    async def prepare(self, progress: Progress = no_progress) -> int:
        """Connect, load the encoder, and see that the collection can be searched. No document needs preparing: 0.

        Raises:
            KnowledgeError: it cannot; where the reason is in the collection's schema, the log says it.
        """
        with self._guard():
            connection = await self._connection()
            await connection.inspect()
        self._tell(connection.problems)
        if connection.problems:
            raise KnowledgeError("the collection is not as the settings say")
        try:
            await self.search("hello", language="", limit=1)
        except KnowledgeUnavailable:
            raise
        except KnowledgeError:
            if not connection.tenants:  # with tenants there is none to search in here, and the refusal was an answer
                raise
        return 0

    async def close(self) -> None:
        """Give up this event loop's client; searches that are under way fail."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)
        opening = self._connections.pop(asyncio.get_running_loop(), None)
        if opening is None:
            return
        opening.cancel()  # does nothing to one that is done
        await asyncio.wait({opening})
        if _opened(opening):
            await opening.result().close()

    # -- the meaning of a question ---------------------------------------------------------------------------

    async def _vector(self, text: str) -> list[float] | None:
        return await self._in_thread(lambda: _encoded(self._encoder(), text))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="knowledge")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except Exception as error:  # of the encoder, which is not ours
            logger.exception("The encoder failed.")
            raise KnowledgeError(type(error).__name__) from error

    # -- the client ------------------------------------------------------------------------------------------

    async def _connection(self) -> WeaviateConnection:
        """This event loop's. Searches that need it at once share one attempt, which outlives who began it."""
        loop = asyncio.get_running_loop()
        for gone in [known for known in self._connections if known.is_closed()]:
            del self._connections[gone]
        opening = self._connections.get(loop)
        if opening is None or (opening.done() and not _opened(opening)):
            opening = self._connections[loop] = loop.create_task(self._open())
            opening.add_done_callback(_opened)  # sees its error, also where nobody waits for it any more
        await asyncio.wait({opening})
        if opening.cancelled():
            raise KnowledgeUnavailable("closed")
        return opening.result()

    async def _open(self) -> WeaviateConnection:
        connection_class = await self._imported()
        own = self._own and await self._in_thread(lambda: self._encoder() is not None)
        connection = await connection_class.open(self._options, own=own)
        self._tell(connection.problems)
        return connection

    async def _imported(self) -> type[WeaviateConnection]:
        """In a thread: the client's import takes half a second, which must not hold up the conversations."""
        try:
            return await asyncio.to_thread(_connection_class)
        except Exception as error:  # not installed, or with versions of protobuf and grpcio that do not fit together
            self._tell((f"The client of Weaviate cannot be imported: {error}",))
            raise KnowledgeError(type(error).__name__) from error

    def _tell(self, problems: tuple[str, ...]) -> None:
        """Once, until they change."""
        if problems != self._told:
            for problem in problems:
                logger.error("%s", problem)
        self._told = problems

    # -- the breaker -----------------------------------------------------------------------------------------

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Around a call: refused while the breaker is open, which learns how the call went."""
        if not self._breaker.admit(self._clock()):
            raise KnowledgeUnavailable(RESTING)
        try:
            yield
        except KnowledgeUnavailable:
            self._breaker.failed(self._clock())
            raise
        except KnowledgeError:
            self._breaker.succeeded()
            raise
        except BaseException:
            self._breaker.abandoned()
            raise
        else:
            self._breaker.succeeded()
        finally:
            self._tell_state()

    def _tell_state(self) -> None:
        if self._breaker.open and not self._told_open:
            logger.warning("Weaviate does not answer: answers go on without it, and it is asked every 10 s.")
        elif self._told_open and not self._breaker.open:
            logger.info("Weaviate answers again.")
        self._told_open = self._breaker.open


def searchable(query: str) -> str:
    """``query`` as a server can take it; empty if nothing in it can be searched for."""
    text = query[:CHARACTERS].replace("\0", " ").encode(errors="ignore").decode().strip()
    return text if any(character.isalnum() for character in text) else ""


def _encoded(encoder: Encoder | None, text: str) -> list[float] | None:
    return list(array("f", encoder.encode([text])[0])) if encoder else None


def _opened(opening: Task[WeaviateConnection]) -> bool:
    return opening.done() and not opening.cancelled() and opening.exception() is None


def _connection_class() -> type[WeaviateConnection]:
    from voice.knowledge.weaviate.connection import WeaviateConnection

    return WeaviateConnection
