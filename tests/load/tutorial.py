"""The consumer that one writes first: as the tutorials of Channels and of the Realtime API have it.

Channels' own dispatch, ``json`` and ``base64`` for every frame, one ``websockets`` client and one task for each
socket. Served by stock ``daphne`` or ``uvicorn``, with the same Django settings as the site that is measured.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from typing import Any

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from websockets.asyncio.client import connect  # noqa: E402

from tests.load.lag import Lag  # noqa: E402

_watching: list[Lag] = []


class TutorialConsumer(AsyncWebsocketConsumer):
    """Audio up and down as binary frames, other events as they come."""

    async def connect(self) -> None:
        """Dial, and listen in the background."""
        self.service = await connect(os.environ["LOAD_UPSTREAM"])
        await self.accept()
        self.listening = asyncio.create_task(self.listen())

    async def disconnect(self, code: int) -> None:
        """Hang up."""
        self.listening.cancel()
        await self.service.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Up."""
        audio = base64.b64encode(bytes_data or b"").decode()
        await self.service.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))

    async def listen(self) -> None:
        """Down."""
        async for message in self.service:
            event = json.loads(message)
            if event["type"] == "response.output_audio.delta":
                await self.send(bytes_data=base64.b64decode(event["delta"]))
            else:
                await self.send(text_data=json.dumps(event))


_consumer = TutorialConsumer.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The consumer at every address, in a process whose event loop is watched."""
    if not _watching:
        _watching.append(Lag())
    await _consumer(scope, receive, send)
