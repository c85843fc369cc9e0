"""A collection with the contract's texts, and an encoder that needs no weights."""

import time
import zlib
from array import array
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.weaviate_server.collection import Collection, StoredObject
from voice.knowledge.base import Knowledge, KnowledgeError, KnowledgeUnavailable
from voice.knowledge.encoder import Encoder
from voice.knowledge.weaviate.backend import WeaviateKnowledge
from voice.knowledge.weaviate.options import EVERY_LANGUAGE
from voice.protocol.context import Passage

from ..knowledge_contract import titles

Make = Callable[..., WeaviateKnowledge]
"""Options, and arguments of :class:`WeaviateKnowledge` if the test has any of its own."""

PROPERTIES = {"title": "text", "text": "text", "url": "text", "language": "text"}
SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


class WordEncoder(Encoder):
    """Texts whose longer words begin alike have vectors that are alike."""

    name = "words"
    dimensions = 1024

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        return [self._vector(text).tobytes() for text in texts]

    def _vector(self, text: str) -> "array[float]":
        vector = array("f", bytes(4 * self.dimensions))
        for word in {word[:5] for word in text.lower().split() if len(word) > 3}:
            vector[zlib.crc32(word.encode()) % self.dimensions] += 1
        length = sum(number * number for number in vector) ** 0.5 or 1.0
        return array("f", (number / length for number in vector))


def no_encoder() -> Encoder | None:
    return None


def stored(passage: Passage, *, tenant: str = "", **more: Any) -> StoredObject:
    vector = array("f", WordEncoder().encode([f"{passage.title} {passage.text}"])[0])
    properties: dict[str, Any] = {"title": passage.title, "text": passage.text, "url": passage.url}
    properties |= {"language": passage.language or EVERY_LANGUAGE, **more}
    return StoredObject(str(uuid5(SPACE, tenant + passage.title)), properties, list(vector), tenant)


def filled(collection: Collection, *objects: StoredObject) -> Collection:
    collection.objects = {one.uuid: one for one in objects}
    collection.tenants = {one.tenant for one in objects if one.tenant}
    return collection


class Clock:
    """Seconds, moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def trouble(knowledge: Knowledge, kind: type[KnowledgeError] = KnowledgeUnavailable) -> float:
    """The search fails, as ``kind`` and no other. Returns after how many seconds."""
    began = time.monotonic()
    with pytest.raises(KnowledgeError) as raised:
        await knowledge.search("ticket", language="en", limit=1)
    assert type(raised.value) is kind
    return time.monotonic() - began


async def fine(knowledge: Knowledge) -> bool:
    return titles(await knowledge.search("ticket", language="en", limit=1)) == ["Ticket prices"]
