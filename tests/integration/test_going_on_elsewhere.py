"""The server that held a conversation is gone: another process of the site goes on with it, by what Redis has."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.client import Received, VoiceClient
from tests.realtime_server import RealtimeServer
from tests.realtime_server.script import Answer
from tests.several import site as several
from tests.several.site import Process, Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "onlyGoodForTestsBecauseEverybodyCanReadIt00="
QUESTION = "Are you open on Saturdays?"
ANSWER = "We are open on Saturdays from ten."
PATIENCE = 30.0


class World:
    """A site of two processes, and the service that they converse through."""

    def __init__(self, site: Site, upstream: RealtimeServer) -> None:
        self.site, self.upstream = site, upstream
        self._people = iter(site.people(*(f"visitor{n}" for n in range(3))))

    def newcomer(self) -> several.Person:
        return next(self._people)

    def replayed(self) -> list[str]:
        """The texts of the upstream's newest conversation, whatever the part is called."""
        contents = [part for item in self.upstream.conversation for part in item["content"]]
        return [part.get("text") or part.get("transcript") or "" for part in contents]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with RealtimeServer() as upstream:
        folder = tmp_path_factory.mktemp("elsewhere")
        running = several.running(folder, 2, OPENAI_BASE_URL=upstream.url, VOICE_RESUME_KEYS=KEY)
        site = await asyncio.to_thread(running.__enter__)
        try:
            yield await asyncio.to_thread(World, site, upstream)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)


async def talked(world: World, client: VoiceClient) -> Received:
    """One exchange, to its end; what ``session.ready`` said."""
    ready = await client.until("session.ready", PATIENCE)
    world.upstream.script.answers.append(Answer(ANSWER))
    await client.ask(QUESTION)
    await client.until("turn.done", PATIENCE)
    await asyncio.sleep(1.5)  # what was said is looked at once a second; a kill asks for nothing more
    return ready


async def revived(process: Process) -> None:
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.wait)


@pytest.mark.parametrize(
    ("number", "reasons"),
    [(signal.SIGKILL, {"server_lost", ""}), (signal.SIGTERM, {"server_drain"})],
    ids=["kill", "term"],
)
async def test_the_conversation_goes_on_in_another_process(
    world: World, number: signal.Signals, reasons: set[str]
) -> None:
    first, second = world.site.processes
    person = world.newcomer()
    async with VoiceClient(first.url, person.token) as client:
        ready = await talked(world, client)
        first.send(number)
        await client.closed(PATIENCE)
    async with VoiceClient(second.url, person.token, resume=ready["resume"]) as client:
        again = await client.until("session.ready", PATIENCE)
        assert [item["text"] for item in (await client.until("history", PATIENCE))["items"]] == [QUESTION, ANSWER]
        await client.ask("And on Sundays?")
        done = await client.until("turn.done", PATIENCE)
        assert done["turn"] == 2
        assert world.replayed()[:3] == [QUESTION, ANSWER, "And on Sundays?"]
        await client.end()
    assert again["session_id"] != ready["session_id"]
    old, new = world.site.reasons(person)
    assert old in reasons
    assert new == "client_hangup"
    assert "Saturdays" not in world.site.log() + str(world.site.redis.do("KEYS", "*"))
    await revived(first)


async def test_a_restarted_process_goes_on_too(world: World) -> None:
    first, _ = world.site.processes
    person = world.newcomer()
    async with VoiceClient(first.url, person.token) as client:
        ready = await talked(world, client)
        first.send(signal.SIGKILL)
        await client.closed(PATIENCE)
    await revived(first)
    async with VoiceClient(first.url, person.token, resume=ready["resume"]) as client:
        assert [item["text"] for item in (await client.until("history", PATIENCE))["items"]] == [QUESTION, ANSWER]
        await client.end()
