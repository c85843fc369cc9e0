"""What comes in by the socket, frame by frame, checked before anyone else sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from voice.protocol.commands import TellError
from voice.protocol.outcomes import EndReason
from voice.protocol.wires import voice_v1 as wire

BAD_AUDIO_LIMIT = 20
"""Bad audio frames after which a client is given up."""
_LEAVING = {1000: EndReason.CLIENT_HANGUP, None: EndReason.CLIENT_HANGUP, 1001: EndReason.CLIENT_AWAY}
"""Close codes with which a browser leaves on purpose: told to, without saying, or by leaving the page."""

Said = wire.ClientMessage | bytes | TellError
"""A message, a piece of audio, or what to tell the client of a frame that was neither."""


class Over(Exception):
    """The conversation is over, or never begins."""

    def __init__(self, reason: EndReason, retry_after_ms: int | None = None) -> None:
        super().__init__(reason.value)
        self.reason, self.retry_after_ms = reason, retry_after_ms


class Frames:
    """The frames of one socket."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive = receive
        self._bad_audio = 0
        self.received = 0
        """How many there were."""
        self._begun = False
        self.gone = False
        """Whether the client has left, so that nothing can be told any more."""

    async def next(self) -> Said:
        """What is said next.

        Raises:
            Over: the client left, or sent what nobody should.
        """
        message = await self._receive()
        self._begun = True
        if message["type"] == "websocket.disconnect":
            self.gone = True
            raise Over(_LEAVING.get(message.get("code"), EndReason.CLIENT_LOST))
        self.received += 1
        audio = message.get("bytes")
        return self._text(message.get("text") or "") if audio is None else self._audio(audio)

    async def begun(self, limit: float) -> None:
        """Wait until the client has sent anything, at most ``limit`` seconds. What it is does not matter any more."""
        if self._begun:
            return
        with suppress(Over, TimeoutError):
            async with asyncio.timeout(limit):
                await self.next()

    def _audio(self, frame: bytes) -> Said:
        try:
            wire.check_audio(frame)
        except wire.WireError as error:
            self._bad_audio += 1
            if self._bad_audio >= BAD_AUDIO_LIMIT:
                raise Over(EndReason.BAD_MESSAGE) from None
            return error.told()
        return frame

    def _text(self, frame: str) -> Said:
        if len(frame) > wire.TEXT_LIMIT or len(frame.encode("utf-8", "replace")) > wire.TEXT_LIMIT:
            raise Over(EndReason.TOO_BIG)
        try:
            return wire.decode(frame)
        except wire.WireError as error:
            return error.told()
