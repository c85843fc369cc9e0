"""Weaviate keeps the contract in each way of searching.

The server is one of this process; with ``WEAVIATE_URL`` (and ``WEAVIATE_API_KEY``, ``WEAVIATE_GRPC_HOST``,
``WEAVIATE_GRPC_PORT``) in the environment, the contract is tested against that one as well, in a collection of a random
name that is deleted afterwards.
"""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.weaviate_server.server import WeaviateServer
from voice.knowledge.base import Knowledge, KnowledgeUnavailable
from voice.knowledge.encoder import Encoder
from voice.knowledge.weaviate.backend import WeaviateKnowledge
from voice.knowledge.weaviate.options import WeaviateOptions

from ..knowledge_contract import TEXTS, KnowledgeContract
from .museum import Make, WordEncoder, no_encoder, stored


class WeaviateContract(KnowledgeContract):
    """In one way of searching."""

    settings: dict[str, Any]
    encoder: Callable[[], Encoder | None] = WordEncoder
    module = "none"

    @pytest.fixture
    def patient(self, server: WeaviateServer, options: WeaviateOptions) -> WeaviateOptions:
        server.collections["Museum"].vectorizer = type(self).module
        return replace(options, **type(self).settings)

    @pytest.fixture
    def knowledge(self, patient: WeaviateOptions, make: Make) -> WeaviateKnowledge:
        return make(patient, encoder=type(self).encoder)

    @pytest.fixture
    def unreachable(self, patient: WeaviateOptions, make: Make) -> WeaviateKnowledge:
        return make(replace(patient, url="http://127.0.0.1:1", grpc_port=2), encoder=type(self).encoder)

    async def test_it_can_be_prepared(self, knowledge: Knowledge) -> None:
        await knowledge.prepare()

    async def test_preparing_says_that_it_is_unreachable(self, unreachable: Knowledge) -> None:
        with pytest.raises(KnowledgeUnavailable):
            await unreachable.prepare()


class TestHybridWithOwnVectors(WeaviateContract):
    settings = {"search": "hybrid", "vectors": "own"}


class TestHybridWithTheServersVectors(WeaviateContract):
    settings = {"search": "hybrid", "vectors": "server"}
    module = "text2vec-openai"


class TestNearTextWithOwnVectors(WeaviateContract):
    settings = {"search": "near_text", "vectors": "own"}


class TestNearTextWithTheServersVectors(WeaviateContract):
    settings = {"search": "near_text", "vectors": "server"}
    module = "text2vec-openai"


class TestByWords(WeaviateContract):
    settings = {"search": "bm25"}


class TestWithoutAnEncoder(WeaviateContract):
    settings = {"search": "hybrid"}
    encoder = staticmethod(no_encoder)


@pytest.fixture
async def real() -> AsyncIterator[WeaviateOptions]:
    """A collection with the contract's texts in the server that the environment names."""
    from weaviate.classes.config import Configure, DataType, Property, StopwordsPreset, Tokenization
    from weaviate.classes.data import DataObject

    from voice.knowledge.weaviate.client import client

    options = WeaviateOptions(
        url=os.environ["WEAVIATE_URL"],
        api_key=os.environ.get("WEAVIATE_API_KEY", ""),
        grpc_host=os.environ.get("WEAVIATE_GRPC_HOST", ""),
        grpc_port=int(os.environ.get("WEAVIATE_GRPC_PORT", "0")),
        collection=f"VoiceTest{uuid4().hex}",
        connect_timeout=10.0,
        query_timeout=10.0,
    )
    async with client(options) as connected:
        try:
            collection = await connected.collections.create(
                options.collection,
                properties=[
                    Property(name="title", data_type=DataType.TEXT),
                    Property(name="text", data_type=DataType.TEXT),
                    Property(name="url", data_type=DataType.TEXT, tokenization=Tokenization.FIELD),
                    Property(name="language", data_type=DataType.TEXT, tokenization=Tokenization.FIELD),
                ],
                vector_config=Configure.Vectors.self_provided(),
                inverted_index_config=Configure.inverted_index(stopwords_preset=StopwordsPreset.NONE),
            )
            objects = [stored(text) for text in TEXTS]
            await collection.data.insert_many(
                [DataObject(uuid=one.uuid, properties=one.properties, vector=one.vector) for one in objects]
            )
            yield options
        finally:
            await connected.collections.delete(options.collection)


class OnARealServer(WeaviateContract):
    """The same, with the server that the environment names."""

    __test__ = bool(os.environ.get("WEAVIATE_URL"))

    @pytest.fixture
    def patient(self, real: WeaviateOptions) -> WeaviateOptions:
        return replace(real, **type(self).settings)


class TestHybridOnARealServer(OnARealServer):
    settings = {"search": "hybrid", "vectors": "own"}


class TestNearTextOnARealServer(OnARealServer):
    settings = {"search": "near_text", "vectors": "own"}


class TestByWordsOnARealServer(OnARealServer):
    settings = {"search": "bm25"}
