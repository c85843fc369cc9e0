"""The documents among which one visitor's question is searched: those of the visitor's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .lexical import LexicalIndex
from .words import primary

EVERYTHING = ""
"""The shelf of all documents, for a language that has none of its own."""


@dataclass(frozen=True, slots=True)
class Document:
    """A row as it is searched."""

    pk: int
    revision: int
    title: str
    body: str = field(repr=False)
    url: str = ""
    language: str = ""
    vectors: bytes | None = field(repr=False, default=None)

    @property
    def text(self) -> str:
        """What is searched: the title says what a short body leaves out."""
        return f"{self.title}. {self.body}"


class Shelf:
    """The documents of one language, and those without a language, by their keys."""

    def __init__(self, documents: Iterable[Document], language: str) -> None:
        texts = {document.pk: document.text for document in documents}
        self.keys = tuple(texts)
        self.words = LexicalIndex(texts, language)


def shelves(documents: Iterable[Document]) -> dict[str, Shelf]:
    """A shelf for each language, and the one of all documents."""
    everything = tuple(documents)
    found = {EVERYTHING: Shelf(everything, EVERYTHING)}
    for language in {primary(document.language) for document in everything} - {EVERYTHING}:
        served = {language, EVERYTHING}
        found[language] = Shelf((d for d in everything if primary(d.language) in served), language)
    return found
