"""An answer as the service streams it: items, audio and text deltas, faster than they are spoken; cancelled
any time."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

from tests.realtime_server.script import Answer
from voice.protocol.audio import BYTES_PER_MS, duration_ms

if TYPE_CHECKING:
    from tests.realtime_server.session import RealtimeSession

AUDIO_TOKEN_MS = 50
INPUT_TOKENS = {"text_tokens": 100, "audio_tokens": 30, "image_tokens": 0, "cached_tokens": 0}


class Response:
    """One response, from ``response.created`` to ``response.done``, which always comes."""

    def __init__(self, session: RealtimeSession, response_id: str, metadata: Any, answer: Answer) -> None:
        self.id = response_id
        self.audio_ms: dict[str, int] = {}
        """Length of the audio sent so far, by item."""
        self.usage: dict[str, Any] | None = None
        """What it was billed; set when it is done."""
        self._session, self._metadata, self._answer = session, metadata, answer
        self._cancelled: str | None = None
        self._released = asyncio.Event()

    def cancel(self, reason: str) -> None:
        """Stop at the next delta."""
        self._cancelled = self._cancelled or reason
        self._released.set()

    def release(self) -> None:
        """Go on, if it was held."""
        self._released.set()

    async def begin(self) -> None:
        """Say that there is an answer coming."""
        await self._session.tell("response.created", response=self._as_object("in_progress"))

    async def run(self) -> None:
        """Say everything, or what there is until it is cancelled."""
        await asyncio.sleep(self._session.script.response_latency)
        for index, (text, pcm) in enumerate(self._answer.parts()):
            if self._cancelled is None:
                await self._say(index, text, pcm)
        billed = _usage(sum(self.audio_ms.values()))
        self.usage = billed if self._answer.usage == "as it is" else self._answer.usage
        self._session.active = None
        await self._session.tell("response.done", response=self._final())

    async def _say(self, index: int, text: str, pcm: bytes) -> None:
        session, item_id = self._session, self._session.new_id("item")
        item: dict[str, Any] = {
            "id": item_id,
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        where = {"response_id": self.id, "item_id": item_id, "output_index": index, "content_index": 0}
        self.audio_ms[item_id] = 0
        await session.tell("response.output_item.added", response_id=self.id, output_index=index, item=item)
        await session.add(item)
        await session.tell("response.content_part.added", **where, part={"type": "audio", "transcript": ""})
        said = await self._stream(where, text, pcm)
        item |= {"status": "incomplete" if self._cancelled else "completed"}
        item["content"] = [{"type": "output_audio", "transcript": said}]
        await session.tell("response.output_audio.done", **where)
        await session.tell("response.output_audio_transcript.done", **where, transcript=said)
        await session.tell("response.content_part.done", **where, part={"type": "audio", "transcript": said})
        await session.tell("conversation.item.done", previous_item_id=None, item=item)
        await session.tell("response.output_item.done", response_id=self.id, output_index=index, item=item)

    async def _stream(self, where: dict[str, Any], text: str, pcm: bytes) -> str:
        """Send audio and text side by side; the text that was sent."""
        session, words, said = self._session, text.split(), ""
        size = session.script.delta_ms * BYTES_PER_MS
        pieces = [pcm[n : n + size] for n in range(0, len(pcm), size)]
        for n, piece in enumerate(pieces):
            await self._pause(n)
            if self._cancelled:
                return said
            for word in words[len(words) * n // len(pieces) : len(words) * (n + 1) // len(pieces)]:
                delta = f" {word}" if said else word
                said += delta
                await session.tell("response.output_audio_transcript.delta", **where, delta=delta)
            self.audio_ms[where["item_id"]] += duration_ms(len(piece))
            audio = base64.b64encode(piece).decode("ascii")
            await session.tell("response.output_audio.delta", **where, delta=audio)
        return said

    async def _pause(self, deltas_sent: int) -> None:
        await asyncio.sleep(self._session.script.delta_interval)
        if deltas_sent == self._answer.hold_after:
            await self._released.wait()

    def _final(self) -> dict[str, Any]:
        if self._cancelled:
            return self._as_object("cancelled", {"type": "cancelled", "reason": self._cancelled})
        details = {
            "completed": None,
            "incomplete": {"type": "incomplete", "reason": self._answer.code},
            "failed": {"type": "failed", "error": {"type": "server_error", "code": self._answer.code, "message": ""}},
        }
        return self._as_object(self._answer.status, details[self._answer.status])

    def _as_object(self, status: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [{"id": item_id, "type": "message"} for item_id in self.audio_ms],
            "conversation_id": "conv_1",
            "metadata": self._metadata,
            "usage": self.usage,
        }


def _usage(spoken_ms: int) -> dict[str, Any]:
    audio_tokens = spoken_ms // AUDIO_TOKEN_MS
    return {
        "total_tokens": 130 + audio_tokens + 10,
        "input_tokens": 130,
        "output_tokens": audio_tokens + 10,
        "input_token_details": INPUT_TOKENS,
        "output_token_details": {"text_tokens": 10, "audio_tokens": audio_tokens},
    }
