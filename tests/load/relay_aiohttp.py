"""The reference relay: aiohttp, which hands the service's own events on as they come, both ways, in base64.

    python -m tests.load.relay_aiohttp PORT UPSTREAM

It is what the best of the bridges that can be downloaded do with a frame, and nothing else.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

from tests.load.lag import Lag

UPSTREAM, LAG = web.AppKey("upstream", str), web.AppKey("lag", Lag)
Socket = ClientWebSocketResponse | web.WebSocketResponse


async def relay(request: web.Request) -> web.WebSocketResponse:
    """One session."""
    visitor = web.WebSocketResponse(compress=False)
    await visitor.prepare(request)
    async with ClientSession() as http, http.ws_connect(request.app[UPSTREAM], compress=0) as service:
        ways = [asyncio.create_task(hand_on(visitor, service)), asyncio.create_task(hand_on(service, visitor))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
    return visitor


async def hand_on(source: Socket, target: Socket) -> None:
    """Text frames, until either side has gone."""
    async for message in source:
        if message.type is not WSMsgType.TEXT or target.closed:
            return
        await target.send_str(message.data)


async def watch(app: web.Application) -> None:
    """Begin to watch the loop."""
    app[LAG] = Lag()


if __name__ == "__main__":
    application = web.Application()
    application[UPSTREAM] = sys.argv[2]
    application.add_routes([web.get("/", relay)])
    application.on_startup.append(watch)
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
