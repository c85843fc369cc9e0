"""A server in trouble costs searches, never more than their time limit, and is found again without a restart."""

import asyncio
import logging
from dataclasses import replace

import pytest

from tests.weaviate_server.server import WeaviateServer
from voice.knowledge.base import KnowledgeError, KnowledgeUnavailable
from voice.knowledge.weaviate.options import WeaviateOptions

from .museum import Clock, Make, fine, trouble

SECRET = "sk-not-to-be-seen"


async def test_down_at_the_first_search(make: Make, server: WeaviateServer, hasty: WeaviateOptions) -> None:
    """It fails at once; when the server is there, the next one does not."""
    knowledge = make(hasty)
    await server.stop()
    await trouble(knowledge)
    await server.start()
    assert await fine(knowledge)


async def test_slow(make: Make, server: WeaviateServer, hasty: WeaviateOptions) -> None:
    """The time limit is kept to, and the next search has nothing to make up for."""
    knowledge = make(hasty)
    assert await fine(knowledge)
    server.delay = 5.0
    assert await trouble(knowledge) < 5 * hasty.query_timeout
    server.delay = 0.0
    assert await fine(knowledge)


async def test_frozen_before_it_is_connected(make: Make, server: WeaviateServer, hasty: WeaviateOptions) -> None:
    knowledge = make(hasty)
    server.freeze()
    assert await trouble(knowledge) < 5 * hasty.connect_timeout
    server.thaw()
    assert await fine(knowledge)


async def test_frozen_during_a_search(make: Make, server: WeaviateServer, hasty: WeaviateOptions) -> None:
    knowledge = make(hasty)
    assert await fine(knowledge)
    server.freeze()
    assert await trouble(knowledge) < 5 * hasty.query_timeout
    server.thaw()
    assert await fine(knowledge)


async def test_dies_and_returns(make: Make, server: WeaviateServer, hasty: WeaviateOptions) -> None:
    """The same client finds it again, within the seconds that the channel waits between attempts."""
    clock = Clock()
    knowledge = make(hasty, clock=clock)
    assert await fine(knowledge)
    await server.stop()
    await trouble(knowledge)
    await server.start()
    async with asyncio.timeout(8):
        while True:
            try:
                assert await fine(knowledge)
                return
            except KnowledgeUnavailable:
                clock.now += 10  # the breaker's rests have tests of their own


async def test_permission_denied(make: Make, server: WeaviateServer, options: WeaviateOptions) -> None:
    """An answer: it counts as no failure, so the search after the permission came is made."""
    knowledge = make(options)
    server.deny()
    for _ in range(10):
        await trouble(knowledge, KnowledgeError)
    server.denied = False
    assert await fine(knowledge)


async def test_a_key_that_may_only_search_is_enough(
    make: Make, server: WeaviateServer, options: WeaviateOptions
) -> None:
    server.schema_denied = True
    knowledge = make(options)
    await knowledge.prepare()
    assert await fine(knowledge)


@pytest.mark.parametrize("key", ["", SECRET])
async def test_unauthenticated(make: Make, server: WeaviateServer, options: WeaviateOptions, key: str) -> None:
    """Without a key, and with one that is not good."""
    server.api_key = "another"
    await trouble(make(replace(options, api_key=key)), KnowledgeError)


async def test_no_secret_and_no_question_is_told(
    make: Make, server: WeaviateServer, hasty: WeaviateOptions, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in logs, representations or errors, whatever the server says of them."""
    caplog.set_level(logging.DEBUG)
    options = replace(hasty, api_key=SECRET, headers={"X-OpenAI-Api-Key": SECRET})
    knowledge = make(options)
    told = [repr(knowledge), repr(options)]
    server.api_key = "another"
    for collection in ("Museum", "Missing"):
        with pytest.raises(KnowledgeError) as unauthenticated:
            await make(replace(options, collection=collection)).search("my illness", language="en", limit=1)
        told += [str(unauthenticated.getrepr(style="long", funcargs=True, showlocals=False))]
        assert unauthenticated.value.__cause__ is unauthenticated.value.__context__ is None
        server.api_key = SECRET
    server.freeze()
    with pytest.raises(KnowledgeError):
        await knowledge.search("my illness", language="en", limit=1)
    assert SECRET not in caplog.text + "".join(told)
    assert "my illness" not in caplog.text


# -- the breaker ----------------------------------------------------------------------------------------------------


async def test_five_failures_give_the_server_a_rest(
    make: Make, server: WeaviateServer, hasty: WeaviateOptions, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is asked for ten seconds; then one search finds out that it is back. The log says each once."""
    caplog.set_level(logging.INFO, "voice")
    clock = Clock()
    knowledge = make(replace(hasty, query_timeout=0.1), clock=clock)
    assert await fine(knowledge)
    server.freeze()
    for _ in range(5):
        await trouble(knowledge)
    server.thaw()
    asked = len(server.searches)
    for _ in range(3):
        clock.now += 3
        await trouble(knowledge)
    assert len(server.searches) == asked
    clock.now += 1
    assert await fine(knowledge)
    assert await fine(knowledge)
    assert [(record.levelname, record.name) for record in caplog.records] == [
        ("WARNING", "voice.knowledge.weaviate"),
        ("INFO", "voice.knowledge.weaviate"),
    ]


async def test_it_gives_a_server_that_is_down_a_rest_too(
    make: Make, server: WeaviateServer, hasty: WeaviateOptions
) -> None:
    clock = Clock()
    knowledge = make(hasty, clock=clock)
    await server.stop()
    for _ in range(5):
        await trouble(knowledge)
    await server.start()
    await trouble(knowledge)
    assert not server.requests
    clock.now += 10
    assert await fine(knowledge)


async def test_no_vector_is_made_for_a_search_that_is_refused(
    make: Make, server: WeaviateServer, hasty: WeaviateOptions
) -> None:
    made: list[object] = []

    def encoder() -> None:
        made.append(None)

    knowledge = make(hasty, encoder=encoder, clock=Clock())
    await server.stop()
    for _ in range(5):
        await trouble(knowledge)
    before = len(made)
    await trouble(knowledge)
    assert len(made) == before


async def test_a_trial_that_is_cancelled_is_followed_by_another(
    make: Make, server: WeaviateServer, hasty: WeaviateOptions
) -> None:
    clock = Clock()
    knowledge = make(replace(hasty, query_timeout=0.3), clock=clock)
    await fine(knowledge)
    server.freeze()
    for _ in range(5):
        await trouble(knowledge)
    clock.now += 10
    await server.until(lambda: not server.waiting)
    trial = asyncio.create_task(knowledge.search("ticket", language="en", limit=1))
    await server.until(lambda: server.waiting)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    server.thaw()
    assert await fine(knowledge)
