"""One client for each event loop: when it is opened and closed, what it sends, and who is cancelled with whom."""

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.weaviate_server.collection import Collection
from tests.weaviate_server.server import WeaviateServer
from voice.knowledge.base import KnowledgeError, KnowledgeUnavailable
from voice.knowledge.weaviate.backend import WeaviateKnowledge
from voice.knowledge.weaviate.options import WeaviateOptions

from ..knowledge_contract import TEXTS, titles
from .museum import PROPERTIES, Make, WordEncoder, filled, stored, trouble


async def test_first_searches_share_one_client(make: Make, server: WeaviateServer, options: WeaviateOptions) -> None:
    knowledge = make(options)
    await asyncio.gather(*(knowledge.search("ticket", language="en", limit=1) for _ in range(10)))
    assert [target for _, target, _ in server.requests] == ["/v1/meta", "/v1/schema/Museum"]
    assert len(server.searches) == 10


async def test_key_and_headers_are_sent(make: Make, server: WeaviateServer, options: WeaviateOptions) -> None:
    """With each request of both protocols."""
    server.api_key = "sk-1"
    knowledge = make(replace(options, api_key="sk-1", headers={"X-OpenAI-Api-Key": "sk-2"}))
    await knowledge.search("ticket", language="en", limit=1)
    sent = [*(headers for _, _, headers in server.requests), server.searches[0].headers]
    assert len(sent) == 3
    for headers in sent:
        assert (headers["authorization"], headers["x-openai-api-key"]) == ("Bearer sk-1", "sk-2")


async def test_who_is_cancelled_takes_nobody_along(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    """The first of two searches is cancelled while they wait for their client."""
    knowledge = make(options)
    server.freeze()
    first, second = (asyncio.create_task(knowledge.search("ticket", language="en", limit=1)) for _ in range(2))
    await server.until(lambda: server.requests)
    first.cancel()
    server.thaw()
    assert titles(await second) == ["Ticket prices"]
    assert first.cancelled()


async def test_a_cancelled_search_leaves_nothing_behind(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    knowledge = make(options)
    await knowledge.search("ticket", language="en", limit=1)
    server.freeze()
    search = asyncio.create_task(knowledge.search("ticket", language="en", limit=1))
    await server.until(lambda: server.waiting)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    await server.until(lambda: not server.waiting)
    server.thaw()
    assert await knowledge.search("ticket", language="en", limit=1)


async def test_closing_ends_a_search_that_is_under_way(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    """It fails, as the port says, and is not cancelled: nobody cancelled its task."""
    knowledge = make(replace(options, query_timeout=5.0))
    await knowledge.search("ticket", language="en", limit=1)
    server.freeze()
    search = asyncio.create_task(knowledge.search("ticket", language="en", limit=1))
    await server.until(lambda: server.waiting)
    await knowledge.close()
    with pytest.raises(KnowledgeUnavailable):
        await search
    server.thaw()
    assert await knowledge.search("ticket", language="en", limit=1)


async def test_closing_ends_an_attempt_to_connect(make: Make, server: WeaviateServer, options: WeaviateOptions) -> None:
    knowledge = make(replace(options, connect_timeout=5.0))
    server.freeze()
    search = asyncio.create_task(knowledge.search("ticket", language="en", limit=1))
    await server.until(lambda: server.requests)
    await knowledge.close()
    with pytest.raises(KnowledgeUnavailable):
        await search


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_each_event_loop_has_its_client() -> None:
    """One knowledge serves two loops, one after the other, the first of which ended without closing it."""
    server = WeaviateServer(filled(Collection("Museum", dict(PROPERTIES)), *map(stored, TEXTS)))
    known: list[WeaviateKnowledge] = []

    async def one_loop(close: bool) -> list[str]:
        async with server:
            options = WeaviateOptions(url=server.url, grpc_port=server.grpc_port, collection="Museum")
            known[:] = known or [WeaviateKnowledge(options, encoder=WordEncoder)]
            found = await known[0].search("ticket", language="en", limit=1)
            if close:
                await known[0].close()
            return titles(found)

    assert asyncio.run(one_loop(close=False)) == ["Ticket prices"]
    assert asyncio.run(one_loop(close=True)) == ["Ticket prices"]


def test_nothing_of_the_client_is_imported_before_the_first_search() -> None:
    script = (
        "import sys; from voice.knowledge.weaviate.backend import WeaviateKnowledge as K, WeaviateOptions as O;"
        "K(O(url='http://localhost')); assert not {'weaviate', 'grpc'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


async def test_without_the_client_searches_fail_and_the_log_says_why_once(
    make: Make, options: WeaviateOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "voice.knowledge.weaviate.connection", None)
    knowledge = make(options)
    await trouble(knowledge, KnowledgeError)
    await trouble(knowledge, KnowledgeError)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
