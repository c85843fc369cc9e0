"""What is searched: an unchanging picture of all documents at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from voice.protocol.context import Passage, clean

from .encoder import Encoder
from .options import KnowledgeOptions
from .ranking import Ranked, by_meaning, by_words
from .shelf import EVERYTHING, Document, Shelf, shelves
from .words import primary

if TYPE_CHECKING:
    from .vectors import Vectors


class Index:
    """Documents by key. Never changes; safe to use from any thread.

    With an encoder, each document must have vectors that this encoder made.
    """

    def __init__(self, documents: Iterable[Document], encoder: Encoder | None) -> None:
        self.documents: Mapping[int, Document] = {document.pk: document for document in documents}
        self._shelves = shelves(self.documents.values())
        self._encoder = encoder
        self._vectors = _vectors(self.documents, encoder)

    def search(self, query: str, language: str, options: KnowledgeOptions, limit: int) -> tuple[Passage, ...]:
        """The ``limit`` best passages of ``language``; of all languages if that one has none."""
        query = clean(query)
        if not query or not self.documents:
            return ()
        shelf = self._shelves.get(primary(language)) or self._shelves[EVERYTHING]
        ranked = self._ranked(query, language, shelf, options)[:limit]
        return tuple(_passage(self.documents[pk], score) for pk, score in ranked)

    def _ranked(self, query: str, language: str, shelf: Shelf, options: KnowledgeOptions) -> Ranked:
        matches = shelf.words.search(query, language)
        if self._encoder is None or self._vectors is None:
            return by_words(matches, min_overlap=options.min_overlap)
        closeness = self._vectors.closeness(self._encoder.encode([query])[0])
        return by_meaning(
            {pk: closeness[pk] for pk in shelf.keys},
            matches,
            min_score=options.min_score,
            lexical_weight=options.lexical_weight,
        )


def _vectors(documents: Mapping[int, Document], encoder: Encoder | None) -> Vectors | None:
    if encoder is None or not documents:
        return None
    from .vectors import Vectors

    return Vectors({pk: d.vectors for pk, d in documents.items() if d.vectors is not None}, encoder.dimensions)


def _passage(document: Document, score: float) -> Passage:
    return Passage(document.title, document.body, document.url, document.language, score)
