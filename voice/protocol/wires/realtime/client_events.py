"""Client events: what each asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pybase64 import b64decode

from voice.protocol import events as e
from voice.protocol.audio import duration_ms
from voice.protocol.conversation import SHORTEST_PUSH_MS
from voice.protocol.wires.base import Said
from voice.protocol.wires.fields import PLAYED_LIMIT_MS, TEXT_LIMIT, TYPED_LIMIT, Fields, WireError, check_audio
from voice.protocol.wires.messages import Commit, Discard
from voice.protocol.wires.realtime.items import Item, tell_added
from voice.protocol.wires.realtime.state import Reply, State

ID_LIMIT = 64
"""Characters of an id that a client names; those that it makes up are 32 at most, as the API has it."""
EVENT_ID_LIMIT = 512
"""Characters of a client's name for an event."""
METADATA_LIMIT = 16
"""Pairs of a response's metadata, of 64 and 512 characters."""

_OVERRIDES = (
    "audio", "input", "instructions", "max_output_tokens", "parallel_tool_calls", "prompt", "reasoning", "tool_choice",
    "tools",
)  # fmt: skip
"""What the API lets a client set for one response, and a site does not."""


class ClientEvents:
    """Those of one connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._pushed_bytes = 0
        self._typed: list[str] = []
        """Items of the client's that no response was asked for yet."""

    def read(self, said: dict[str, Any]) -> tuple[Said, ...]:
        """What an event asks for.

        Raises:
            WireError: it is not of the vocabulary, or not for clients to ask.
        """
        event_id = said.pop("event_id", None)
        if event_id is not None and not (isinstance(event_id, str) and len(event_id) <= EVENT_ID_LIMIT):
            raise WireError("invalid_field", f"event_id must be a string of {EVENT_ID_LIMIT} characters.", "event_id")
        kind = said.pop("type", None)
        decoder = _DECODERS.get(kind) if isinstance(kind, str) else None
        try:
            if decoder is None:
                raise WireError("unknown_type", "type must be one of the documented event types.", "type")
            return decoder(self, Fields(said))
        except WireError as error:
            raise WireError(error.code, str(error), error.param, event_id) from None

    def _session_update(self, fields: Fields) -> tuple[Said, ...]:
        session = fields.nested("session")
        fields.done()
        self._state.settings.update(session)
        updated = self._reply("session.updated", session=self._state.settings.shown())
        return (updated,) if self._state.settings.fixed else (self._state.settings.begin(), updated)

    def _append(self, fields: Fields) -> tuple[Said, ...]:
        audio = fields.text("audio", TEXT_LIMIT)
        fields.done()
        try:
            pcm = b64decode(audio, validate=True)
        except ValueError:
            raise WireError("invalid_audio", "audio must be base64.", "audio") from None
        check_audio(pcm)
        self._state.heard_bytes += len(pcm)
        self._pushed_bytes += len(pcm)
        return self._begun(pcm)

    def _commit(self, fields: Fields) -> tuple[Said, ...]:
        fields.done()
        self._expect_push_to_talk()
        if duration_ms(self._pushed_bytes) < SHORTEST_PUSH_MS:
            why = f"The buffer holds less than {SHORTEST_PUSH_MS} ms of audio."
            raise WireError("input_audio_buffer_commit_empty", why)
        self._state.speech_ms, self._pushed_bytes, self._state.committed = duration_ms(self._pushed_bytes), 0, True
        return (Commit(),)

    def _clear(self, fields: Fields) -> tuple[Said, ...]:
        fields.done()
        self._expect_push_to_talk()
        self._pushed_bytes = 0
        return (Discard(), self._reply("input_audio_buffer.cleared"))

    def _expect_push_to_talk(self) -> None:
        if not self._state.settings.push_to_talk:
            raise WireError("unexpected", "The end of speech is detected here, unless turn_detection is null.", "type")

    def _create_item(self, fields: Fields) -> tuple[Said, ...]:
        _refuse(fields, ["previous_item_id"], "cannot be set: items go to the end")
        item = fields.nested("item")
        fields.done()
        item_id = item.text("id", 32, default="") or self._state.new_id("typed")
        if item.anything("type") != "message" or item.anything("role") != "user":
            raise WireError("not_allowed", "Only messages of the user can be created.", "item.role")
        text = _typed(item.anything("content"))
        item.ignore(["object", "status"])
        item.done()
        if self._state.items.get(item_id) is not None:
            raise WireError("invalid_field", "item.id is another item's.", "item.id")
        if sum(map(len, [*self._typed, text])) > TYPED_LIMIT:
            raise WireError("invalid_field", f"A question has at most {TYPED_LIMIT} characters.", "item.content")
        self._typed.append(text)
        added = self._state.items.add(Item(item_id, "input_text", self._state.items.last, text))
        return (Reply(tuple(tell_added(self._state.events, added))),)

    def _create_response(self, fields: Fields) -> tuple[Said, ...]:
        asked = _response(fields.nested("response"))
        fields.done()
        if self._typed:
            question = "\n".join(self._typed)
            self._typed, self._state.committed, self._state.asked, self._state.cancelled = [], False, asked, True
            return self._begun(e.TextSubmitted(question))
        if self._state.committed:
            self._state.committed = False
            if self._state.answer is None:
                self._state.asked, self._state.owed = asked, True
            return ()
        if self._state.answer is None and self._state.asked is None:
            raise WireError("unexpected", "There is no question that was not answered.", "type")
        raise WireError("conversation_already_has_active_response", "The question is being answered.")

    def _cancel_response(self, fields: Fields) -> tuple[Said, ...]:
        response_id = fields.text("response_id", ID_LIMIT, default="")
        fields.done()
        if self._state.answer is None or response_id not in ("", self._state.answer.response_id):
            raise WireError("response_cancel_not_active", "This response is not being made.")
        self._state.cancelled = True
        return (e.Interrupt(),)

    def _truncate(self, fields: Fields) -> tuple[Said, ...]:
        item = self._named(fields)
        fields.whole("content_index", 0, default=0)
        heard_ms = fields.whole("audio_end_ms", PLAYED_LIMIT_MS)
        fields.done()
        if not item.is_answer:
            raise WireError("invalid_field", "item_id must be an answer's.", "item_id")
        item.text = None  # as the API forgets it: nobody knows which of its words were heard
        truncated = {"item_id": item.item_id, "content_index": 0, "audio_end_ms": heard_ms}
        told = (e.Heard(item.item_id, heard_ms), self._reply("conversation.item.truncated", **truncated))
        if item.item_id != self._state.sounding:
            return told
        self._state.cancelled = True
        return (told[0], e.Interrupt(), told[1])

    def _retrieve(self, fields: Fields) -> tuple[Said, ...]:
        item = self._named(fields)
        fields.done()
        return (self._reply("conversation.item.retrieved", item=item.shown()),)

    def _delete(self, fields: Fields) -> tuple[Said, ...]:
        raise WireError("not_allowed", "Items are not deleted.", "type")

    def _named(self, fields: Fields) -> Item:
        item = self._state.items.get(fields.text("item_id", ID_LIMIT, least=1))
        if item is None:
            raise WireError("invalid_field", "item_id is no item of the newest.", "item_id")
        return item

    def _begun(self, said: bytes | e.TextSubmitted) -> tuple[Said, ...]:
        return (said,) if self._state.settings.fixed else (self._state.settings.begin(), said)

    def _reply(self, kind: str, **fields: Any) -> Reply:
        return Reply((self._state.events.write(kind, **fields),))


