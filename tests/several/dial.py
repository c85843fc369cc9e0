"""Many clients of one process, who dial at the same instant: ``python -m tests.several.dial`` with JSON on stdin.

The first line is ``[[url, subprotocols, origin], ...]``, answered by ``ready``. They dial when the second comes, and
whoever is still talking hangs up when the input ends. For each, when it is over, a line ``[n, reason, code]`` is
written: what it was told and how it was closed, or nulls.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

PATIENCE = 60.0
"""Seconds for anything: a client that gives up first proves nothing about the server."""


async def dial(n: int, url: str, subprotocols: list[Any], origin: Any, hang_up: asyncio.Event) -> None:
    reason, code = None, None
    try:
        async with connect(
            url, subprotocols=subprotocols, origin=origin, open_timeout=PATIENCE, close_timeout=PATIENCE,
            ping_interval=None, compression=None, proxy=None,
        ) as client:  # fmt: skip
            hanging_up = asyncio.create_task(_hang_up(client, hang_up))
            try:
                with suppress(ConnectionClosed):  # the goodbye is there already: it is read below
                    await client.send(json.dumps({"type": "start"}))
                async for frame in client:
                    message = json.loads(frame) if isinstance(frame, str) else {"type": "audio"}
                    reason = message["reason"] if message["type"] == "session.ending" else reason
            finally:
                hanging_up.cancel()
                code = client.close_code
    except (OSError, WebSocketException) as error:
        if code in (None, 1006):
            print(n, code, repr(error), repr(error.__cause__), file=sys.stderr)
    print(json.dumps([n, reason, code]), flush=True)


async def _hang_up(client: Any, hang_up: asyncio.Event) -> None:
    await hang_up.wait()
    await client.send(json.dumps({"type": "end"}))


async def main() -> None:
    calls = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    hang_up = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for n, call in enumerate(calls):
            tasks.create_task(dial(n, *call, hang_up))
        await asyncio.to_thread(sys.stdin.read)
        hang_up.set()


asyncio.run(main())
