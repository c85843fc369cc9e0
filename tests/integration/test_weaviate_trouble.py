"""The knowledge's server is frozen, killed and restarted in the middle of a conversation, which does not notice."""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contract.knowledge_contract import TEXTS
from tests.contract.weaviate.museum import PROPERTIES, filled, stored
from tests.integration.conftest import Visit
from tests.integration.visitor import Message, Visitor
from tests.realtime_server import RealtimeServer, tone
from tests.weaviate_server.collection import Collection
from tests.weaviate_server.server import WeaviateServer
from voice import wiring
from voice.protocol.audio import duration_ms, silence

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "how much do the tickets cost for my children?"
SPOKEN = tone(1_200) + silence(600)
BUDGET_MS = 200
NOISE = 3
"""How many times over a bound may be on a machine that does other things, too."""


@pytest.fixture
async def weaviate(visit: Visit, settings: Any) -> AsyncIterator[WeaviateServer]:
    """A server with the knowledge of the site, by words alone."""
    async with WeaviateServer(filled(Collection("Museum", dict(PROPERTIES)), *map(stored, TEXTS))) as server:
        where = {"url": server.url, "grpc_port": server.grpc_port, "collection": "Museum"}
        settings.VOICE = {**settings.VOICE, "KNOWLEDGE": {"weaviate": {**where, "vectors": "none"}}}
        yield server
        await wiring.knowledge().close()


async def test_nobody_waits_for_a_knowledge_server_that_is_frozen_killed_and_restarted(
    visit: Visit, upstream: RealtimeServer, weaviate: WeaviateServer
) -> None:
    """It is searched again when it is back, without a restart of ours."""
    client = await visit(start={"language": "en"})
    await client.until("session.ready")

    assert await answered_from_it(client, upstream)

    weaviate.freeze()
    without = await ask(client, upstream)
    assert not without["sources"]
    assert without["waited_ms"] <= NOISE * BUDGET_MS
    weaviate.thaw()

    await weaviate.stop()
    without = await ask(client, upstream)
    assert not without["sources"]
    assert without["waited_ms"] <= NOISE * BUDGET_MS

    await weaviate.start()
    assert await answered_from_it(client, upstream)
    await client.tell(type="end")
    await client.ending()


async def test_it_is_dialled_when_a_conversation_begins_and_not_by_its_first_search(
    visit: Visit, upstream: RealtimeServer, weaviate: WeaviateServer
) -> None:
    """Nor before: a process in which nobody has talked is connected to nothing."""
    newcomer = await visit()
    assert weaviate.requests == []
    await newcomer.tell(type="start", language="en")
    await newcomer.until("session.ready")
    await weaviate.until(lambda: len(weaviate.searches) == 1 and not weaviate.waiting, seconds=30)  # one of its own
    dialled = len(weaviate.requests)
    assert await answered_from_it(newcomer, upstream)
    assert len(weaviate.searches) > 1
    assert len(weaviate.requests) == dialled
    await newcomer.tell(type="end")
    await newcomer.ending()


async def answered_from_it(client: Visitor, upstream: RealtimeServer) -> bool:
    """Whether one of the next questions is: a search may come too late where the machine has other things to do, and a
    server that was away is tried only every second or so."""
    for _ in range(20):
        if (await ask(client, upstream))["sources"]:
            return True
    return False


async def ask(client: Visitor, upstream: RealtimeServer) -> Message:
    """Ask aloud; every frame must arrive upstream though the knowledge may hang. Returns what the answer rests on."""
    upstream.script.transcripts = deque([QUESTION])
    heard_before = heard_ms(upstream)
    await client.speak(SPOKEN)
    await upstream.until(lambda: heard_ms(upstream) - heard_before == duration_ms(len(SPOKEN)), seconds=NOISE * 1.0)
    context = await client.until("context")
    await client.until("audio.item")
    await client.tell(type="interrupt")
    await client.until("turn.done")
    print(f"waited {context['waited_ms']} ms, {len(context['sources'])} sources")
    return context


def heard_ms(upstream: RealtimeServer) -> int:
    """How much audio has reached the upstream."""
    appended = [event for event in upstream.received if event["type"] == "input_audio_buffer.append"]
    return sum(int(event["audio"].strip("(ms) ")) for event in appended)
