"""A site that is sent whatever anybody may send, while somebody else talks with it, and somebody with its twin."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from pathlib import Path

import pytest

from tests.client import VoiceClient
from tests.load.fuzz import MARK
from tests.realtime_server import Answer, RealtimeServer, Script
from tests.several import site as several
from tests.several.site import Process
from voice.protocol.audio import BYTES_PER_MS

pytestmark = pytest.mark.alone

SEEDS = ("1", "2", "3")
CASES = os.environ.get("FUZZ_CASES", "100")
"""For each seed; 1,000 prove it, fewer show that it is still so."""
GAP_SECONDS, MEMORY_MB = 0.1, 30.0
LATE_SECONDS = 1.0
"""By which the bystander's audio may be later than thrice that of somebody whose server is left alone: half of what it
is sent ahead."""
BUILT = {
    "session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear",
    "conversation.item.create", "conversation.item.truncate", "conversation.item.delete", "response.create",
    "response.cancel",
}  # fmt: skip
"""What the server says to an upstream."""


def memory_mb(process: Process) -> float:
    """What it has in memory."""
    assert process.popen is not None
    lines = Path(f"/proc/{process.popen.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def listen(client: VoiceClient, enough: asyncio.Event) -> None:
    """Ask, and listen to the end, until it is enough."""
    while not enough.is_set():
        last = client.received[-1]
        await client.ask("Tell me everything.")
        await client.until("turn.done", within=120, after=last)


def gaps(client: VoiceClient) -> tuple[float, float]:
    """The longest silence that was heard in an answer, and by how much its audio was ever late; in seconds."""
    silence = late = 0.0
    items = {frame["item_id"] for frame in client.all("audio")}
    for item_id in items:
        plays_until = before = 0.0
        for frame in client.all("audio", item_id=item_id):
            seconds = len(frame.pcm) / BYTES_PER_MS / 1000
            if plays_until:
                silence = max(silence, frame.at - plays_until)
                late = max(late, frame.at - before - seconds)
            plays_until, before = max(plays_until, frame.at) + seconds, frame.at
    return silence, late


async def attack(url: str, token: str, seeds: tuple[str, ...], cases: str) -> str:
    """From a process of its own. Returns what it printed."""
    command = [sys.executable, "-m", "tests.load.fuzz", url, token, "--cases", cases, "--seeds", *seeds]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_nothing_that_is_sent_hurts_the_site_or_anybody_else(server: str, tmp_path: Path) -> None:
    script = Script(answers=deque([Answer("word " * 40)] * 100), keep_audio=False)
    async with RealtimeServer(script) as upstream:
        overrides = {"DJANGO_SETTINGS_MODULE": "tests.load.settings", "OPENAI_BASE_URL": upstream.url}
        running = several.running(tmp_path, 2, server, **overrides)
        site = await asyncio.to_thread(running.__enter__)
        try:
            process, left_alone = site.processes
            bystander, control, attacker = await asyncio.to_thread(site.people, "bystander", "control", "attacker")
            async with (
                VoiceClient(process.url, bystander.token) as client,
                VoiceClient(left_alone.url, control.token) as other,
            ):
                for each in (client, other):
                    await each.until("session.ready", within=30)
                enough = asyncio.Event()
                listening = [asyncio.create_task(listen(each, enough)) for each in (client, other)]
                await attack(process.url, attacker.token, ("0",), "50")
                before = memory_mb(process)
                printed = await attack(process.url, attacker.token, SEEDS, CASES)
                grown = memory_mb(process) - before
                enough.set()
                await asyncio.gather(*listening)
                for each in (client, other):
                    assert (await each.end())["reason"] == "client_hangup"
            (silence, late), (_, late_anyway) = gaps(client), gaps(other)
            print(
                f"\n{server}:\n{printed}memory {grown:+.1f} MB; the bystander heard no silence longer than"
                f" {1000 * silence:.0f} ms, and audio was {1000 * late:.0f} ms late at most,"
                f" {1000 * late_anyway:.0f} ms where nobody attacked"
            )
            assert silence <= 3 * GAP_SECONDS
            assert late <= 3 * late_anyway + LATE_SECONDS
            assert grown <= 3 * MEMORY_MB
            received = [event for session in upstream.sessions for event in session.received]
            assert len(upstream.sessions) > 10
            assert MARK not in json.dumps(received)
            assert {event["type"] for event in received} <= BUILT
            await upstream.until(lambda: upstream.open == 0, seconds=30)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
        assert " ERROR voice" not in site.log(), site.log()
