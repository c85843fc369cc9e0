"""The server, and knowledge of what is in it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.weaviate_server.collection import Collection
from tests.weaviate_server.server import WeaviateServer
from voice.knowledge.weaviate.backend import WeaviateKnowledge
from voice.knowledge.weaviate.options import WeaviateOptions

from ..knowledge_contract import TEXTS
from .museum import PROPERTIES, Make, WordEncoder, filled, stored


@pytest.fixture
async def server() -> AsyncIterator[WeaviateServer]:
    """It holds the contract's texts, with vectors."""
    museum = Collection("Museum", dict(PROPERTIES))
    async with WeaviateServer(filled(museum, *map(stored, TEXTS))) as server:
        yield server


@pytest.fixture
def options(server: WeaviateServer) -> WeaviateOptions:
    return WeaviateOptions(
        url=server.url, grpc_port=server.grpc_port, collection="Museum", connect_timeout=5.0, query_timeout=5.0
    )


@pytest.fixture
def hasty(options: WeaviateOptions) -> WeaviateOptions:
    """For tests that wait until a time limit has run out."""
    return replace(options, connect_timeout=2.0, query_timeout=0.5)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes knowledge that is closed at the end."""
    made: list[WeaviateKnowledge] = []

    def make(options: WeaviateOptions, **more: Any) -> WeaviateKnowledge:
        made.append(WeaviateKnowledge(options, **{"encoder": WordEncoder, **more}))
        return made[-1]

    yield make
    for knowledge in made:
        await knowledge.close()
