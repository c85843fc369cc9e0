"""What comes in by the socket, frame by frame, checked before anyone else sees it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from voice.protocol.audio import BYTES_PER_SAMPLE
from voice.protocol.commands import TellError
from voice.protocol.outcomes import EndReason
from voice.protocol.pace import Pace
from voice.protocol.wires.base import Frame, Said, Wire
from voice.protocol.wires.fields import AUDIO_LIMIT, TEXT_LIMIT, WireError

BAD_AUDIO_LIMIT = 20
"""Bad audio frames after which a client is given up."""
_LEAVING = {1000: EndReason.CLIENT_HANGUP, None: EndReason.CLIENT_HANGUP, 1001: EndReason.CLIENT_AWAY}
"""Close codes with which a browser leaves on purpose: told to, without saying, or by leaving the page."""
TOO_FAST = TellError("too_fast", "Audio comes faster than it is spoken, so some was dropped.")
TURN = 64
"""Frames after which others have their turn: of those that lie here already, none waits for the network."""


class Over(Exception):
    """The conversation is over, or never begins."""

    def __init__(self, reason: EndReason, retry_after_ms: int | None = None) -> None:
        super().__init__(reason.value)
        self.reason, self.retry_after_ms = reason, retry_after_ms


class Frames:
    """The frames of one socket, in the words of its ``wire``."""

    __slots__ = (
        "_bad_audio", "_begun", "_clock", "_dropping", "_in_time", "_longest", "_pace", "_receive", "_said", "_wire",
        "gone", "received",
    )  # fmt: skip

    def __init__(
        self, receive: Callable[[], Awaitable[Any]], wire: Wire, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receive, self._wire, self._clock = receive, wire, clock
        self._longest = AUDIO_LIMIT if wire.binary else -1
        """Bytes of a binary frame that is audio as it is."""
        self._said: deque[Said] = deque()
        self._pace = Pace(clock())
        self._in_time = self._pace.takes  # asked for each frame
        self._dropping = False
        self._bad_audio = 0
        self.received = 0
        """How many there were."""
        self._begun = False
        self.gone = False
        """Whether the client has left, so that nothing can be told any more."""

    async def next(self) -> Said:
        """What is said next. Of a frame that is wrong, that is what the client is told about it.

        Raises:
            Over: the client left, or sent what nobody should.
        """
        while not self._said:
            self._take(self._decoded(await self._frame()))
        return self._said.popleft()

    def takes(self, audio: bytes) -> bool:
        """Whether this binary frame, which did not come by the queue, is right and no faster than it is spoken.

        If it is not, nothing has happened: by the queue, its sender is told what is wrong.
        """
        size = len(audio)
        if size > self._longest or size % BYTES_PER_SAMPLE or not self._in_time(size, self._clock()):
            return False
        self.received += 1
        self._dropping = False
        return True

    def said(self, text: str) -> list[Said]:
        """What this text frame says, which did not come by the queue, as :meth:`next` does.

        Raises:
            Over: its client sent what nobody should.
        """
        self.received += 1
        self._take(self._decoded(text))
        said = list(self._said)
        self._said.clear()
        return said

    async def _frame(self) -> Frame:
        if self.received % TURN == TURN - 1:
            await asyncio.sleep(0)
        message = await self._receive()
        self._begun = True
        if message["type"] == "websocket.disconnect":
            self.gone = True
            raise Over(_LEAVING.get(message.get("code"), EndReason.CLIENT_LOST))
        self.received += 1
        audio: bytes | None = message.get("bytes")
        return str(message.get("text") or "") if audio is None else audio

    async def begun(self, limit: float) -> None:
        """Wait until the client has sent anything, at most ``limit`` seconds. What it is does not matter any more."""
        if self._begun:
            return
        with suppress(Over, TimeoutError):
            async with asyncio.timeout(limit):
                await self._frame()

    def _take(self, said: tuple[Said, ...]) -> None:
        """Keep what of it does not come too fast."""
        now, audio = self._clock(), False
        for each in said:
            if not isinstance(each, bytes):
                self._said.append(each)
                continue
            audio = True
            if self._pace.audio(len(each), now):
                self._dropping = False
                self._said.append(each)
            elif not self._dropping:
                self._dropping = True
                self._said.append(TOO_FAST)
        if not audio:
            self._pace.message(now)
        if self._pace.is_flood:
            raise Over(EndReason.TOO_FAST)

    def _decoded(self, frame: Frame) -> tuple[Said, ...]:
        if isinstance(frame, str) and _is_too_long(frame):
            raise Over(EndReason.TOO_BIG)
        try:
            return self._wire.decode(frame)
        except WireError as error:
            self._bad_audio += error.code == "invalid_audio"
            if self._bad_audio >= BAD_AUDIO_LIMIT:
                raise Over(EndReason.BAD_MESSAGE) from None
            return (error.told(),)


def _is_too_long(text: str) -> bool:
    return len(text) > TEXT_LIMIT or len(text.encode("utf-8", "replace")) > TEXT_LIMIT
