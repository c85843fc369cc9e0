"""Truncation: the upstream's memory of an answer is cut to what was heard of it.

After a barge-in the browser has one last count to give, and it is better than the clock's estimate. The cut waits for
it, for at most :data:`REPORT_LIMIT`; whoever needs the memory right before that settles it by the estimate.
"""

from __future__ import annotations

from voice.protocol.commands import DeleteItem, ToUpstream, Truncate
from voice.protocol.playback import Unheard

REPORT_LIMIT = 0.2
"""Seconds that a cut waits for the browser's last word about what was heard."""


class Truncation:
    """At most one cut waits at a time."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        """When the cut that waits must be settled; ``None`` if none does."""
        self.pending: list[Unheard] = []
        """What was heard of each item that waits to be cut, as far as the clock knows."""
        self._forgotten: tuple[str, ...] = ()

    def wait(self, unheard: list[Unheard], now: float) -> None:
        """These items were silenced. The one before must be settled."""
        self.pending, self.deadline = unheard, now + REPORT_LIMIT

    def report(self, item_id: str, played_ms: int) -> list[Unheard] | None:
        """What was heard of each item, by the browser's word; ``None`` if this word does not say it.

        It plays one item after the other: those before the sounding one were heard to their end, those after it not
        at all. A report of an item's end leaves open how much was heard of the next.
        """
        at = next((n for n, item in enumerate(self.pending) if item.item_id == item_id), None)
        if at is None or (played_ms >= self.pending[at].sent_ms and at + 1 < len(self.pending)):
            return None
        return [
            Unheard(item.item_id, item.sent_ms, _played(n - at, item.sent_ms, played_ms))
            for n, item in enumerate(self.pending)
        ]

    def settle(self, heard: list[Unheard]) -> list[ToUpstream]:
        """Cut each item to what was ``heard``; of one that was not heard at all, nothing is left."""
        self.pending, self.deadline = [], None
        commands: list[ToUpstream] = []
        for item in heard:
            if item.item_id in self._forgotten:
                continue
            if item.heard_ms <= 0:
                commands.append(DeleteItem(item.item_id))
            elif item.heard_ms < item.sent_ms:
                commands.append(Truncate(item.item_id, item.heard_ms))
        return commands

    def forget(self, sounding: tuple[str, ...]) -> None:
        """The upstream is lost, and its memory with it. The next one knows nothing of the items that still sound."""
        self.pending, self.deadline, self._forgotten = [], None, sounding


def _played(distance: int, sent_ms: int, played_ms: int) -> int:
    if distance == 0:
        return min(max(played_ms, 0), sent_ms)
    return sent_ms if distance < 0 else 0
