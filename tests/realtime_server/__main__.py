"""``python -m tests.realtime_server``: run one, print its ``base_url``, until the end of standard input."""

import asyncio
import sys

from tests.realtime_server import RealtimeServer, Script


async def main() -> None:
    """Serve."""
    async with RealtimeServer(Script(keep_audio=False)) as server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
