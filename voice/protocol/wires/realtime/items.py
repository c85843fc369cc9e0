"""The conversation as its client sees it: the newest items, without the site's own context between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from voice.protocol.wires.realtime.server_events import ServerEvents

KEPT = 16
"""Items that can be asked for again."""
TEXT_KEPT = 4_000
"""Characters kept of each."""

Status = Literal["in_progress", "completed", "incomplete"]


@dataclass(slots=True)
class Item:
    """One message. ``text`` is what was typed, or the transcript; ``None`` while, or because, there is none."""

    item_id: str
    kind: Literal["input_text", "input_audio", "output_audio"]
    previous: str | None
    text: str | None = field(repr=False, default=None)
    status: Status = "completed"
    seconds: float = 0.0
    """How long the visitor spoke."""

    @property
    def is_answer(self) -> bool:
        """Whether the assistant says it."""
        return self.kind == "output_audio"

    def shown(self) -> dict[str, Any]:
        """The ``item`` of events; one that is being made has no content yet."""
        named = "text" if self.kind == "input_text" else "transcript"
        begun = self.status != "in_progress"
        return {
            "id": self.item_id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": "assistant" if self.is_answer else "user",
            "content": [{"type": self.kind, named: self.text}] if begun else [],
        }


class Items:
    """The newest items by id."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self.last: str | None = None
        """The id of the newest."""

    def add(self, item: Item) -> Item:
        """Put an item to the end."""
        self._items[item.item_id] = item
        self.last = item.item_id
        if len(self._items) > KEPT:
            del self._items[next(iter(self._items))]
        return item

    def get(self, item_id: str) -> Item | None:
        """The item, if it is known, still."""
        return self._items.get(item_id)

    def write(self, item_id: str, text: str) -> Item | None:
        """The item, if it is known, whose transcript is now ``text``."""
        item = self._items.get(item_id)
        if item is not None:
            item.text = text[:TEXT_KEPT]
        return item


def tell_added(events: ServerEvents, item: Item) -> list[str]:
    """The frames that tell of an item that is complete as it comes."""
    told = {"previous_item_id": item.previous, "item": item.shown()}
    return [events.write(f"conversation.item.{step}", **told) for step in ("added", "done")]
