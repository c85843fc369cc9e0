"""Talking with an upstream as a session does: audio goes in, events come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from voice.protocol.audio import BYTES_PER_MS, silence
from voice.protocol.events import UpstreamEvent
from voice.upstream.base import Upstream

FRAME = 40 * BYTES_PER_MS
SPEECH_PAUSE = silence(600)
"""Long enough for turn detection to call it the end."""


async def speak(upstream: Upstream, pcm: bytes) -> None:
    """Send as a microphone does, though without its pace."""
    for start in range(0, len(pcm), FRAME):
        await upstream.send_audio(pcm[start : start + FRAME])


async def up_to(stream: AsyncIterator[UpstreamEvent], kind: type[Any], count: int = 1) -> list[Any]:
    """The next events, up to and including the one that is the ``count``-th of this kind."""
    seen: list[Any] = []
    async with asyncio.timeout(5):
        async for event in stream:
            seen.append(event)
            if len(of(kind, seen)) == count:
                return seen
    raise AssertionError("the stream ended")


def of(kind: type[Any], seen: list[Any]) -> list[Any]:
    """Those of this kind."""
    return [event for event in seen if isinstance(event, kind)]
