"""The codec: commands of the core into client events of GA Realtime, server events into events of the core.

Pure. Encoding makes the text of one frame, as bytes. Decoding never raises, whatever arrives: what it does not know is
counted and skipped, so that a new event type, or a compatible server with ways of its own, ends no conversation.

Most frames are audio. Theirs is a path of its own in each direction: one template around base64 going up, a scan
for the few fields that matter coming down (3 us a delta instead of 15, base64 aside). The order of keys is not
fixed and escapes are legal, so whatever the scan does not recognise is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pybase64 import b64decode, b64encode

from voice.protocol import commands, events
from voice.protocol.events import UpstreamEvent
from voice.protocol.history import History, Item
from voice.protocol.injection import CONTEXT_ITEM
from voice.upstream.openai.server_events import (
    ITEM_ADDED,
    SAYS_NOTHING,
    TRANSLATIONS,
    ServerEvent,
    fault,
    optional,
    text,
)

# -- up ------------------------------------------------------------------------------------------------------

HOUSEKEEPING = "tidy_"
"""Beginning of the ``event_id`` of commands whose refusal changes nothing for the visitor: there was nothing
left to cancel, to cut or to delete."""

TOOL = "search_site_knowledge"
"""What a context is said to be the output of, with ``context_role`` "tool". The model cannot call it by itself."""

_CALL = "_call"

CUT = " …"
"""Behind what was heard of an answer that was cut short, so that the model does not take it for all of it."""

COMMIT_ID = "commit"
"""``event_id`` of a commit, echoed in the error that refuses it."""

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def append(pcm: bytes) -> bytes:
    """The frame that carries a piece of the visitor's audio."""
    return b'{"type":"input_audio_buffer.append","audio":"' + b64encode(pcm) + b'"}'


def encode(command: commands.ToUpstream) -> bytes:
    """The frame that asks for ``command``.

    Raises:
        TypeError: there is no such client event (``SendSilence`` goes as audio).
    """
    return dump(_client_event(command))


def recall(history: History) -> list[bytes]:
    """The frames that put an earlier conversation into one that is empty, as text: nobody can create what was heard
    or said as sound. One that is refused leaves a gap, and the others."""
    return [dump(_recalled(n, item)) for n, item in enumerate(history, start=1)]


def encode_with_tool(command: commands.ToUpstream) -> list[bytes]:
    """The same where context is what a tool has brought: then it is two items, the call that nobody made and its
    output. The output has the context's own id, so that it is what stands before the visitor's utterance."""
    match command:
        case commands.InjectContext(item_id=item_id, text=content):
            call = {"type": "function_call", "name": TOOL, "call_id": item_id, "arguments": "{}"}
            output = {"type": "function_call_output", "call_id": item_id, "output": content}
            return [dump(_created(item_id + _CALL, call)), dump(_created(item_id, output))]
        case commands.DeleteItem(item_id=item_id) if item_id.startswith(CONTEXT_ITEM):
            return [encode(command), encode(commands.DeleteItem(item_id + _CALL))]
    return [encode(command)]


def dump(event: Mapping[str, Any]) -> bytes:
    """``event`` as the text of a frame: compact, and ASCII, so that no lone surrogate breaks the encoding."""
    return _ENCODER.encode(event).encode("ascii")


def _client_event(command: commands.ToUpstream) -> dict[str, Any]:
    match command:
        case commands.InjectContext(item_id=item_id, text=content):
            return _item(item_id, "system", content)
        case commands.SubmitText(item_id=item_id, text=content):
            return _item(item_id, "user", content)
        case commands.DeleteItem(item_id=item_id):
            event_id = HOUSEKEEPING + item_id
            return {"type": "conversation.item.delete", "event_id": event_id, "item_id": item_id}
        case commands.CreateResponse(request_id=request_id):
            # The metadata comes back in response.created and response.done, the event_id in a refusal.
            answer = {"metadata": {"request": request_id}}
            return {"type": "response.create", "event_id": request_id, "response": answer}
        case commands.CancelResponse(response_id=response_id):
            event_id = HOUSEKEEPING + response_id
            return {"type": "response.cancel", "event_id": event_id, "response_id": response_id}
        case commands.Truncate(item_id=item_id, audio_end_ms=audio_end_ms):
            return {
                "type": "conversation.item.truncate",
                "event_id": HOUSEKEEPING + item_id,
                "item_id": item_id,
                "content_index": 0,
                "audio_end_ms": audio_end_ms,
            }
        case commands.CommitAudio():
            return {"type": "input_audio_buffer.commit", "event_id": COMMIT_ID}
        case commands.ClearAudio():
            return {"type": "input_audio_buffer.clear", "event_id": "clear"}
    raise TypeError(f"the Realtime API has no event for {type(command).__name__}")


