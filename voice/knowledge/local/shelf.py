"""The documents among which one visitor's question is searched: those of their tenant and language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from voice.knowledge.local.lexical import LexicalIndex
from voice.knowledge.words import primary

EVERYTHING = ""
"""The shelf of all languages of a tenant, for a language that has no documents of its own."""

Shelves = dict[tuple[str, str], "Shelf"]
"""By tenant and primary language."""


@dataclass(frozen=True, slots=True)
class Document:
    """A row as it is searched."""

    pk: int
    revision: int
    title: str
    body: str = field(repr=False)
    url: str = ""
    language: str = ""
    tenant: str = ""
    audience: str = ""
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


def shelves(documents: Iterable[Document]) -> Shelves:
    """A shelf for each language of each tenant, and one of all languages of each tenant."""
    tenants: dict[str, list[Document]] = {}
    for document in documents:
        tenants.setdefault(document.tenant, []).append(document)
    return {
        (tenant, language): shelf for tenant, own in tenants.items() for language, shelf in _by_language(own).items()
    }


def _by_language(documents: Sequence[Document]) -> dict[str, Shelf]:
    found = {EVERYTHING: Shelf(documents, EVERYTHING)}
    for language in {primary(document.language) for document in documents} - {EVERYTHING}:
        served = {language, EVERYTHING}
        found[language] = Shelf((d for d in documents if primary(d.language) in served), language)
    return found
