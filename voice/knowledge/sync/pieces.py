"""What is stored of a document: one object for each of its pieces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

from voice.knowledge.weaviate.options import EVERY_LANGUAGE, WeaviateOptions
from voice.knowledge.words import primary

from . import chunking

DOCUMENT, HASH, TENANT, AUDIENCE = "voice_document", "voice_hash", "tenant", "audience"
"""Properties besides those that the options name. An object with a ``voice_document`` is one of ours."""
NAMESPACE: Final = UUID("2f0c8f0e-52f4-4ff7-9d27-0d9a5b1f6c3e")
"""Of all ids. It must never change: objects with other ids would be found twice."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document, as a row has it."""

    slug: str
    language: str
    title: str
    body: str = field(repr=False)
    url: str = ""
    tenant: str = ""
    audience: str = ""

    @property
    def name(self) -> str:
        """Slug and language, which together name a document: ``opening-hours/en``."""
        return f"{self.slug}/{self.language}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a document, as one object of the collection."""

    id: UUID
    """The same for the same number of the same document, in every run."""
    document: str
    tenant: str
    properties: Mapping[str, str] = field(repr=False)
    meaning: str = field(repr=False)
    """What a vector is made of. The title says what a piece is about, which its own words often leave out."""

    @property
    def hash(self) -> str:
        """Differs if anything that is stored differs, the vector included."""
        return self.properties[HASH]


def pieces(text: Text, options: WeaviateOptions, maker: str) -> Iterator[Piece]:
    """The objects of ``text``, with vectors that ``maker`` makes."""
    for number, body in enumerate(chunking.pieces(text.body)):
        properties = _properties(text, body, options)
        properties[HASH] = _hash([text.tenant, maker, properties])
        name = json.dumps([text.slug, text.language, number])
        yield Piece(uuid5(NAMESPACE, name), text.name, text.tenant, properties, f"{text.title}. {body}")


def _properties(text: Text, body: str, options: WeaviateOptions) -> dict[str, str]:
    named = {
        options.title_property: text.title,
        options.text_property: body,
        options.url_property: text.url,
        options.language_property: primary(text.language) or EVERY_LANGUAGE,
    }
    own = {DOCUMENT: text.name, TENANT: text.tenant, AUDIENCE: text.audience}
    return {name: value for name, value in named.items() if name} | own


def _hash(stored: object) -> str:
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()[:32]
