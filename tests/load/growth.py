"""What admission and the statistics cost when there are many visitors:

    python -m tests.load.growth [--starts 100000] [--sessions 100000] [--json]

The limiter: a Valkey is filled with starts, ten for each user, once of a hundred users and once of as many as there
must be. Then a thousand visits more (start, renewal, end) are counted by Valkey itself, in microseconds of its core.

The statistics: SQLite is filled with sessions and their turns, a tenth of them and then all, once within one year and
once spread over ten. The page is asked for several times; a figure is the median.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.load import interrupted
from tests.load.options import command_line, within
from tests.redis_server import RedisServer
from voice.admission.limits import Limits
from voice.admission.redis.store import RedisStore

FEW_USERS, STARTS_EACH, VISITS = 100, 10, 1_000
AT_ONCE = 50
"""Visits in flight while the server is filled."""
LIMITS = Limits(sessions_per_user_per_hour=1_000, sessions_per_address_per_hour=1_000_000, sessions=1_000_000)
"""All of them are looked at, and none refuses."""
YEARS = 10
PAGES = 5
MOST = 200_000
Figures = dict[str, Any]


# -- the limiter ---------------------------------------------------------------------------------------------------


async def limiter(starts: int) -> list[Figures]:
    """What a visit costs the server, with few users and with many."""
    return [await _visits(users) for users in (FEW_USERS, starts // STARTS_EACH)]


async def _visits(users: int) -> Figures:
    with RedisServer() as server:
        async with _store(server.url) as store:
            await _fill(store, users)
            new = [(f"new-{n}", f"user-{n % users}") for n in range(VISITS)]
            spent = {
                "start": await _spent(server, (store.acquire(name, user, LIMITS, "192.0.2.1") for name, user in new)),
                "renewal": await _spent(server, (store.renew(name) for name, _ in new)),
                "end": await _spent(server, (store.release(name) for name, _ in new)),
            }
        memory = server.do("INFO", "memory")["used_memory"]
    return {"users": users, "starts": users * STARTS_EACH, "us": spent, "memory_kib": memory // 1024}


@asynccontextmanager
async def _store(url: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(url, "growth", _no_history)
    try:
        yield store
    finally:
        await store.close()


async def _no_history(user_id: str) -> list[tuple[str, float]]:
    return []


async def _fill(store: RedisStore, users: int) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def visit(user: int, number: int) -> None:
        async with gate:
            await store.acquire(f"{user}-{number}", f"user-{user}", LIMITS, f"192.0.2.{user % 250}")
            await store.release(f"{user}-{number}")

    for number in range(STARTS_EACH):
        async with asyncio.TaskGroup() as tasks:
            for user in range(users):
                tasks.create_task(visit(user, number))


async def _spent(server: RedisServer, calls: Iterable[Any]) -> float:
    """Microseconds of the server for each of the calls, made one after the other."""
    server.do("CONFIG", "RESETSTAT")
    for call in calls:
        await call
    return float(server.do("INFO", "commandstats")["cmdstat_evalsha"]["usec_per_call"])


# -- the statistics ------------------------------------------------------------------------------------------------


def statistics(sessions: int) -> list[Figures]:
    """What the page costs, with a tenth of so many sessions and with all of them."""
    return [
        _pages("one year", sessions // 10, lambda make, multiply: make(sessions // 10)),
        _pages("one year", sessions, lambda make, multiply: (make(sessions // 10), multiply(10))),
        _pages("ten years", sessions, lambda make, multiply: (make(sessions // 10), multiply(YEARS, years=True))),
    ]


def _pages(spread: str, sessions: int, fill: Callable[[Any, Any], Any]) -> Figures:
    from django.core.management import call_command
    from django.utils import timezone

    from tests import generated_year
    from voice.models import VoiceSession

    call_command("flush", "--no-input", verbosity=0)
    fill(lambda count: generated_year.make(count, until=timezone.now()), generated_year.multiply)
    assert VoiceSession.objects.count() == sessions
    year = timezone.localdate().replace(year=timezone.localdate().year - 1)
    url = "/admin/voice/voicestatistics/"
    return {
        "sessions": sessions,
        "spread": spread,
        "last_30_days": _asked(url),
        "last_year": _asked(f"{url}?since={year}"),
        "now": _asked(f"{url}now/"),
    }


def _asked(url: str) -> Figures:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    staff, _ = get_user_model().objects.get_or_create(username="staff", is_staff=True, is_superuser=True)
    office = Client(SERVER_NAME="localhost")
    office.force_login(staff)
    seconds = []
    for _ in range(PAGES + 1):
        with CaptureQueriesContext(connection) as asked:
            began = time.process_time()
            assert office.get(url).status_code == 200
            seconds.append(time.process_time() - began)
    return {"cpu_ms": round(1000 * median(seconds[1:])), "queries": len(asked)}


# -- told ----------------------------------------------------------------------------------------------------------


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, within bounds."""
    parser = command_line("tests.load.growth", __doc__)
    parser.add_argument("--starts", type=within(FEW_USERS * STARTS_EACH, MOST), default=100_000)
    parser.add_argument("--sessions", type=within(100, MOST), default=100_000)
    return parser.parse_args(arguments)


def measured(starts: int, sessions: int) -> Figures:
    """Both."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(TEST_DATABASE=str(Path(folder) / "growth.sqlite3"), DJANGO_SETTINGS_MODULE="tests.settings")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        return {"limiter": asyncio.run(limiter(starts)), "statistics": statistics(sessions)}


@interrupted.in_a_line
def main() -> None:
    """Measure, and tell."""
    options = parsed()
    told = measured(options.starts, options.sessions)
    if options.json:
        print(json.dumps(told, indent=2))
        return
    print("| users | starts | µs of Valkey: start | renewal | end | KiB |\n|--:|--:|--:|--:|--:|--:|")
    for row in told["limiter"]:
        us = row["us"]
        print(
            f"| {row['users']:,} | {row['starts']:,} | {us['start']:.0f} | {us['renewal']:.0f} | {us['end']:.0f}"
            f" | {row['memory_kib']:,} |"
        )
    print("\n| sessions | within | ms of CPU: last 30 days | last year | now | queries |\n|--:|---|--:|--:|--:|--:|")
    for row in told["statistics"]:
        pages = [row[name] for name in ("last_30_days", "last_year", "now")]
        cells = " | ".join(str(page["cpu_ms"]) for page in pages)
        print(
            f"| {row['sessions']:,} | {row['spread']} | {cells} | {', '.join(str(page['queries']) for page in pages)} |"
        )


if __name__ == "__main__":
    main()
