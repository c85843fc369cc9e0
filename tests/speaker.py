"""A loudspeaker that plays as fast as one listens, and counts what it has played."""

from __future__ import annotations

from dataclasses import dataclass

from voice.protocol.audio import BYTES_PER_MS


@dataclass(frozen=True)
class Played:
    """``item_id`` has sounded for ``milliseconds``."""

    item_id: str
    milliseconds: int


@dataclass
class _Item:
    item_id: str
    received_ms: float = 0.0
    played_ms: float = 0.0
    finished: bool = False

    @property
    def left_ms(self) -> float:
        return self.received_ms - self.played_ms


class Speaker:
    """Plays items one after the other. Knows no clock: ``now`` is told, in seconds."""

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._now = 0.0

    def receive(self, item_id: str, byte_count: int, now: float) -> list[Played]:
        """More audio of an item has come. Returns the items that were over by then."""
        over = self.play(now)
        self._item(item_id).received_ms += byte_count / BYTES_PER_MS
        return over

    def finish(self, item_id: str, now: float) -> list[Played]:
        """No more audio of this item will come. Returns the items that are over."""
        for item in self._items:
            item.finished = item.finished or item.item_id == item_id
        return self.play(now)

    def play(self, now: float) -> list[Played]:
        """Sound until ``now``. Returns the items that came to their end."""
        over, passed_ms, self._now = [], (now - self._now) * 1000, now
        while self._items:
            item = self._items[0]
            sounded_ms = min(passed_ms, item.left_ms)
            item.played_ms += sounded_ms
            passed_ms -= sounded_ms
            if item.left_ms > 0 or not item.finished:
                break  # it sounds, or waits for more
            over.append(self._report(self._items.pop(0)))
        return over

    def stop(self, now: float) -> list[Played]:
        """Be silent, drop everything. Returns what was played of each item, as far as it began or was to begin."""
        reports = self.play(now) + [self._report(item) for item in self._items[:1]]
        self._items.clear()
        return reports

    @property
    def sounding(self) -> Played | None:
        """What has been played of the item at hand, if there is one."""
        return self._report(self._items[0]) if self._items else None

    @property
    def left(self) -> float:
        """Seconds until it has nothing to play any more, or an item is over."""
        return self._items[0].left_ms / 1000 if self._items else 0.0

    def _item(self, item_id: str) -> _Item:
        for item in self._items:
            if item.item_id == item_id:
                return item
        self._items.append(_Item(item_id))
        return self._items[-1]

    @staticmethod
    def _report(item: _Item) -> Played:
        return Played(item.item_id, int(item.played_ms))