def _recalled(n: int, item: Item) -> dict[str, Any]:
    item_id = f"past_{n}"
    part = {"type": "input_text" if item.role == "user" else "output_text", "text": item.text + CUT * item.cut}
    event = _created(item_id, {"type": "message", "role": item.role, "content": [part]})
    return {**event, "event_id": HOUSEKEEPING + item_id}


def _item(item_id: str, role: str, content: str) -> dict[str, Any]:
    # Without previous_item_id it goes to the tail: during speech that is in front of the visitor's utterance,
    # which becomes an item only when it is committed; and the cache of everything before it stays good.
    parts = [{"type": "input_text", "text": content}]
    return _created(item_id, {"type": "message", "role": role, "content": parts})


def _created(item_id: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "conversation.item.create", "event_id": item_id, "item": {"id": item_id, **item}}


# -- down ----------------------------------------------------------------------------------------------------

_AUDIO = b'"type":"response.output_audio.delta"'


class Decoder:
    """Server events of one connection. Remembers the last utterance, to tell of its commit exactly once."""

    def __init__(self) -> None:
        self.unknown = 0
        """Events of a type that means nothing to us."""
        self.malformed = 0
        """Frames that are no event at all, and events whose fields are not what their type promises."""
        self.refused_housekeeping = 0
        """Errors about commands whose refusal changes nothing."""
        self._speaking: str | None = None
        self._stopped: str | None = None
        self._committed: str | None = None

    def decode(self, raw: bytes | str) -> UpstreamEvent | None:
        """The event in a frame, or ``None`` if it says nothing that the core has a word for."""
        if isinstance(raw, bytes) and (audio := scan_audio(raw)):
            return audio
        event = parse(raw)
        if event is None:
            self.malformed += 1
            return None
        return self.translate(event)

    def translate(self, event: ServerEvent) -> UpstreamEvent | None:
        """What a parsed server event means."""
        kind = event["type"]
        try:
            if kind in ITEM_ADDED:
                return self._item_added(event)
            if kind == "error":
                return self._error(event)
            translate = TRANSLATIONS.get(kind)
            if translate is None:
                self.unknown += kind not in SAYS_NOTHING
                return None
            return self._noted(translate(event))
        except (KeyError, TypeError, ValueError, AttributeError):
            self.malformed += 1
            return None

    def _noted(self, event: UpstreamEvent) -> UpstreamEvent | None:
        if isinstance(event, events.SpeechStarted):
            self._speaking = event.item_id
        elif isinstance(event, events.SpeechStopped):
            self._speaking, self._stopped = None, event.item_id
        elif isinstance(event, events.TranscriptDone) and event.item_id == self._speaking:
            # Some servers complete the transcript again and again while somebody speaks.
            return events.TranscriptPartial(event.item_id, event.text)
        elif isinstance(event, events.InputCommitted):
            if event.item_id == self._committed:
                return None
            self._committed = event.item_id
            self._speaking = None
        return event

    def _item_added(self, event: ServerEvent) -> UpstreamEvent | None:
        # Some gateways and compatible servers never send input_audio_buffer.committed. There, the item says it.
        item_id = text(event["item"]["id"])
        if item_id != self._stopped:
            return None
        return self._noted(events.InputCommitted(item_id, optional(event.get("previous_item_id"))))

    def _error(self, event: ServerEvent) -> UpstreamEvent | None:
        refused = fault(event)
        if refused.code == "response_cancel_not_active" or (refused.event_id or "").startswith(HOUSEKEEPING):
            self.refused_housekeeping += 1
            return None
        return refused


def parse(raw: bytes | str) -> dict[str, Any] | None:
    """The server event in a frame, or ``None`` if there is none: an object with a ``type``."""
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        # Not only JSONDecodeError: bad UTF-8, an integer of 4,300 digits, nesting without end.
        return None
    return event if isinstance(event, dict) and isinstance(event.get("type"), str) else None


def scan_audio(raw: bytes) -> events.AudioDelta | None:
    """The audio delta in ``raw`` if its fields stand there plainly, each once, without spaces or escapes."""
    before, _, rest = raw.partition(b'"delta":"')
    audio, closed, after = rest.partition(b'"')
    fields = before + after
    if not closed or _AUDIO not in fields or b'"delta":' in fields:
        return None
    item, response = _string(fields, b'"item_id":"'), _string(fields, b'"response_id":"')
    if item is None or response is None:
        return None
    try:
        # Strict: otherwise the escape in "\u002b" would be skipped and its digits taken for audio.
        return events.AudioDelta(response, item, b64decode(audio, validate=True))
    except ValueError:
        return None


def _string(fields: bytes, opening: bytes) -> str | None:
    """The string behind ``opening``, if that stands there exactly once."""
    _, _, rest = fields.partition(opening)
    value, closed, after = rest.partition(b'"')
    if not closed or opening in after or b"\\" in value or not value.isascii():
        return None
    return value.decode("ascii")
