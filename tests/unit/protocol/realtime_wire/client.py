"""A client at the wire: what it says, and the server events that it is told."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from voice.protocol import commands as c
from voice.protocol.wires.base import Said
from voice.protocol.wires.fields import WireError
from voice.protocol.wires.realtime import Offer, Realtime
from voice.protocol.wires.realtime.state import Reply

Event = dict[str, Any]

OFFER = Offer("gpt-realtime-2.1", "gpt-live-transcribe", ("marin", "cedar"))
SESSION = "5e551011"
PUSH_TO_TALK = {"audio": {"input": {"turn_detection": None}}}


class Client:
    """One that has been let in."""

    def __init__(self, **session: Any) -> None:
        self.wire = Realtime(OFFER)
        self.told: list[Event] = []
        """Every server event so far."""
        self.tell(c.TellAdmitted(SESSION, 1_800_000_000))
        if session:
            self.say("session.update", session=session)

    def tell(self, *commands: c.ToBrowser) -> list[Event]:
        """The events that tell these."""
        events = [json.loads(frame) for command in commands for frame in self.wire.encode(command)]
        self.told += events
        return events

    def say(self, kind: str, **fields: Any) -> list[Said]:
        """What this event asks of the session; what the wire answers by itself is in :attr:`told`."""
        asked = []
        for said in self.wire.decode(json.dumps({"type": kind, **fields})):
            if isinstance(said, Reply):
                self.tell(said)
            else:
                asked.append(said)
        return asked

    def append(self, milliseconds: int = 1_000) -> list[Said]:
        """Say something."""
        return self.say("input_audio_buffer.append", audio=base64.b64encode(bytes(48 * milliseconds)).decode())

    def type(self, text: str = "Open?", **item: Any) -> list[Said]:
        """Create an item of one's own."""
        content = [{"type": "input_text", "text": text}]
        return self.say(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content, **item}
        )

    def refused(self, kind: str, **fields: Any) -> tuple[str, str | None]:
        """Code and param of the error that answers this event."""
        with pytest.raises(WireError) as raised:
            self.say(kind, event_id="mine", **fields)
        (event,) = self.tell(raised.value.told())
        error = event["error"]
        assert (error["type"], error["event_id"]) == ("invalid_request_error", "mine")
        assert error["message"]
        return error["code"], error["param"]

    def last(self, kind: str) -> Event:
        """The newest event of this type."""
        return next(event for event in reversed(self.told) if event["type"] == kind)


def kinds(events: list[Event]) -> list[str]:
    """Their types."""
    return [event["type"] for event in events]


def answering(client: Client, response_id: str = "resp_1", item_id: str = "item_a") -> None:
    """An answer of two words and 200 ms is being told."""
    client.tell(
        c.TellAnswerStarted(response_id),
        c.TellAnswerTranscript(item_id, "Until "),
        c.Play(item_id, bytes(4_800)),
        c.TellAnswerTranscript(item_id, "seven."),
        c.Play(item_id, bytes(4_800)),
    )
