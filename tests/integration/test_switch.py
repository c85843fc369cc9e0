"""The kill switch: 100 conversations in three processes end within two seconds of a click in the admin. And one alone.

The bound is asserted at three times its value, since this machine does other things too; what was measured is printed.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.client import VoiceClient
from tests.realtime_server import Answer, RealtimeServer
from tests.several import site as several
from tests.several.site import Person, Site
from tests.several.staff import Staff

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALKERS = 100
BOUND = 2.0
"""Seconds from the click to the last goodbye."""

_STAFF = """
import django
django.setup()
from django.contrib.auth.models import User
User.objects.create_superuser("staff", password="staff")
"""


@dataclass(frozen=True)
class World:
    """What there is."""

    site: Site
    staff: Staff
    talkers: list[Person]

    async def switch(self, on: bool) -> float:
        return await asyncio.to_thread(self.staff.switch, on)

    def client(self, n: int) -> VoiceClient:
        return VoiceClient(self.site.processes[n % 3].url, self.talkers[n].token)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("switch")
    async with RealtimeServer() as upstream:
        upstream.script.answers.extend(Answer("word " * 100) for _ in range(2))
        running = several.running(folder, 3, OPENAI_BASE_URL=upstream.url)
        site = await asyncio.to_thread(running.__enter__)
        try:
            environment = site.processes[0].environment
            await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _STAFF], env=environment, check=True)
            url = f"http://127.0.0.1:{site.processes[0].port}"
            staff = await asyncio.to_thread(Staff, url, "staff", "staff")
            yield World(site, staff, await asyncio.to_thread(site.people, *(f"talker{n}" for n in range(TALKERS + 1))))
            await upstream.until(lambda: upstream.open == 0)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
    # The layer's library traces its own connection that went with Redis; nothing of ours may be in a traceback.
    assert not re.search(r'File ".*/voice/', site.log())


async def seconds_to_silence(world: World, redis_dies_first: bool = False) -> list[float]:
    """Let 100 people talk, one of them in the middle of an answer, and switch off: how long each went on."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(world.client(n)) for n in range(TALKERS)]
        for client in clients:
            await client.until("session.ready")
        await clients[0].ask("Tell me everything.")
        await clients[0].until("audio")
        if redis_dies_first:
            world.site.redis.kill()

        clicked = await world.switch(on=False)
        endings = [await client.ending() for client in clients]
        assert {(each["code"], each["reason"], each["retry"]) for each in endings} == {(4503, "disabled", "no")}
        assert all(each["message"] for each in endings)

        async with world.client(0) as newcomer:
            assert (await newcomer.ending())["reason"] == "disabled"
        return sorted(ending.at - clicked for ending in endings)


def report(name: str, seconds: list[float]) -> None:
    print(f"{name}: half after {seconds[TALKERS // 2]:.2f} s, p99 {seconds[-2]:.2f} s, the last {seconds[-1]:.2f} s")
    assert seconds[-1] < 3 * BOUND


async def somebody_can_talk(world: World) -> None:
    """Where the store was away, within the few seconds that it takes to be found again."""
    async with asyncio.timeout(10):
        while True:
            async with world.client(1) as client:
                with suppress(AssertionError):  # refused, still
                    await client.until("session.ready")
                    await client.end()
                    return
            await asyncio.sleep(0.2)


async def test_the_switch_ends_every_conversation_in_every_process_and_starts_none(world: World) -> None:
    report("switched off", await seconds_to_silence(world))
    await world.switch(on=True)
    begun = time.monotonic()
    await somebody_can_talk(world)
    print(f"somebody talks again {time.monotonic() - begun:.2f} s after it was switched on")


async def test_a_user_who_is_deleted_in_one_process_is_told_in_another(world: World) -> None:
    async with world.client(TALKERS) as talking, world.client(TALKERS - 1) as another:
        await talking.until("session.ready")
        await another.until("session.ready")
        deleted_at = await asyncio.to_thread(world.staff.delete_user, world.talkers[TALKERS].pk)
        ending = await talking.ending()
        assert (ending["code"], ending["reason"]) == (4403, "revoked")
        print(f"told in another process after {ending.at - deleted_at:.2f} s")
        assert ending.at - deleted_at < 3 * BOUND
        assert (await another.end())["reason"] == "client_hangup"


async def test_it_needs_no_redis(world: World) -> None:
    report("switched off without Redis", await seconds_to_silence(world, redis_dies_first=True))
    world.site.redis.start()
    await world.switch(on=True)
    await somebody_can_talk(world)
