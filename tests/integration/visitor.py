"""Somebody at the socket, within this process: what they send, and what they are told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from channels.testing import WebsocketCommunicator

from tests.microphone import FRAME

Message = dict[str, Any]

PATIENCE = 5.0
"""Seconds to wait for what must come, as a rule."""


class Visitor:
    """One connection to the application, which a test awaits step by step."""

    def __init__(self, application: Any, path: str, headers: dict[str, str], subprotocols: list[str]) -> None:
        encoded = [(name.encode(), value.encode()) for name, value in {"host": "testserver", **headers}.items()]
        self._communicator = WebsocketCommunicator(application, path, encoded, subprotocols)
        self.agreed: str | None = None
        """The subprotocol that was agreed upon."""
        self.patience = PATIENCE
        """Seconds to wait for what must come."""
        self.heard: list[Message | bytes] = []
        """All that was received and waited for."""

    async def connect(self) -> None:
        """Open the socket: every one is accepted, also one that is then refused."""
        accepted, agreed = await self._communicator.connect(PATIENCE)
        assert accepted is True
        assert agreed is None or isinstance(agreed, str)
        self.agreed = agreed

    async def tell(self, **message: Any) -> None:
        """Send a message."""
        await self.send(json.dumps(message))

    async def send(self, frame: str | bytes) -> None:
        """Send a frame, whatever it holds."""
        body = {"bytes": frame} if isinstance(frame, bytes) else {"text": frame}
        await self._communicator.send_input({"type": "websocket.receive", **body})

    async def speak(self, pcm: bytes) -> None:
        """Send audio in frames, all at once."""
        for begin in range(0, len(pcm), FRAME):
            await self.send(pcm[begin : begin + FRAME])

    async def ask(self, text: str = "Are you still there?") -> Message:
        """Ask in writing. Returns when the answer sounds."""
        await self.tell(type="input_text", text=text)
        return await self.until("audio.item")

    async def until(self, kind: str, **match: Any) -> Message:
        """The next message of this type with these fields; what comes before it is skipped."""
        while True:
            message = await self._next()
            if message["type"] == "websocket.close":
                raise AssertionError(f"closed ({message['code']}) without {kind} {match}: {self._said}")
            if message["type"] == kind and all(message[name] == value for name, value in match.items()):
                return message

    async def ending(self) -> Message:
        """The goodbye. It is the last word, the close frame has its code, and then the application is over."""
        ending = await self.until("session.ending")
        assert await self.closed() == ending["code"]
        return ending

    async def closed(self) -> int:
        """The close code, which comes next; then the application is over."""
        if not self.is_over:
            await self.tell(type="end")  # what the close of somebody who was refused at the door waits for
        close = await self._next()
        assert close["type"] == "websocket.close", close
        await self._communicator.wait(PATIENCE)
        assert self._communicator.output_queue.empty()
        return int(close["code"])

    async def vanish(self, code: int | None = 1006) -> None:
        """Leave without a goodbye. Returns when the application is over, which says nothing more to nobody."""
        await self._communicator.send_input({"type": "websocket.disconnect", "code": code})
        await self._communicator.wait(PATIENCE)
        while not self._communicator.output_queue.empty():
            assert (await self._next())["type"] not in ("session.ending", "websocket.close")

    def kill(self) -> None:
        """Have the server cancel the application, as it does when it stops."""
        self._communicator.future.cancel()

    @property
    def is_over(self) -> bool:
        """Whether the application is done with this socket."""
        return bool(self._communicator.future.done())

    @property
    def _said(self) -> list[Message | str]:
        return [f"{len(heard)} bytes" if isinstance(heard, bytes) else heard for heard in self.heard]

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self.patience):
                sent = await self._communicator.output_queue.get()
        except TimeoutError:
            raise AssertionError(f"nothing more came, after {self._said}") from None
        if sent["type"] == "websocket.close":
            return {"type": "websocket.close", "code": sent["code"]}
        if sent.get("bytes") is not None:
            self.heard.append(sent["bytes"])
            return {"type": "audio"}
        message: Message = json.loads(sent["text"])
        self.heard.append(message)
        return message
