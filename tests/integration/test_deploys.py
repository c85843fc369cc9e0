"""A server that is stopped by its supervisor, with whatever its clients do at that moment."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Semaphore
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

from tests.client import VoiceClient
from tests.realtime_server import Answer, RealtimeServer
from tests.several import DRAIN_SECONDS
from tests.several import site as several
from tests.several.site import Process, Site

SESSIONS = 30
LONG, SHORT = Answer("word " * 60), Answer("word " * 4)
EXIT_SECONDS = DRAIN_SECONDS + 9


def ends(site: Site) -> Counter[str]:
    """How the recorded sessions ended; open ones not at all."""
    with closing(sqlite3.connect(site.database, timeout=20)) as connection:
        return Counter(reason for (reason,) in connection.execute("SELECT end_reason FROM voice_voicesession"))


def ready(process: Process) -> tuple[int, str]:
    """What a load balancer is told."""
    try:
        with urlopen(f"http://127.0.0.1:{process.port}/v1/voice/health?probe=ready", timeout=5) as response:
            return response.status, json.load(response)["status"]
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)["status"]


def half_a_request(process: Process) -> socket.socket:
    """Somebody who does not finish what they say."""
    connection = socket.create_connection(("127.0.0.1", process.port))
    connection.sendall(b"POST /v1/voice/ticket HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    return connection


def ask_until_nobody_listens(process: Process, answered: Semaphore) -> None:
    """For a page whose view is a coroutine, which a thread waits for, again and again."""
    with suppress(OSError, HTTPException):
        while True:
            with suppress(HTTPError), urlopen(f"http://127.0.0.1:{process.port}/v1/voice/stats", timeout=40):
                pass
            answered.release()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_thirty_visitors_are_told_and_recorded_whatever_they_do(server: str, tmp_path: Path) -> None:
    """Ten listen to a long answer, ten to a short one, nine are quiet, and one does not read any more."""
    async with RealtimeServer() as upstream, AsyncExitStack() as clients:
        running = several.running(tmp_path, 1, server, OPENAI_BASE_URL=upstream.url)
        site = await asyncio.to_thread(running.__enter__)
        clients.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        [process] = site.processes
        people = await asyncio.to_thread(site.people, *(f"visitor{n}" for n in range(SESSIONS + 1)))
        here = [await clients.enter_async_context(VoiceClient(process.url, each.token)) for each in people[:SESSIONS]]
        for client in here:
            await client.until("session.ready", within=30)
        listening, soon_done, quiet, frozen = here[:10], here[10:20], here[20:29], here[29]
        for some, answer in ((listening, LONG), (soon_done, SHORT), ([frozen], LONG)):
            upstream.script.answers = deque([answer] * len(some))
            for client in some:
                await client.ask("Tell me more.")
            for client in some:
                await client.until("audio")
        frozen.stop_reading()
        clients.enter_context(half_a_request(process))
        assert await asyncio.to_thread(ready, process) == (200, "ok")

        process.send(signal.SIGTERM)
        began = time.monotonic()
        assert process.popen is not None
        exited = asyncio.create_task(asyncio.to_thread(process.popen.wait, 30))
        for client in quiet:
            assert (await client.ending())["reason"] == "server_drain"
        quiet_after = time.monotonic() - began
        assert await asyncio.to_thread(ready, process) == (503, "draining")
        async with VoiceClient(process.url, people[SESSIONS].token) as late:
            assert (await late.ending())["code"] == 4512
        endings = [await client.ending() for client in (*listening, *soon_done)]
        told_after = time.monotonic() - began
        await exited
        exited_after = time.monotonic() - began
        frozen.go_on_reading()
        endings.append(await frozen.ending())

        assert {(e["code"], e["reason"], e["retry"]) for e in endings} == {(4512, "server_drain", "now")}
        assert [await client.closed() for client in here] == [4512] * SESSIONS
        assert [client.all("turn.done")[-1]["outcome"] for client in listening] == ["interrupted"] * 10
        assert [client.all("turn.done")[-1]["outcome"] for client in soon_done] == ["completed"] * 10
        assert ends(site) == {"server_drain": SESSIONS}
        await upstream.until(lambda: upstream.open == 0)
        print(
            f"\n{server}: {len(quiet)} quiet ones were told within {quiet_after:.1f} s, all {SESSIONS} within"
            f" {told_after:.1f} s; the process had ended after {exited_after:.1f} s"
        )
        assert exited_after <= 3 * EXIT_SECONDS
        assert " ERROR voice" not in site.log(), site.log()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_pages_that_are_asked_for_until_the_end_do_not_keep_it(server: str, tmp_path: Path) -> None:
    """One that begins after the others were waited for has no event loop, and its thread would never end."""
    with several.running(tmp_path, 1, server) as site, ThreadPoolExecutor() as askers:
        [process] = site.processes
        answered = Semaphore(0)
        for _ in range(8):
            askers.submit(ask_until_nobody_listens, process, answered)
        for _ in range(80):
            assert answered.acquire(timeout=30)
        process.send(signal.SIGTERM)
        assert process.popen is not None
        began = time.monotonic()
        assert process.popen.wait(40) == 0, site.log()
        print(f"\n{server}: ended {time.monotonic() - began:.1f} s after the signal")


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_an_address_that_is_taken_is_said(server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "manage.py", "voice_serve", "--server", server, "--port", where.split(":")[1]]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert f"CommandError: {where} cannot be listened on." in ended.stderr
    assert "serves at" not in ended.stdout


def test_a_server_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.management.commands.voice_serve.find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"requirements-uvicorn\.txt"):
        call_command("voice_serve", server="uvicorn")
