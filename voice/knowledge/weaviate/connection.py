"""A connected client of Weaviate, and the collection that is searched with it. Belongs to one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final, Self

import weaviate
from weaviate.exceptions import UnexpectedStatusCodeError

from voice.knowledge.base import KnowledgeError, Scope
from voice.knowledge.weaviate import query, schema
from voice.knowledge.weaviate.client import client
from voice.knowledge.weaviate.errors import translated, within
from voice.knowledge.weaviate.options import WeaviateOptions
from voice.protocol.context import Passage

CLOSING_SECONDS: Final = 1.0


class WeaviateConnection:
    """Made by :meth:`open`. Every method keeps to a time limit of the options."""

    def __init__(self, connected: weaviate.WeaviateAsyncClient, options: WeaviateOptions, own: bool) -> None:
        self._client, self._options, self._own = connected, options, own
        self._everyone = True
        self._target: str | None = None
        self.problems: tuple[str, ...] = ()
        """A sentence for each thing in the collection's schema that no search can succeed with."""
        self.tenants = False
        """Whether each search must name a tenant."""

    @classmethod
    async def open(cls, options: WeaviateOptions, *, own: bool) -> Self:
        """Connect, and learn how the collection is made. ``own``: vectors of questions are made on this side.

        Raises:
            KnowledgeError: and nothing else.
        """
        try:
            connection = cls(client(options), options, own)
        except ValueError as error:  # says which option is wrong
            raise KnowledgeError(str(error)) from None
        except Exception as error:  # the client's opinion of the options
            fault = translated(error)
        else:
            return await connection._opened()
        raise fault

    async def _opened(self) -> Self:
        try:
            await within(self._options.connect_timeout, self._connect())
        except BaseException:
            await self.close()
            raise
        return self

    async def _connect(self) -> None:
        await self._client.connect()
        await self._inspect()

    async def search(
        self, text: str, vector: list[float] | None, language: str, limit: int, scope: Scope
    ) -> tuple[Passage, ...]:
        """As the port says; ``language`` is a primary language or empty.

        Raises:
            KnowledgeError: and nothing else.
        """
        languages = query.languages(language, self._everyone)
        question = query.Question(text, languages, limit, scope, vector, self._target)
        return await within(self._options.query_timeout, self._search(question))

    async def _search(self, question: query.Question) -> tuple[Passage, ...]:
        answer = await query.ask(self._collection, question, self._options)
        return query.passages(answer, question, self._options)

    async def inspect(self) -> None:
        """See how the collection is made now. What cannot be seen is taken to be as it should be.

        Raises:
            KnowledgeError: and nothing else.
        """
        await within(self._options.connect_timeout, self._inspect())

    async def _inspect(self) -> None:
        try:
            config = await self._collection.config.get()
        except UnexpectedStatusCodeError as error:
            if error.status_code >= 500:
                raise
            self.problems = (schema.missing(self._options),) if error.status_code == 404 else ()
            return
        except (KeyError, TypeError, ValueError):  # something new in a schema, which this client cannot read
            self.problems = ()
            return
        self.problems = tuple(schema.problems(config, self._options, self._own))
        self.tenants = config.multi_tenancy_config.enabled
        self._everyone = schema.everyone(config, self._options)
        self._target = schema.target(config, self._own)

    @property
    def _collection(self) -> Any:
        return self._client.collections.use(self._options.collection)

    async def close(self) -> None:
        """Give it up; searches that are under way fail."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._client.close()
