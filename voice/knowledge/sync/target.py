"""The collection on the server, for code that may wait.

The client is asynchronous, because only its calls can be stopped: the other kind tries again for a minute. It runs on
a loop of its own, so that between two calls the database and the encoder can be used as usual. Importing this takes
half a second, which only who syncs should wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast
from uuid import UUID

from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter
from weaviate.exceptions import AuthenticationFailedError, UnexpectedStatusCodeError, WeaviateInsertManyAllFailedError

from voice.knowledge.base import KnowledgeError, KnowledgeUnavailable
from voice.knowledge.weaviate.client import client
from voice.knowledge.weaviate.errors import translated
from voice.knowledge.weaviate.options import WeaviateOptions

from .pieces import DOCUMENT, HASH, Piece
from .plan import Stored
from .schema import UNNAMED, Property, Schema

T = TypeVar("T")

READ_LIMIT: Final = 30.0
WRITE_LIMIT: Final = 90.0
"""Seconds for one call. A module of the server's may ask another service for the vectors of what is written."""
CLOSE_LIMIT: Final = 2.0
PAGE: Final = 500
"""Objects a call that lists them: about 100 kB."""
REFUSALS: Final = frozenset({401, 403, 7, 16})
"""HTTP's unauthorised and forbidden, gRPC's permission denied and unauthenticated."""
DETAIL: Final = 300
"""Characters of a server's own words."""

Failures = dict[UUID, str]
"""What the server said of the objects that it did not take."""


class Target:
    """A context manager, connected inside. Every call has a time limit; not for use within an event loop.

    Raises:
        KnowledgeError: and nothing else, from every method, in words for who runs the site.
    """

    def __init__(self, options: WeaviateOptions) -> None:
        self._options = options
        try:
            self._client = client(replace(options, query_timeout=READ_LIMIT))
        except ValueError as error:
            raise KnowledgeError(str(error)) from None
        self._vector = UNNAMED
        # It prints the objects that were refused, each with its text; who called learns which ones they are.
        logging.getLogger("weaviate-client").setLevel(logging.CRITICAL)

    def __enter__(self) -> Self:
        self._loop = asyncio.Runner()
        try:
            self._wait(self._client.connect(), self._options.connect_timeout)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._loop.run(asyncio.wait_for(self._client.close(), CLOSE_LIMIT))
        except TimeoutError:
            pass
        finally:
            self._loop.close()

    @property
    def _collection(self) -> Any:
        return self._client.collections.use(self._options.collection)

    # -- the collection -------------------------------------------------------------------------------------------

    def schema(self) -> Schema | None:
        """What the collection is like; None if there is none."""
        if not self._wait(self._client.collections.exists(self._options.collection), READ_LIMIT):
            return None
        found = _schema(self._wait(self._collection.config.get(), READ_LIMIT))
        self._vector = found.vector
        return found

    def create(self, definition: Mapping[str, Any]) -> None:
        """Make the collection."""
        self._wait(self._client.collections.create_from_dict(dict(definition)), WRITE_LIMIT)

    def drop(self) -> None:
        """Delete the collection with all that is in it."""
        self._wait(self._client.collections.delete(self._options.collection), WRITE_LIMIT)

    def tenants(self) -> set[str]:
        """The tenants that there are."""
        return set(self._wait(self._collection.tenants.get(), READ_LIMIT))

    def add_tenants(self, names: Sequence[str]) -> None:
        """Make tenants that there are not."""
        self._wait(self._collection.tenants.create(list(names)), WRITE_LIMIT)

    # -- its objects, all of one tenant ---------------------------------------------------------------------------

    def stored(self, tenant: str) -> Iterator[Stored]:
        """All objects; those of others have no ``document``."""
        query = self._of(tenant).query
        last: UUID | None = None
        while page := self._page(query, last):
            for found in page:
                document, known = (str(found.properties.get(name) or "") for name in (DOCUMENT, HASH))
                yield Stored(found.uuid, tenant, document, known)
            last = page[-1].uuid

    def put(self, tenant: str, pieces: Sequence[Piece], vectors: Sequence[list[float] | None]) -> Failures:
        """Store ``pieces`` with their ``vectors``; an object of the same id is replaced. Those that failed."""
        objects = [
            DataObject(properties=dict(piece.properties), uuid=piece.id, vector=self._named(vector))
            for piece, vector in zip(pieces, vectors, strict=True)
        ]
        try:
            answer = self._wait(self._of(tenant).data.insert_many(objects), WRITE_LIMIT)
        except _AllFailed as failed:
            return {piece.id: str(failed) for piece in pieces}
        return {pieces[index].id: error.message[:DETAIL] for index, error in answer.errors.items()}

    def delete(self, tenant: str, ids: Sequence[UUID]) -> Failures:
        """Delete objects; what is gone already is no failure. Those that failed."""
        wanted = Filter.by_id().contains_any(list(ids))
        answer = self._wait(self._of(tenant).data.delete_many(wanted, verbose=True), WRITE_LIMIT)
        return {UUID(int=gone.uuid.int): (gone.error or "")[:DETAIL] for gone in answer.objects if not gone.successful}

    # -- how it is called -----------------------------------------------------------------------------------------

    def _of(self, tenant: str) -> Any:
        return self._collection.with_tenant(tenant) if tenant else self._collection

    def _page(self, query: Any, last: UUID | None) -> list[Any]:
        asked = query.fetch_objects(limit=PAGE, after=last, return_properties=[DOCUMENT, HASH])
        return list(self._wait(asked, READ_LIMIT).objects)

    def _named(self, vector: list[float] | None) -> Any:
        return {self._vector: vector} if vector and self._vector != UNNAMED else vector

    def _wait(self, call: Awaitable[T], seconds: float) -> T:
        try:
            return self._loop.run(_within(call, seconds))
        except WeaviateInsertManyAllFailedError as error:
            raise _AllFailed(str(error)[:DETAIL]) from None
        except Exception as error:  # of a library that promises no more than that
            raise _explained(error, self._options.url) from None


class _AllFailed(KnowledgeError):
    """The server took no object of a batch."""


async def _within(call: Awaitable[T], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await call


def _explained(error: Exception, url: str) -> KnowledgeError:
    if _is_refusal(error):
        return KnowledgeError(f"Weaviate at {url} refuses the key, or what it may do.")
    if isinstance(translated(error), KnowledgeUnavailable):
        return KnowledgeUnavailable(f"Weaviate at {url} cannot be reached.")
    return KnowledgeError(f"Weaviate at {url}: {str(error)[:DETAIL]}")


def _is_refusal(error: BaseException | None) -> bool:
    if error is None:
        return False
    if isinstance(error, UnexpectedStatusCodeError) and error.status_code in REFUSALS:
        return True
    return isinstance(error, AuthenticationFailedError) or _is_refusal(error.__cause__ or error.__context__)


def _schema(config: Any) -> Schema:
    properties = {
        found.name: Property(found.data_type.value, found.tokenization.value if found.tokenization else "")
        for found in config.properties
    }
    named = {name: _name(vector.vectorizer.vectorizer) for name, vector in (config.vector_config or {}).items()}
    vectors = named or {UNNAMED: _name(config.vectorizer)}
    return Schema(properties, vectors, multi_tenant=config.multi_tenancy_config.enabled)


def _name(module: Any) -> str:
    # An enumeration where the client knows the module, else its name.
    return cast(str, getattr(module, "value", module)) if module is not None else "none"
