"""A collection that is not as the settings say: the log names the setting."""

from dataclasses import replace
from typing import Any

import pytest

from tests.weaviate_server.server import WeaviateServer
from voice.knowledge.base import KnowledgeError
from voice.knowledge.weaviate.options import WeaviateOptions

from .museum import Make, fine, trouble


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"collection": "Missing"}, ["'Missing'", "voice_sync", "['collection']"]),
        ({"text_property": "body"}, ["'body'", "['text_property']"]),
        ({"language_property": "lang"}, ["'lang'", "['language_property']"]),
        ({"vectors": "server"}, ["'Museum'", "no module", "['vectors']"]),
    ],
)
async def test_a_wrong_schema(
    make: Make,
    options: WeaviateOptions,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, Any],
    said: list[str],
) -> None:
    """Preparing fails, a search too, and the log says once which setting does not fit."""
    knowledge = make(replace(options, **settings))
    with pytest.raises(KnowledgeError):
        await knowledge.prepare()
    await trouble(knowledge, KnowledgeError)
    with pytest.raises(KnowledgeError):
        await knowledge.prepare()
    (error,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    for part in said:
        assert part in error


async def test_own_vectors_and_a_collection_with_a_module(
    make: Make, server: WeaviateServer, options: WeaviateOptions, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever has a collection with a module is told which setting makes use of it."""
    server.collections["Museum"].vectorizer = "text2vec-cohere"
    with pytest.raises(KnowledgeError):
        await make(options).prepare()
    assert "text2vec-cohere" in caplog.text
    assert "['vectors'] to 'server'" in caplog.text


async def test_a_schema_that_the_client_cannot_read_is_no_hindrance(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    server.collections["Museum"].properties["view"] = "hologram"
    knowledge = make(options)
    await knowledge.prepare()
    assert await fine(knowledge)


async def test_a_collection_that_is_made_later_is_searched(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    knowledge = make(options)
    museum = server.collections.pop("Museum")
    await trouble(knowledge, KnowledgeError)
    server.collections["Museum"] = museum
    assert await fine(knowledge)
    await knowledge.prepare()


@pytest.mark.parametrize("url", ["weaviate.example", "https://weaviate.example", "http://127.0.0.1:99999"])
async def test_an_address_that_cannot_be_is_an_error_of_the_search(
    make: Make, options: WeaviateOptions, url: str
) -> None:
    """The second has no port for gRPC besides that of REST."""
    await trouble(make(replace(options, url=url, grpc_port=0)), KnowledgeError)
