"""Stand-ins for the two ports, which do at once what a test says, or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Self

from voice.knowledge.base import EVERYONE, Knowledge, Scope
from voice.protocol.commands import ToUpstream
from voice.protocol.context import Passage
from voice.protocol.events import AudioDelta, UpstreamEvent
from voice.upstream.base import TakeAudio, Upstream

HOURS = Passage("Opening hours", "We open at nine.", "/help/opening-hours/")


class FakeUpstream(Upstream):
    """A conversation with nobody. What it is sent is kept; what it says, and when it stalls, is up to the test."""

    provider = "fake"
    model = "fake-1"

    def __init__(self) -> None:
        self.sent: list[bytes | ToUpstream] = []
        """Audio and commands, in order."""
        self.reachable = asyncio.Event()
        """While clear, dialling takes for ever. Set at first."""
        self.reading = asyncio.Event()
        """While clear, it takes nothing more. Set at first."""
        self.closing = asyncio.Event()
        """While clear, it is being closed for ever. Set at first."""
        self.reachable.set()
        self.reading.set()
        self.closing.set()
        self.open = False
        self.refusal: Exception | None = None
        """What dialling it ends in."""
        self._take: TakeAudio | None = None
        self._said: asyncio.Queue[UpstreamEvent | Exception] = asyncio.Queue()

    def say(self, *events: UpstreamEvent) -> None:
        """Let it say this."""
        for event in events:
            if not (isinstance(event, AudioDelta) and self._said.empty() and self._take and self._take(event)):
                self._said.put_nowait(event)

    def fail(self, error: Exception) -> None:
        """Let it break, after what it has said."""
        self._said.put_nowait(error)

    @property
    def waiting(self) -> int:
        """Events that nobody has taken yet."""
        return self._said.qsize()

    @property
    def heard(self) -> bytes:
        """The audio that it was sent."""
        return b"".join(sent for sent in self.sent if isinstance(sent, bytes))

    @property
    def commands(self) -> list[ToUpstream]:
        """The commands that it was sent."""
        return [sent for sent in self.sent if not isinstance(sent, bytes)]

    async def __aenter__(self) -> Self:
        await self.reachable.wait()
        if self.refusal is not None:
            raise self.refusal
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.closing.wait()
        self.open = False

    async def send_audio(self, pcm: bytes) -> None:
        await self.reading.wait()
        self.sent.append(pcm)

    def send_audio_at_once(self, pcm: bytes) -> bool:
        if self.reading.is_set():
            self.sent.append(pcm)
        return self.reading.is_set()

    async def send(self, command: ToUpstream) -> None:
        await self.reading.wait()
        self.sent.append(command)

    async def events(self, take: TakeAudio | None = None) -> AsyncIterator[UpstreamEvent]:
        self._take = take
        while True:
            said = await self._said.get()
            if isinstance(said, Exception):
                raise said
            yield said


class FakeKnowledge(Knowledge):
    """Finds the same passages for every question: at once, or when :attr:`answering` is set, or not at all."""

    name = "fake"

    def __init__(self, *passages: Passage, error: Exception | None = None, hangs: bool = False) -> None:
        self.asked: list[str] = []
        """Every query."""
        self.searching = 0
        """Searches under way."""
        self.answering = asyncio.Event()
        if not hangs:
            self.answering.set()
        self._passages, self._error = passages, error

    async def search(self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE) -> tuple[Passage, ...]:
        self.asked.append(query)
        self.searching += 1
        try:
            await self.answering.wait()
        finally:
            self.searching -= 1
        if self._error is not None:
            raise self._error
        return self._passages[:limit]
