"""The playback ledger: what was sent to the browser, and how much of it has been heard.

The model makes an answer faster than anyone can listen. When the visitor interrupts, its memory must be cut to what
reached their ear. The browser counts that in samples and reports it; the clock stands in for a browser that does
not, never beyond what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.protocol.audio import BYTES_PER_MS

GRACE = 1.0
"""Seconds that the browser may be behind the clock (network, jitter buffer, output latency) before the clock is
believed to have heard the end."""

INAUDIBLE_MS = 1.0
"""Reports are whole milliseconds, audio need not be: what is left below this is nothing."""

MOST_UNDERRUNS = 10_000
"""Believed of one session: the browser says it, and may say anything."""

REMEMBERED = 16
"""Items whose underruns are remembered: reports of an item end when the next but one begins."""


@dataclass(slots=True)
class Item:
    """One audio item of an answer. ``offset_ms`` is where it begins in all that was sent since the last silence."""

    item_id: str
    offset_ms: float
    sent_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Unheard:
    """An item that was cut: how much of it had been sent, and heard as far as is known."""

    item_id: str
    sent_ms: int
    heard_ms: int


class PlaybackLedger:
    """Audible while heard < sent. Items play one after the other, in the order in which they were sent."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._sent_ms = 0.0
        self._heard_ms = 0.0
        self._counted_at = 0.0

    def sent(self, item_id: str, byte_count: int, now: float) -> None:
        """Audio of an item went to the browser."""
        if not self.audible(now):
            self._heard_ms, self._counted_at = self._sent_ms, now
        item, milliseconds = self._items.get(item_id), byte_count / BYTES_PER_MS
        if item is None:
            item = self._items[item_id] = Item(item_id, self._sent_ms)
        item.sent_ms += milliseconds
        self._sent_ms += milliseconds

    def heard(self, item_id: str, played_ms: int, now: float) -> bool:
        """The browser reports. Never believed beyond what was sent, nor backwards. False if nobody knows the item."""
        item = self._items.get(item_id)
        if item is None:
            return False
        self._heard_ms = max(self._heard_ms, item.offset_ms + min(played_ms, item.sent_ms))
        self._counted_at = now
        return True

    def audible(self, now: float) -> bool:
        """Whether something that was sent may still be sounding."""
        return self._is_owed() and now < self._end()

    @property
    def deadline(self) -> float | None:
        """When the clock alone will say that all has been heard; ``None`` while nothing is to be heard."""
        return self._end() if self._is_owed() else None

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that were sent since the last silence, in playing order."""
        return tuple(self._items)

    def unheard(self, now: float) -> list[Unheard]:
        """The items not reported to be heard to their end, in playing order, each with what the clock says was heard
        of it; nothing if nothing is audible."""
        if not self.audible(now):
            return []
        estimate = min(self._sent_ms, self._heard_ms + max(0.0, now - self._counted_at) * 1000)
        return [
            Unheard(item.item_id, int(item.sent_ms), round(min(max(estimate - item.offset_ms, 0.0), int(item.sent_ms))))
            for item in self._items.values()
            if self._heard_ms < item.offset_ms + item.sent_ms
        ]

    def stop(self, now: float) -> list[Unheard]:
        """Barge-in: forget all. Returns what was :meth:`unheard`."""
        cut = self.unheard(now)
        self.clear()
        return cut

    def clear(self) -> None:
        """All has been heard, or nobody asks any more."""
        self._items = {}
        self._sent_ms = self._heard_ms = 0.0

    def _is_owed(self) -> bool:
        return self._sent_ms - self._heard_ms >= INAUDIBLE_MS

    def _end(self) -> float:
        return self._counted_at + (self._sent_ms - self._heard_ms) / 1000 + GRACE


class Underruns:
    """How often the sound of a session broke off. Browsers report the count of each item, again and again."""

    def __init__(self) -> None:
        self.total = 0
        self._by_item: dict[str, int] = {}

    def report(self, item_id: str, count: int) -> None:
        """So many of this item up to now. Items that were followed by :data:`REMEMBERED` others are forgotten."""
        before = self._by_item.pop(item_id, 0)
        self._by_item[item_id] = max(before, count)
        if len(self._by_item) > REMEMBERED:
            del self._by_item[next(iter(self._by_item))]
        self.total = min(MOST_UNDERRUNS, self.total + max(0, count - before))
