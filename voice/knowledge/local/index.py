"""What is searched: an unchanging picture of all documents at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING

from voice.knowledge.base import EVERYONE, Scope
from voice.knowledge.encoder import Encoder
from voice.knowledge.local.ranking import Ranked, by_meaning, by_words
from voice.knowledge.local.scope import keeper
from voice.knowledge.local.shelf import EVERYTHING, Document, Shelf, shelves
from voice.knowledge.options import KnowledgeOptions
from voice.knowledge.words import primary
from voice.protocol.context import Passage, clean

if TYPE_CHECKING:
    from voice.knowledge.local.vectors import Vectors


class Index:
    """Documents by key. Never changes; safe to use from any thread.

    With an encoder, each document must have vectors that this encoder made.
    """

    def __init__(self, documents: Iterable[Document], encoder: Encoder | None) -> None:
        self.documents: Mapping[int, Document] = {document.pk: document for document in documents}
        self._shelves = shelves(self.documents.values())
        self._encoder = encoder
        self._vectors = _vectors(self.documents, encoder)

    def search(
        self, query: str, language: str, options: KnowledgeOptions, limit: int, scope: Scope = EVERYONE
    ) -> tuple[Passage, ...]:
        """The ``limit`` best passages of ``language``; of all languages if that one has none.

        Raises:
            KnowledgeError: ``scope`` names a property that documents do not have.
        """
        query, allowed = clean(query), keeper(scope.filters)
        shelf = self._shelves.get((scope.tenant, primary(language))) or self._shelves.get((scope.tenant, EVERYTHING))
        if not query or shelf is None:
            return ()
        keys = {pk for pk in shelf.keys if allowed(self.documents[pk])}
        ranked = self._ranked(query, language, shelf, keys, options)[:limit]
        return tuple(_passage(self.documents[pk], score) for pk, score in ranked)

    def _ranked(self, query: str, language: str, shelf: Shelf, keys: Set[int], options: KnowledgeOptions) -> Ranked:
        matches = {pk: match for pk, match in shelf.words.search(query, language).items() if pk in keys}
        if self._encoder is None or self._vectors is None:
            return by_words(matches, min_overlap=options.min_overlap)
        closeness = self._vectors.closeness(self._encoder.encode([query])[0])
        return by_meaning(
            {pk: closeness[pk] for pk in keys},
            matches,
            min_score=options.min_score,
            lexical_weight=options.lexical_weight,
        )


def _vectors(documents: Mapping[int, Document], encoder: Encoder | None) -> Vectors | None:
    if encoder is None or not documents:
        return None
    from voice.knowledge.local.vectors import Vectors

    return Vectors({pk: d.vectors for pk, d in documents.items() if d.vectors is not None}, encoder.dimensions)


def _passage(document: Document, score: float) -> Passage:
    return Passage(document.title, document.body, document.url, document.language, score)
