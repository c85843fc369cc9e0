"""What both directions of one connection know."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from voice.protocol import commands as c
from voice.protocol.wires.realtime.answer import Answer
from voice.protocol.wires.realtime.items import Items
from voice.protocol.wires.realtime.server_events import ServerEvents
from voice.protocol.wires.realtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Reply(c.ToBrowser):
    """What the client is answered by the wire itself."""

    frames: tuple[str, ...]


@dataclass(slots=True)
class State:
    """Of the client's questions and of the answer under way."""

    settings: Settings
    events: ServerEvents = field(default_factory=ServerEvents)
    items: Items = field(default_factory=Items)
    numbers: count[int] = field(default_factory=lambda: count(1))
    """For ids that are made up here."""
    heard_bytes: int = 0
    """Of audio that was appended."""
    speech_ms: int = 0
    """How long the last utterance was."""
    asked: dict[str, str] | None = None
    """The metadata with which a response was asked for that has not begun."""
    owed: bool = False
    """Whether it was asked for the question that is open."""
    committed: bool = False
    """Whether an answer is under way to what was said, and no response was asked for yet."""
    answer: Answer | None = None
    """The answer that is being told."""
    sounding: str = ""
    """The item that the client plays, unless it was told to be silent."""
    cancelled: bool = False
    """Whether it is the client that wants silence."""

    def new_id(self, kind: str) -> str:
        """An id that was never used."""
        return f"{kind}_{next(self.numbers)}"
