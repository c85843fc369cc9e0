"""A site of three processes with a proxy on every link, the service that it dials, and Valkey."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proxy import Proxy
from tests.realtime_server import RealtimeServer, Script
from tests.redis_server import RedisServer
from tests.several import site as several
from tests.several.site import Person, Process, Site

PROCESSES = 3
KEY = "onlyGoodForTestsBecauseEverybodyCanReadIt00="
STOP_LIMIT = 60.0


@dataclass(frozen=True)
class World:
    """All there is. The links of the n-th process are the n-th of each kind."""

    site: Site
    upstream: RealtimeServer
    doors: Sequence[Proxy]
    """Between visitors and each process."""
    to_upstream: Sequence[Proxy]
    to_redis: Sequence[Proxy]
    witness: Person
    people: Sequence[Person]
    spool: Path

    @property
    def mortal(self) -> list[Process]:
        """The processes that may be killed."""
        return self.site.processes[:-1]

    @property
    def steady(self) -> Process:
        """The one that is left alone."""
        return self.site.processes[-1]

    def urls(self) -> list[str]:
        """Where visitors go in."""
        return [f"{door.address('ws')}/v1/ws/voice" for door in self.doors]

    def links(self) -> dict[str, Proxy]:
        """All of them, by name."""
        kinds = {"browser": self.doors, "upstream": self.to_upstream, "redis": self.to_redis}
        return {f"{kind} {n}": link for kind, links in kinds.items() for n, link in enumerate(links)}

    def rows(self) -> dict[str, dict[str, Any]]:
        """The records, by session."""
        names = "id", "conversation_id", "resumed_from_id"
        found = self._read("SELECT * FROM voice_voicesession")
        return {uuid.UUID(row["id"]).hex: row | {name: _hex(row[name]) for name in names} for row in found}

    def turns(self) -> dict[str, Counter[str]]:
        """How many turns are recorded of each session, by how they ended."""
        found: dict[str, Counter[str]] = {}
        for row in self._read("SELECT session_id, outcome FROM voice_voiceturn"):
            found.setdefault(uuid.UUID(row["session_id"]).hex, Counter())[row["outcome"]] += 1
        return found

    def stop(self) -> None:
        """As a supervisor does. Raises :class:`subprocess.TimeoutExpired` if one does not end."""
        for process in self.site.processes:
            process.send(signal.SIGTERM)
        for process in self.site.processes:
            assert process.popen is not None
            process.popen.wait(STOP_LIMIT)

    def _read(self, query: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.site.database, timeout=20)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]


@asynccontextmanager
async def world(folder: Path, visitors: int, *, hasty: bool) -> AsyncIterator[World]:
    """Everything runs; ``hasty``: lost servers are presumed to be lost five times as soon."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(RealtimeServer(Script(keep_audio=False)))
        redis = stack.enter_context(RedisServer())
        to_upstream = [await stack.enter_async_context(Proxy(upstream.port)) for _ in range(PROCESSES)]
        to_redis = [await stack.enter_async_context(Proxy(redis.port)) for _ in range(PROCESSES)]
        own = [
            {"OPENAI_BASE_URL": up.address("http") + "/v1", "REDIS_URL": aside.address("redis") + "/0"}
            for up, aside in zip(to_upstream, to_redis, strict=True)
        ]
        running = several.running(
            folder, PROCESSES, redis=redis, own=own, **several.DEPLOYED,
            application="tests.several.hasty.application" if hasty else "project.asgi.application",
            DJANGO_SETTINGS_MODULE="tests.load.soak.settings", VOICE_RESUME_KEYS=KEY, VOICE_SPOOL=str(folder / "spool"),
        )  # fmt: skip
        site = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        doors = [await stack.enter_async_context(Proxy(process.port)) for process in site.processes]
        names = (f"visitor{n}" for n in range(visitors))
        witness, *people = await asyncio.to_thread(site.people, "witness", *names)
        yield World(site, upstream, doors, to_upstream, to_redis, witness, people, folder / "spool")


def _hex(value: str | None) -> str | None:
    return value and uuid.UUID(value).hex
