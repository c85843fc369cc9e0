"""A site that is stopped, by Ctrl-C or by its supervisor, in the middle of a conversation."""

import asyncio
from collections import deque
from pathlib import Path

from tests import server
from tests.client import VoiceClient
from tests.realtime_server import Answer, RealtimeServer


async def test_it_says_so_before_it_goes_and_records_the_end(folder: Path, upstream: RealtimeServer) -> None:
    """A page then dials again, and finds the process that came in its place."""
    upstream.script.answers = deque([Answer("word " * 20)])
    running = server.running(folder, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=upstream.url)
    site = await asyncio.to_thread(running.__enter__)
    async with VoiceClient(site.url, site.token) as client:
        ready = await client.until("session.ready")
        await client.ask("Tell me everything.")
        await client.until("audio")
        await asyncio.to_thread(running.__exit__, None, None, None)
        ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4512, "server_drain", "now")
    assert await client.closed() == 4512
    assert site.session(ready["session_id"])["end_reason"] == "server_drain"
    assert [turn["outcome"] for turn in site.turns(ready["session_id"])] == ["interrupted"]
    assert upstream.open == 0
