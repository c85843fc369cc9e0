"""Servers that are killed in the middle of conversations: each session that began has one record, which ends."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tests.client import VoiceClient
from tests.realtime_server import RealtimeServer
from tests.several import site as several
from tests.several.site import Person, Site

KILLS = int(os.environ.get("KILLS", "4"))
SESSIONS = 30
SECONDS_PER_KILL = 3.0
FINAL_SECONDS = 60.0
SEED = 20261128


def rows(site: Site) -> dict[str, dict[str, Any]]:
    """Every record, by its session."""
    with closing(sqlite3.connect(site.database, timeout=20)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM voice_voicesession").fetchall()
    return {uuid.UUID(row["id"]).hex: dict(row) for row in found}


async def talk(site: Site, person: Person, chance: random.Random, ready: list[str], enough: asyncio.Event) -> None:
    """Come at some time to some process, and ask one question after the other, until it dies or it is enough."""
    await asyncio.sleep(chance.uniform(0, KILLS * SECONDS_PER_KILL))
    with suppress(Exception):  # the process is dead, or dies: that is what this is about
        async with VoiceClient(chance.choice(site.processes).url, person.token) as client:
            ready.append((await client.until("session.ready"))["session_id"])
            while not enough.is_set():
                last = client.received[-1]
                await client.ask("When do you open on Sundays?")
                await client.until("turn.done", after=last)
            await client.end()


async def kill(site: Site, chance: random.Random, enough: asyncio.Event) -> None:
    """Kill one process after the other, at any instant, and start it again."""
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 1) * SECONDS_PER_KILL)
        process = chance.choice(site.processes)
        process.send(signal.SIGKILL)
        await asyncio.to_thread(process.start)
        await asyncio.to_thread(process.wait)
    enough.set()


def sound(usage: dict[str, Any] | None) -> int:
    return 0 if usage is None else int(usage["output_token_details"]["audio_tokens"])


async def test_whenever_servers_are_killed_each_session_has_one_record_which_ends_with_what_it_used(
    tmp_path: Path,
) -> None:
    chance, ready = random.Random(SEED), list[str]()
    enough = asyncio.Event()
    async with RealtimeServer() as upstream:
        running = several.running(tmp_path, 3, OPENAI_BASE_URL=upstream.url)
        site = await asyncio.to_thread(running.__enter__)
        try:
            people = await asyncio.to_thread(site.people, "witness", *(f"person{n}" for n in range(SESSIONS)))
            async with asyncio.TaskGroup() as tasks:
                for person in people[1:]:
                    tasks.create_task(talk(site, person, random.Random(chance.random()), ready, enough))
                tasks.create_task(kill(site, chance, enough))
            over = time.monotonic()
            async with VoiceClient(site.processes[0].url, people[0].token) as witness:
                own = (await witness.until("session.ready"))["session_id"]
                while any(row["ended_at"] is None for name, row in rows(site).items() if name != own):
                    assert time.monotonic() - over < FINAL_SECONDS
                    last = witness.received[-1]
                    await witness.ask("Are you there?")
                    await witness.until("turn.done", after=last)
                    await asyncio.sleep(1)
                final = time.monotonic() - over
                await witness.end()
                while rows(site)[own]["ended_at"] is None:  # noqa: ASYNC110 (it is another process)
                    await asyncio.sleep(0.1)
            recorded = rows(site)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
        billed = [[sound(answer.usage) for answer in session.responses.values()] for session in upstream.sessions]
    lost = [row for row in recorded.values() if row["end_reason"] == "server_lost"]
    print(f"{KILLS} kills, {len(ready)} sessions ready, {len(lost)} lost, all final after {final:.1f} s")
    assert lost
    assert len(ready) == len(set(ready))
    assert {*ready} <= {*recorded}
    assert all(recorded[name]["end_reason"] for name in ready)
    assert all(row["estimated"] for row in lost)
    stored, paid = sum(row["audio_out"] for row in recorded.values()), sum(map(sum, billed))
    most = max((max(answers, default=0) for answers in billed), default=0)
    print(f"audio tokens: {stored} stored, {paid} billed, {most} the dearest answer")
    assert stored <= paid <= stored + len(lost) * most
