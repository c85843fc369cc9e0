"""The ear of ear.js, from here: what a page has played, and what was said between it and the server meanwhile."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

EAR = Path(__file__).with_name("ear.js").read_text()
"""To run in the page before its own scripts."""

Message = dict[str, Any]


@dataclass(frozen=True)
class Ear:
    """``at`` of a message is the number of the sample that was played when it came, or went."""

    page: Page

    async def played(self) -> Sound:
        """Everything, up to now."""
        heard = await self.page.evaluate("ear.played()")
        return Sound(b64decode(heard["pcm"]), heard["first"])

    async def received(self, item: str) -> bytes:
        """The audio that came of an item."""
        return b64decode(await self.page.evaluate("item => ear.received(item)", item))

    async def messages(self, kind: str) -> list[Message]:
        """What the server said."""
        return list(await self.page.evaluate("kind => ear.messages.filter(({ type }) => type === kind)", kind))

    async def sent(self, kind: str) -> list[Message]:
        """What the page said."""
        return list(await self.page.evaluate("kind => ear.sent.filter(({ type }) => type === kind)", kind))

    async def until_sent(self, kind: str, found: Callable[[Message], bool]) -> None:
        """Wait for such a message of the page. (Its policy forbids to wait inside it.)"""
        async with asyncio.timeout(60):
            while not any(map(found, await self.sent(kind))):
                await self.page.wait_for_timeout(50)

    async def until_played(self, milliseconds: int) -> None:
        """Wait until so much of an answer was heard."""
        await self.until_sent("playback", lambda report: report["played_ms"] >= milliseconds)

    async def frames(self) -> int:
        """How many of the microphone have left the page."""
        return int(await self.page.evaluate("ear.frames"))

    async def until_frames(self, more_than: int) -> None:
        """Wait until so many have."""
        async with asyncio.timeout(60):
            while await self.frames() <= more_than:
                await self.page.wait_for_timeout(50)

    async def sockets(self) -> int:
        """How often it has dialled."""
        return int(await self.page.evaluate("ear.sockets"))


@dataclass(frozen=True)
class Sound:
    """PCM that left the player; ``first`` is the number of its first sample."""

    pcm: bytes
    first: int

    def between(self, start: int, end: int | None = None) -> Sound:
        """A part of it, by the numbers of samples."""
        begin = max(start, self.first)
        return Sound(self.pcm[2 * (begin - self.first) : None if end is None else 2 * (end - self.first)], begin)