def _refuse(fields: Fields, names: Iterable[str], why: str) -> None:
    """These are known, and not for clients to set."""
    for name in names:
        if fields.anything(name) is not None:
            raise WireError("not_allowed", f"{fields.path}{name} {why}.", fields.path + name)


def _typed(content: object) -> str:
    """The text of an item's content."""
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "input_text"]
    if not texts or len(texts) != len(parts):
        raise WireError("not_allowed", "Only input_text can be created.", "item.content")
    text = "\n".join(Fields({"text": each}, "item.content.").text("text", TYPED_LIMIT) for each in texts)
    if not text.strip():
        raise WireError("invalid_field", "text must hold more than white space.", "item.content")
    return text


def _response(asked: Fields) -> dict[str, str]:
    """The metadata of a response that is asked for; nothing else of it is the client's to set."""
    _refuse(asked, _OVERRIDES, "is the site's to set")
    if asked.anything("conversation", "auto") != "auto" or asked.anything("output_modalities", ["audio"]) != ["audio"]:
        raise WireError("not_allowed", "Answers are spoken, and of the one conversation.", "response")
    metadata = asked.nested("metadata").texts(METADATA_LIMIT, 64, 512)
    asked.done()
    return metadata


_DECODERS: Mapping[str, Callable[[ClientEvents, Fields], tuple[Said, ...]]] = {
    "session.update": ClientEvents._session_update,
    "input_audio_buffer.append": ClientEvents._append,
    "input_audio_buffer.commit": ClientEvents._commit,
    "input_audio_buffer.clear": ClientEvents._clear,
    "conversation.item.create": ClientEvents._create_item,
    "conversation.item.retrieve": ClientEvents._retrieve,
    "conversation.item.truncate": ClientEvents._truncate,
    "conversation.item.delete": ClientEvents._delete,
    "response.create": ClientEvents._create_response,
    "response.cancel": ClientEvents._cancel_response,
}

CLIENT_TYPES = frozenset(_DECODERS)
