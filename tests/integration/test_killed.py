"""Servers that are killed in the middle of conversations: each session that began has one record, which ends.

``KILLS=20`` kills as often, at other instants, and waits as long as a site waits: it takes minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import time
import uuid
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

from tests.client import VoiceClient
from tests.realtime_server import RealtimeServer, RealtimeSession
from tests.several import site as several
from tests.several.site import Person, Process, Site

KILLS = int(os.environ.get("KILLS", "0")) or 3
APPLICATION = "project.asgi.application" if "KILLS" in os.environ else "tests.several.hasty.application"
SESSIONS = 30
SECONDS_PER_KILL = 3.0 if "KILLS" in os.environ else 1.5
FINAL_SECONDS = 60.0
SEED = 20261128
KINDS = ("text_in", "audio_in", "text_out", "audio_out")


def rows(site: Site) -> dict[str, dict[str, Any]]:
    """Every record, by its session."""
    with closing(sqlite3.connect(site.database, timeout=20)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM voice_voicesession").fetchall()
    return {uuid.UUID(row["id"]).hex: dict(row) for row in found}


async def talk(site: Site, person: Person, chance: random.Random, ready: list[str], enough: asyncio.Event) -> None:
    """Come at some time to some process that lives, and ask one question after the other until it dies, or enough."""
    await asyncio.sleep(chance.uniform(0, KILLS * SECONDS_PER_KILL))
    begun = len(ready)
    while not await conversed(chance.choice(site.processes), person, ready, enough):
        assert len(ready) >= begun
        await asyncio.sleep(chance.uniform(0.1, 0.5))


async def conversed(process: Process, person: Person, ready: list[str], enough: asyncio.Event) -> bool:
    """Whether a session began. What happened to it is in its record."""
    began = False
    with suppress(OSError, WebSocketException, AssertionError):  # the process is dead, or dies: that is the matter here
        async with VoiceClient(process.url, person.token) as client:
            ready.append((await client.until("session.ready"))["session_id"])
            began = True
            while not enough.is_set():
                last = client.received[-1]
                await client.ask(f"{person.pk} asks when you open.")
                await client.until("turn.done", after=last)
            await client.end()
    return began


async def kill(site: Site, chance: random.Random, enough: asyncio.Event) -> None:
    """Kill one process after the other, at any instant, and start it again."""
    async with asyncio.TaskGroup() as starting:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.3, 1) * SECONDS_PER_KILL)
            process = chance.choice(site.processes)
            process.send(signal.SIGKILL)
            process.start()
            starting.create_task(asyncio.to_thread(process.wait))
        enough.set()


def billed(session: RealtimeSession) -> list[Counter[str]]:
    """What each answer of a session upstream was billed, by kind."""
    bills = [answer.usage for answer in session.responses.values() if answer.usage is not None]
    return [
        Counter(
            text_in=bill["input_token_details"]["text_tokens"],
            audio_in=bill["input_token_details"]["audio_tokens"],
            text_out=bill["output_token_details"]["text_tokens"],
            audio_out=bill["output_token_details"]["audio_tokens"],
        )
        for bill in bills
    ]


def asked_by(session: RealtimeSession) -> int | None:
    """Who has asked in this session upstream."""
    said = [item["content"][0].get("text", "") for item in session.items if item.get("role") == "user"]
    return int(said[0].partition(" asks")[0]) if said else None


async def test_whenever_servers_are_killed_each_session_has_one_record_which_ends_with_what_it_used(
    tmp_path: Path,
) -> None:
    chance, ready = random.Random(SEED), list[str]()
    enough = asyncio.Event()
    async with RealtimeServer() as upstream:
        running = several.running(tmp_path, 3, application=APPLICATION, OPENAI_BASE_URL=upstream.url)
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
                    await witness.ask(f"{people[0].pk} asks whether you are there.")
                    await witness.until("turn.done", after=last)
                    await asyncio.sleep(0.5)
                final = time.monotonic() - over
                await witness.end()
                while rows(site)[own]["ended_at"] is None:  # noqa: ASYNC110 (it is another process)
                    await asyncio.sleep(0.1)
            recorded = rows(site)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
        sessions = list(upstream.sessions)

    lost = [row for row in recorded.values() if row["end_reason"] == "server_lost"]
    print(f"{KILLS} kills, {len(ready)} sessions ready, {len(lost)} lost, all final after {final:.1f} s")
    assert lost
    assert len(ready) == len(set(ready)) == SESSIONS
    assert {*ready} <= {*recorded}
    assert all(recorded[name]["end_reason"] for name in ready)
    assert all(row["estimated"] for row in lost)

    dearest = Counter[str]()
    for answer in (bill for session in sessions for bill in billed(session)):
        dearest |= answer
    unpaid = Counter[str]()
    for person in people:
        theirs = [row for row in recorded.values() if row["user_id"] == person.pk]
        gone = sum(row["end_reason"] == "server_lost" for row in theirs)
        paid = Counter[str]()
        for session in sessions:
            paid += sum(billed(session), Counter()) if asked_by(session) == person.pk else Counter()
        for kind in KINDS:
            stored = sum(row[kind] for row in theirs)
            assert stored <= paid[kind] <= stored + gone * dearest[kind], "at most the answer under way is missing"
            unpaid[kind] += paid[kind] - stored
    print(f"missing of what was billed: {dict(unpaid)}; the dearest answer: {dict(dearest)}")
