"""A microphone: a frame every 40 ms, of what is said, or of silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.speech import true_end
from voice.protocol.audio import BYTES_PER_MS, SAMPLE_RATE, silence

FRAME_MS = 40
FRAME = FRAME_MS * BYTES_PER_MS


@dataclass(frozen=True)
class Spoken:
    """When something was said, in seconds on the event loop's clock."""

    began: float
    ended: float
    """The last sample that is loud enough to be speech, not the silence behind it."""


class Microphone:
    """Runs until it is cancelled. A frame leaves when its last sample has been heard, as from a real one."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._waiting = bytearray()
        self._heard = asyncio.Event()
        self._next_frame_at = 0.0
        self._pace = 1.0
        self.runs = False
        """Whether it is on."""

    def switch_on(self, pace: float = 1.0) -> None:
        """From now on it hears, ``pace`` times as fast as time passes."""
        self.runs, self._pace, self._next_frame_at = True, pace, asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Send frames."""
        loop = asyncio.get_running_loop()
        while True:
            self._next_frame_at += FRAME_MS / 1000 / self._pace
            await asyncio.sleep(self._next_frame_at - loop.time())
            frame = bytes(self._waiting[:FRAME])
            del self._waiting[:FRAME]
            if not self._waiting:
                self._heard.set()
            await self._send(frame.ljust(FRAME, b"\0"))

    async def hear(self, pcm: bytes) -> Spoken:
        """Let it hear ``pcm`` from now on, behind what it is hearing. Returns when all was sent."""
        frame_began = self._next_frame_at - FRAME_MS / 1000 / self._pace
        late = asyncio.get_running_loop().time() - frame_began - self._seconds(len(self._waiting))
        self._waiting += silence(max(0, int(late * 1000 * self._pace)))  # what is past was silent
        began = frame_began + self._seconds(len(self._waiting))
        self._waiting += pcm
        self._heard.clear()
        await self._heard.wait()
        return Spoken(began, began + true_end(pcm) / SAMPLE_RATE / self._pace)

    def _seconds(self, byte_count: int) -> float:
        return byte_count / BYTES_PER_MS / 1000 / self._pace
