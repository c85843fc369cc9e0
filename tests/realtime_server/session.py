"""One connection's session as the service keeps it: settings, conversation, and the answer under way."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.realtime_server.answering import Response
from tests.realtime_server.hearing import Hearing
from tests.realtime_server.rules import RefusedError, SessionType, check_event, check_turn_detection
from tests.realtime_server.script import Script
from voice.protocol.audio import BYTES_PER_MS

Event = dict[str, Any]
Send = Callable[[Event | bytes | str], Awaitable[None]]


class RealtimeSession:
    """Receives client events, sends server events. A conversation if it has a model, else it only transcribes."""

    def __init__(
        self, model: str, script: Script, send: Send, spawn: Callable[[Any], object], ids: Iterator[int]
    ) -> None:
        """``ids`` are the server's: no two of its connections give the same."""
        self.model, self.script = model, script
        self.type: SessionType = "realtime" if model else "transcription"
        self.received: list[Event] = []
        """Every client event, in order; of audio only its length."""
        self.sent: list[Event] = []
        """Every server event, in order; without audio."""
        self.items: list[Event] = []
        """The conversation."""
        self.truncated: dict[str, int] = {}
        """Milliseconds kept of the items that were truncated."""
        self.responses: dict[str, Response] = {}
        self.active: Response | None = None
        self.settings = _defaults(model) if model else _transcription_defaults()
        self.spawn = spawn
        self._send, self._ids = send, ids
        self.hearing = Hearing(self)

    async def open(self) -> None:
        """Greet."""
        if self.script.hang == "created":
            return
        await self.tell("session.created", session=self.settings)
        if self.type == "realtime":
            await self.tell("conversation.created", conversation={"id": "conv_1", "object": "realtime.conversation"})

    async def tell(self, kind: str, **fields: Any) -> None:
        """Send one server event, as well or badly as the script wants it."""
        if kind in self.script.withholds:
            return
        if kind in self.script.delays:
            self.spawn(self._tell_later(self.script.delays[kind], kind, fields))
            return
        for _ in range(1 + (kind in self.script.repeats)):
            await self._tell(kind, fields)
        for frame in self.script.noise:
            await self._send(frame)

    async def _tell_later(self, seconds: float, kind: str, fields: dict[str, Any]) -> None:
        await asyncio.sleep(seconds)
        await self._tell(kind, fields)

    async def _tell(self, kind: str, fields: dict[str, Any]) -> None:
        event = {"type": kind, "event_id": self.new_id("event"), **fields}
        self.sent.append({**event, "delta": "(audio)"} if kind == "response.output_audio.delta" else event)
        for told in self.script.manner(event):
            await self._send(told)

    async def receive(self, raw: str | bytes) -> None:
        """React to one frame of the client."""
        event: Any = None
        try:
            if not isinstance(raw, str):
                raise RefusedError("invalid_event", message="Expected a text frame.")
            event = json.loads(raw)
            self._note(event)
            if event["type"] in self.script.idle:
                return
            if event["type"] in self.script.unable:
                await self.tell("error", error=RefusedError("unknown_event").error)
                return
            check_event(event, self.model, self.type)
            await self._HANDLERS[event["type"]](self, event)
        except (RefusedError, json.JSONDecodeError) as refusal:
            error = refusal.error if isinstance(refusal, RefusedError) else RefusedError("invalid_json").error
            event_id = event.get("event_id") if isinstance(event, dict) else None
            await self.tell("error", error={**error, "event_id": event_id})

    def new_id(self, kind: str) -> str:
        """The next id: ``item_7``."""
        return f"{kind}_{next(self._ids)}"

    async def add(self, item: Event, index: int | None = None) -> None:
        """Put an item into the conversation and tell so; ``index`` None is the tail."""
        at = len(self.items) if index is None else index
        previous = self.items[at - 1]["id"] if at else None
        self.items.insert(at, item)
        await self.tell("conversation.item.added", previous_item_id=previous, item=item)

    def _note(self, event: Any) -> None:
        if isinstance(event, dict) and isinstance(event.get("audio"), str):
            event_ms = len(event["audio"]) * 3 // 4 // BYTES_PER_MS
            self.received.append({**event, "audio": f"({event_ms} ms)"})
        else:
            self.received.append(event)

    # -- settings --------------------------------------------------------------------------------------------

    async def _update(self, event: Event) -> None:
        if self.script.hang == "settings":
            return
        for param in sorted(self.script.reject):
            if _has(event, param.split(".")):
                raise RefusedError("invalid_value", param, f"Not supported. {json.dumps(event)}")
        settings = _merged(_merged(self.settings, event["session"]), self.script.gives)
        check_turn_detection(settings)
        before, self.settings = self.turn_detection, settings
        if self.turn_detection != before:
            self.hearing.reset()
        await self.tell("session.updated", session=self.settings)

    @property
    def turn_detection(self) -> Event | None:
        """The settings of the VAD, or ``None`` where the client commits."""
        detection: Event | None = self.settings["audio"]["input"]["turn_detection"]
        return detection

    # -- the conversation ------------------------------------------------------------------------------------

    async def _create_item(self, event: Event) -> None:
        item = {**event["item"], "status": "completed"}
        item.setdefault("id", self.new_id("item"))
        if item.get("role") in self.script.refuses_items:
            raise RefusedError("invalid_value", "item.role")
        if self._index(item["id"]) is not None:
            raise RefusedError("item_create_duplicate_item_id", "item.id")
        calls = [known["call_id"] for known in self.items if known["type"] == "function_call"]
        if item["type"] == "function_call_output" and item["call_id"] not in calls:
            raise RefusedError("item_create_invalid_call_id", "item.call_id")
        await self.add(item, self._place(event.get("previous_item_id")))
        await self.tell("conversation.item.done", previous_item_id=None, item=item)

    def _place(self, previous: str | None) -> int | None:
        if previous is None or previous == "root":
            return None if previous is None else 0
        index = self._index(previous)
        if index is None:
            raise RefusedError("item_create_invalid_previous_item_id", "previous_item_id")
        return index + 1

    def _index(self, item_id: str) -> int | None:
        return next((n for n, item in enumerate(self.items) if item["id"] == item_id), None)

    async def _delete_item(self, event: Event) -> None:
        index = self._index(event["item_id"])
        if index is None:
            raise RefusedError("item_delete_invalid_item_id", "item_id")
        del self.items[index]
        await self.tell("conversation.item.deleted", item_id=event["item_id"])

    async def _truncate(self, event: Event) -> None:
        item_id, keep_ms = event["item_id"], event["audio_end_ms"]
        made_ms = next((r.audio_ms[item_id] for r in self.responses.values() if item_id in r.audio_ms), None)
        if made_ms is None or self._index(item_id) is None:
            message = "Only model output audio messages can be truncated"
            raise RefusedError("unsupported_content_type", "item_id", message)
        if keep_ms > made_ms:
            message = f"Audio content of {made_ms} ms is already shorter than {keep_ms} ms"
            raise RefusedError("invalid_value", "audio_end_ms", message)
        self.truncated[item_id] = keep_ms
        await self.tell("conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=keep_ms)

    # -- answers ---------------------------------------------------------------------------------------------

    async def _create_response(self, event: Event) -> None:
        await self.respond(event.get("response", {}))

    async def respond(self, asked: Event) -> None:
        """Begin an answer."""
        if self.active:
            message = f"Conversation already has an active response in progress: {self.active.id}."
            raise RefusedError("conversation_already_has_active_response", message=message)
        self.active = Response(self, self.new_id("resp"), asked.get("metadata"), self.script.next_answer())
        self.responses[self.active.id] = self.active
        await self.active.begin()
        self.spawn(self.active.run())

    async def _cancel_response(self, event: Event) -> None:
        if self.active is None or event.get("response_id", self.active.id) != self.active.id:
            raise RefusedError("response_cancel_not_active", message="Cancellation failed.")
        self.active.cancel("client_cancelled")

    _HANDLERS: dict[str, Callable[[RealtimeSession, Event], Awaitable[None]]] = {
        "session.update": _update,
        "input_audio_buffer.append": lambda self, event: self.hearing.append(event),
        "input_audio_buffer.commit": lambda self, event: self.hearing.commit(event),
        "input_audio_buffer.clear": lambda self, event: self.hearing.clear(event),
        "conversation.item.create": _create_item,
        "conversation.item.delete": _delete_item,
        "conversation.item.truncate": _truncate,
        "response.create": _create_response,
        "response.cancel": _cancel_response,
    }


def _defaults(model: str) -> Event:
    pcm = {"type": "audio/pcm", "rate": 24_000}
    detection = {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "create_response": True,
        "interrupt_response": True,
    }
    audio_in = {"format": pcm, "noise_reduction": None, "transcription": None, "turn_detection": detection}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "max_output_tokens": "inf",
        "audio": {"input": audio_in, "output": {"format": pcm, "voice": "alloy", "speed": 1.0}},
    }


def _transcription_defaults() -> Event:
    pcm = {"type": "audio/pcm", "rate": 24_000}
    audio_in = {"format": pcm, "noise_reduction": None, "transcription": None, "turn_detection": None}
    session = {"type": "transcription", "object": "realtime.transcription_session", "id": "sess_2"}
    return {**session, "audio": {"input": audio_in}}


def _merged(old: Event, new: Event) -> Event:
    """``new`` laid over ``old``, inside of objects too, except where the ``type`` of an object changes."""
    result = copy.deepcopy(old)
    for name, value in new.items():
        before = result.get(name)
        if isinstance(value, dict) and isinstance(before, dict) and before.get("type") == value.get("type"):
            result[name] = _merged(before, value)
        else:
            result[name] = copy.deepcopy(value)
    return result


def _has(value: Any, path: list[str]) -> bool:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
