"""The shipped configuration of nginx in front of two server processes: what a visitor of a real site goes through."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests import nginx
from tests.client import Received, VoiceClient
from tests.nginx import Nginx
from tests.realtime_server import Answer, RealtimeServer
from tests.several import site as several
from tests.several.site import Person, Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = "https://localhost"
"""Of the site's pages, with the port that it would have."""
KEY = "onlyGoodForTestsBecauseEverybodyCanReadIt00="
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "tests.several.behind_nginx",
    "DJANGO_BEHIND_PROXY": "true",
    "VOICE_TRUSTED_PROXIES": "1",
    "VOICE_RESUME_KEYS": KEY,
}
PATIENCE = 30.0
PEOPLE = "visitor", "frequent", "elsewhere", "talkative", "one", "another"
QUESTION, ANSWER = "Are you open on Saturdays?", "We are open on Saturdays from ten."


@dataclass(frozen=True)
class World:
    """What there is."""

    site: Site
    nginx: Nginx
    upstream: RealtimeServer
    people: dict[str, Person]

    def client(self, name: str, query: str = "", **options: Any) -> VoiceClient:
        """One of this person's, with whichever process nginx chooses."""
        url = f"wss://localhost:{self.nginx.port}/v1/ws/voice{query}"
        return VoiceClient(url, self.people[name].token, origin=ORIGIN, **options)

    async def conversations(self, count: int) -> list[str]:
        """The socket of the process that had each conversation that is over, when there are so many of them."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = re.findall(r'"GET /v1/ws/voice" 101 .* unix:(\S+) ', self.nginx.access_log())
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)  # another process writes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    nginx.program()
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:
        async with RealtimeServer() as upstream:
            site = await asyncio.to_thread(
                running.enter_context,
                several.running(folder, 2, unix_sockets=True, OPENAI_BASE_URL=upstream.url, **ENVIRONMENT),
            )
            there = {f"/run/voice-{n}/web.sock": process.where for n, process in enumerate(site.processes, 1)}
            front = running.enter_context(nginx.running(tmp_path_factory.mktemp("front"), there))
            patch.setenv("SSL_CERT_FILE", str(front.authority))  # whom clients trust
            people = await asyncio.to_thread(site.people, *PEOPLE)
            yield World(site, front, upstream, dict(zip(PEOPLE, people, strict=True)))
            await asyncio.to_thread(running.close)


async def test_a_visitor_has_a_conversation_over_tls(world: World) -> None:
    async with world.client("visitor") as client:
        await client.until("session.ready", PATIENCE)
        world.upstream.script.answers.append(Answer(ANSWER))
        await client.ask(QUESTION)
        assert (await client.until("turn.done", PATIENCE))["outcome"] == "completed"
        assert client.words() == ANSWER
        assert client.audio()
        await client.end()


async def test_who_comes_without_tls_is_sent_there(world: World) -> None:
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(f"http://127.0.0.1:{world.nginx.plain_port}/fr/", headers={"Host": "localhost"})
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://localhost/fr/")


async def test_but_who_asks_for_what_certbot_has_put_there_gets_it(world: World) -> None:
    challenge = world.nginx.folder / ".well-known/acme-challenge/name"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("proof")
    async with httpx.AsyncClient(base_url=f"http://localhost:{world.nginx.plain_port}", trust_env=False) as authority:
        answer = await authority.get("/.well-known/acme-challenge/name")
        missing = await authority.get("/.well-known/acme-challenge/another")
    assert (answer.status_code, answer.text, missing.status_code) == (200, "proof", 404)


async def test_one_conversation_at_a_time_and_five_an_hour_are_counted_over_both_processes(world: World) -> None:
    before = len(await world.conversations(0))
    async with world.client("frequent") as old:
        await old.until("session.ready", PATIENCE)
        async with world.client("frequent") as new:
            await new.until("session.ready", PATIENCE)
            ending = await old.ending(PATIENCE)
            assert (ending["code"], ending["reason"]) == (4409, "concurrent")
            await new.end()
    for _ in range(3):
        async with world.client("frequent") as client:
            await client.until("session.ready", PATIENCE)
            await client.end()
    async with world.client("frequent") as refused:
        ending = await refused.ending(PATIENCE)
        assert (ending["code"], ending["reason"]) == (4429, "rate_limited")
    served = (await world.conversations(before + 6))[before:]
    assert served[0] != served[1]
    assert {*served} == {process.where for process in world.site.processes}


async def test_a_visitor_is_counted_by_the_address_that_nginx_saw_whatever_they_say_themselves(world: World) -> None:
    async with world.client("elsewhere", headers={"X-Forwarded-For": "203.0.113.7"}) as client:
        await client.until("session.ready", PATIENCE)
        await client.end()
    assert world.site.redis.do("KEYS", "*starts:address:*") == ["{voice}:starts:address:127.0.0.1"]


async def test_its_logs_have_neither_a_query_string_nor_a_token(world: World) -> None:
    token = world.people["talkative"].token
    async with httpx.AsyncClient(base_url=f"https://localhost:{world.nginx.port}") as browser:
        page = await browser.get("/help/?q=private")
        missing = await browser.get(f"/nowhere/?token={token}")
    assert (page.status_code, missing.status_code) == (200, 404)
    before = len(await world.conversations(0))
    async with world.client("talkative", query=f"?token={token}") as refused:
        assert (await refused.ending(PATIENCE))["reason"] == "unauthenticated"
    await world.conversations(before + 1)
    assert '"GET /nowhere/" 404' in world.nginx.access_log()
    logged = world.nginx.logs()
    for private in ("?", "private", token, "eyJ", "token"):
        assert private not in logged


async def test_who_talks_with_a_process_that_is_stopped_goes_on_with_the_other_one(world: World) -> None:
    """One of the processes is gone after it."""
    stopped, _ = world.site.processes
    async with world.client("one") as first, world.client("another") as second:
        both = {client: await talked(world, client) for client in (first, second)}
        assert stopped.popen is not None
        stopped.send(signal.SIGTERM)
        await asyncio.to_thread(stopped.popen.wait, PATIENCE)
        told = [client for client in both if client.all("session.ending")]
        assert [client.received[-1]["reason"] for client in told] == ["server_drain"]
        async with world.client("one" if told == [first] else "another", resume=both[told[0]]["resume"]) as again:
            await again.until("session.ready", PATIENCE)
            history = await again.until("history", PATIENCE)
            assert [item["text"] for item in history["items"]] == [QUESTION, ANSWER]
            await again.end()
        for client in both.keys() - {*told}:
            await client.ask("And on Sundays?")
            await client.until("turn.done", PATIENCE, turn=2)
            await client.end()


async def test_a_process_that_has_just_been_started_is_found_when_the_other_one_goes(world: World) -> None:
    """The last test. Pages are asked for all the time, so that nginx has seen that it is not there."""
    back, gone = world.site.processes
    async with httpx.AsyncClient(base_url=f"https://localhost:{world.nginx.port}") as browser:
        back.start()
        ready = asyncio.create_task(asyncio.to_thread(back.wait))
        seen = set()
        while not ready.done():
            seen.add((await browser.get("/accounts/login/")).status_code)
        await ready
        await asyncio.to_thread(gone.send, signal.SIGKILL)
        seen |= {(await browser.get("/accounts/login/")).status_code for _ in range(10)}
    assert seen == {200}


async def talked(world: World, client: VoiceClient) -> Received:
    """One exchange, to its end; what ``session.ready`` said."""
    ready = await client.until("session.ready", PATIENCE)
    world.upstream.script.answers.append(Answer(ANSWER))
    await client.ask(QUESTION)
    await client.until("turn.done", PATIENCE)
    return ready
