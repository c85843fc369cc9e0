"""A program that talks with the assistant: ``voice.v1`` over a plain WebSocket.

    async with VoiceClient(url, token, language="fr") as client:
        await client.until("session.ready")
        question = await client.say(speech.spoken("Quand ouvrez-vous ?", "fr"))
        context = await client.until("context")
        ...
        await client.end()

It behaves as a good client should: its microphone runs at the pace of a real one and never stops, it is silent at
once when the visitor is heard to speak, and it says honestly what it has played.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.microphone import Microphone, Spoken
from tests.speaker import Played, Speaker

REPORT_INTERVAL = 0.25
"""Seconds between two reports of what is being played."""
PATIENCE = 30.0
"""Seconds for anything that is waited for, on a machine that does other things too."""


@dataclass(frozen=True)
class Received:
    """One frame of the server's, in the order of arrival."""

    at: float
    """Second on the event loop's clock."""
    type: str
    """Of the message; ``audio`` for a binary frame."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """All but the type; of a binary frame the ``item_id`` that it belongs to."""
    pcm: bytes = field(repr=False, default=b"")

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


class VoiceClient:
    """One connection. ``subprotocols`` replaces what is offered, the token included; ``start=False`` says nothing
    at first."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        language: str = "en",
        mode: str = "vad",
        resume: str = "",
        start: bool = True,
        origin: str | None = None,
        subprotocols: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.received: list[Received] = []
        """Every frame so far."""
        self.reported: dict[str, int] = {}
        """Milliseconds that were played of each item, as last told to the server."""
        self._url, self._origin, self._headers = url, origin, dict(headers or {})
        offered = ["voice.v1", *([f"voice.bearer.{token}"] if token else [])]
        self._offered = offered if subprotocols is None else list(subprotocols)
        self._start = {"type": "start", "language": language, "mode": mode, "resume": resume} if start else None
        self._speaker = Speaker()
        self._microphone = Microphone(self._send)
        self._item_id = ""
        self._changed, self._sounding = asyncio.Event(), asyncio.Event()
        self._over = False

    async def __aenter__(self) -> Self:
        self._socket: ClientConnection = await connect(
            self._url,
            origin=Origin(self._origin) if self._origin else None,
            subprotocols=[Subprotocol(name) for name in self._offered] or None,
            additional_headers=self._headers,
            compression=None,
            proxy=None,
            max_size=None,
        )
        self._running = [asyncio.create_task(part()) for part in (self._read, self._play)]
        if self._start:
            await self.tell(**self._start)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._socket.close()

    # -- what the visitor does -----------------------------------------------------------------------------------

    async def say(self, pcm: bytes, pace: float = 1.0) -> Spoken:
        """Speak, at ``pace`` times the speed of life; the microphone hears silence from then on."""
        if not self._microphone.runs:
            self._microphone.switch_on(pace)
            self._running.append(asyncio.create_task(self._microphone.run()))
        return await self._microphone.hear(pcm)

    async def ask(self, text: str) -> None:
        """Type a question."""
        await self.tell(type="input_text", text=text)

    async def tell(self, **message: Any) -> None:
        """Send a message."""
        await self._send(json.dumps(message))

    async def send(self, frame: str | bytes) -> None:
        """Send any frame, however wrong."""
        await self._socket.send(frame)

    async def send_anyway(self, frame: str | bytes) -> None:
        """The same, also when the server takes nothing any more."""
        await self._send(frame)

    async def end(self) -> Received:
        """Say goodbye. Returns the server's."""
        await self.tell(type="end")
        return await self.ending()

    def vanish(self) -> None:
        """Cut the connection without a word."""
        self._socket.transport.abort()

    def stop_reading(self) -> None:
        """Take nothing more of what the server sends."""
        self._socket.transport.pause_reading()

    def go_on_reading(self) -> None:
        """Take it again, what was sent meanwhile included."""
        self._socket.transport.resume_reading()

    # -- what the server said ------------------------------------------------------------------------------------

    async def until(
        self, kind: str, within: float = PATIENCE, *, after: Received | None = None, **match: Any
    ) -> Received:
        """The first frame of this type, with these fields, behind ``after``. Waits at most ``within`` seconds."""
        try:
            async with asyncio.timeout(within):
                while not (found := self.all(kind, after=after, **match)):
                    assert not self._over, f"the connection ended without {kind} {match}: {self.summary()}"
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind} {match} within {within} s: {self.summary()}") from None
        return found[0]

    async def first(self, *kinds: str, within: float = PATIENCE) -> Received:
        """The first frame of any of these types."""
        async with asyncio.timeout(within):
            while not (found := [frame for frame in self.received if frame.type in kinds]):
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    async def heard(self, item_id: str, milliseconds: int, within: float = PATIENCE) -> None:
        """Listen until so much of the item has been played and the server was told."""
        async with asyncio.timeout(within):
            while self.reported.get(item_id, 0) < milliseconds:
                self._changed.clear()
                await self._changed.wait()

    async def ending(self, within: float = PATIENCE) -> Received:
        """The server's goodbye, when the connection is closed."""
        ending = await self.until("session.ending", within)
        await self.closed(within)
        return ending

    async def closed(self, within: float = PATIENCE) -> int | None:
        """The close code, when it is there."""
        async with asyncio.timeout(within):
            await self._socket.wait_closed()
        return self._socket.close_code

    def all(self, kind: str, *, after: Received | None = None, **match: Any) -> list[Received]:
        """Every frame of this type, with these fields, so far."""
        begin = 0 if after is None else next(n for n, frame in enumerate(self.received) if frame is after) + 1
        return [
            frame
            for frame in self.received[begin:]
            if frame.type == kind and all(frame.fields.get(name) == value for name, value in match.items())
        ]

    def audio(self, item_id: str | None = None) -> bytes:
        """The audio received so far, of one item or of all."""
        wanted = self.all("audio") if item_id is None else self.all("audio", item_id=item_id)
        return b"".join(frame.pcm for frame in wanted)

    def words(self, *, after: Received | None = None) -> str:
        """The text of the answers so far."""
        return "".join(frame["delta"] for frame in self.all("transcript.assistant", after=after))

    @property
    def subprotocol(self) -> str | None:
        """What the server agreed to."""
        return self._socket.subprotocol

    @property
    def sounding(self) -> Played | None:
        """What is being played, and how much of it has been."""
        now = self._now()
        self._speaker.play(now)
        return self._speaker.sounding

    def summary(self) -> str:
        """The frames so far in one line each, audio aside, for a failed assertion."""
        return "\n".join(["", *(f"{f.at:.2f} {f.type} {dict(f.fields)}" for f in self.received if f.type != "audio")])

    # -- inside --------------------------------------------------------------------------------------------------

    async def _send(self, frame: str | bytes) -> None:
        with suppress(ConnectionClosed):  # whoever waits for an answer is told by the reader
            await self._socket.send(frame)

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                received = self._parse(frame)
                self.received.append(received)
                await self._obey(received)
                self._changed.set()
        except ConnectionClosed:
            pass
        finally:
            self._over = True
            self._changed.set()

    def _parse(self, frame: str | bytes) -> Received:
        if isinstance(frame, bytes):
            return Received(self._now(), "audio", {"item_id": self._item_id}, frame)
        fields = json.loads(frame)
        return Received(self._now(), fields.pop("type"), fields)

    async def _obey(self, received: Received) -> None:
        match received.type:
            case "audio.item":
                self._item_id = received["item_id"]
            case "audio":
                await self._report(self._speaker.receive(received["item_id"], len(received.pcm), received.at))
                self._sounding.set()
            case "audio.done":
                await self._report(self._speaker.finish(received["item_id"], received.at))
                self._sounding.set()
            case "speech.started" | "playback.stop":
                await self._report(self._speaker.stop(received.at))

    async def _play(self) -> None:
        """Let the speaker sound, and report."""
        while True:
            await self._sounding.wait()
            await asyncio.sleep(min(REPORT_INTERVAL, self._speaker.left) + 0.001)
            over = self._speaker.play(self._now())
            sounding = self._speaker.sounding
            await self._report([*over, sounding] if sounding else over)
            if self._speaker.left == 0:
                self._sounding.clear()

    async def _report(self, played: list[Played]) -> None:
        for item in played:
            self.reported[item.item_id] = item.milliseconds
            await self.tell(type="playback", item_id=item.item_id, played_ms=item.milliseconds, underruns=0)
        self._changed.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
