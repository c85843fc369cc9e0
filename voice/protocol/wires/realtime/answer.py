"""One answer in server events, from ``response.created`` to ``response.done``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pybase64 import b64encode_as_string

from voice.protocol.events import ResponseStatus
from voice.protocol.usage import Usage, read
from voice.protocol.wires.realtime.items import Item, Items
from voice.protocol.wires.realtime.server_events import INTERNAL, PCM, ServerEvents

_INCOMPLETE = ("max_output_tokens", "content_filter")
"""The reasons that the vocabulary knows for an answer that breaks off."""


TEXT_LIMIT = 20_000
"""Characters of an item whose whole is told at its end."""


@dataclass(slots=True)
class _Part:
    """One item of the answer; it has one content part."""

    item: Item
    index: int
    words: str = field(repr=False, default="")
    silent: bool = False
    """Whether all of its audio was told."""


class Answer:
    """Each method returns the frames that tell what happened. After :meth:`end` there is nothing more to tell."""

    def __init__(
        self, events: ServerEvents, items: Items, response_id: str, metadata: Mapping[str, str] | None, **shown: Any
    ) -> None:
        """``shown`` is what the ``response`` says besides: its conversation and its voice. :attr:`made_as` is what the
        upstream calls it, which is another name where it had to be asked again."""
        self.response_id = self.made_as = response_id
        self._events, self._items, self._metadata, self._shown = events, items, metadata, shown
        self._parts: dict[str, _Part] = {}

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it was told yet, but that it has begun."""
        return not self._parts

    def begin(self) -> list[str]:
        """It is being made."""
        return [self._events.write("response.created", response=self._response("in_progress"))]

    def audio(self, item_id: str, pcm: bytes) -> list[str]:
        """More of how it sounds."""
        part, frames = self._part(item_id)
        delta = b64encode_as_string(pcm)
        return [*frames, self._tell(part, "response.output_audio.delta", delta=delta)]

    def text(self, item_id: str, delta: str) -> list[str]:
        """More of what it says."""
        part, frames = self._part(item_id)
        part.words = (part.words + delta)[:TEXT_LIMIT]
        return [*frames, self._tell(part, "response.output_audio_transcript.delta", delta=delta)]

    def audio_done(self, item_id: str) -> list[str]:
        """No more audio of this item follows."""
        part = self._parts.get(item_id)
        if part is None or part.silent:
            return []
        part.silent = True
        return [self._tell(part, "response.output_audio.done")]

    def end(self, status: ResponseStatus, reason: str | None, usage: Mapping[str, Any] | None = None) -> list[str]:
        """It is over, as ``status``."""
        frames = [frame for part in self._parts.values() for frame in self._close(part, status)]
        block = None if usage is None else _usage(read(usage))
        response = self._response(status, status_details=_details(status, reason), usage=block)
        return [*frames, self._events.write("response.done", response=response)]

    def _part(self, item_id: str) -> tuple[_Part, list[str]]:
        part = self._parts.get(item_id)
        if part is not None:
            return part, []
        item = Item(item_id, "output_audio", self._items.last, status="in_progress")
        part = self._parts[item_id] = _Part(self._items.add(item), len(self._parts))
        return part, [
            self._tell_item(part, "response.output_item.added"),
            self._events.write("conversation.item.added", previous_item_id=item.previous, item=item.shown()),
            self._tell(part, "response.content_part.added", part={"type": "audio", "transcript": ""}),
        ]

    def _close(self, part: _Part, status: ResponseStatus) -> list[str]:
        item = self._items.write(part.item.item_id, part.words) or part.item
        item.status = "completed" if status == "completed" else "incomplete"
        return [
            *self.audio_done(item.item_id),
            self._tell(part, "response.output_audio_transcript.done", transcript=part.words),
            self._tell(part, "response.content_part.done", part={"type": "audio", "transcript": part.words}),
            self._tell_item(part, "response.output_item.done"),
            self._events.write("conversation.item.done", previous_item_id=item.previous, item=item.shown()),
        ]

    def _tell(self, about: _Part, kind: str, **fields: Any) -> str:
        return self._events.write(
            kind,
            response_id=self.response_id,
            item_id=about.item.item_id,
            output_index=about.index,
            content_index=0,
            **fields,
        )

    def _tell_item(self, part: _Part, kind: str) -> str:
        shown = part.item.shown()
        return self._events.write(kind, response_id=self.response_id, output_index=part.index, item=shown)

    def _response(self, status: str, **fields: Any) -> dict[str, Any]:
        done = status != "in_progress"
        return {
            "object": "realtime.response",
            "id": self.response_id,
            "status": status,
            "status_details": None,
            "output": [part.item.shown() for part in self._parts.values()] if done else [],
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "metadata": self._metadata,
            "usage": None,
            **self._shown,
            **fields,
        }


def voice(name: str) -> dict[str, Any]:
    """The ``audio`` of a response."""
    return {"output": {"format": PCM, "voice": name}}


def _details(status: ResponseStatus, reason: str | None) -> dict[str, Any] | None:
    match status:
        case "completed":
            return None
        case "incomplete":
            return {"type": status, "reason": reason if reason in _INCOMPLETE else None}
        case "cancelled":
            return {"type": status, "reason": reason}
    # What the upstream says of its failure is for operators.
    return {"type": status, "error": {"type": INTERNAL, "code": "answer_failed"}}


def _usage(usage: Usage) -> dict[str, Any]:
    cached = {"text_tokens": usage.text_cached, "audio_tokens": usage.audio_cached, "image_tokens": 0}
    return {
        "total_tokens": usage.tokens,
        "input_tokens": usage.text_in + usage.audio_in,
        "output_tokens": usage.text_out + usage.audio_out,
        "input_token_details": {
            "text_tokens": usage.text_in,
            "audio_tokens": usage.audio_in,
            "image_tokens": 0,
            "cached_tokens": usage.text_cached + usage.audio_cached,
            "cached_tokens_details": cached,
        },
        "output_token_details": {"text_tokens": usage.text_out, "audio_tokens": usage.audio_out},
    }
