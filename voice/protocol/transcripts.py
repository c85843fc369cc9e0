"""What the visitor said, item by item. Transcripts come early, late, out of order, and for items nobody knows yet."""

from __future__ import annotations

KEPT = 8
"""Utterances remembered at a time. A final transcript has been seen 20 s late, a few turns at most."""
LIMIT = 20_000
"""Characters kept of one utterance; nobody says more in ten minutes."""


class Transcripts:
    """The text of the newest utterances by item id."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def append(self, item_id: str, delta: str) -> str:
        """Add ``delta`` verbatim; returns the whole."""
        return self.replace(item_id, self._texts.get(item_id, "") + delta)

    def replace(self, item_id: str, text: str) -> str:
        """``text`` is the whole now."""
        if item_id not in self._texts and len(self._texts) >= KEPT:
            del self._texts[next(iter(self._texts))]
        self._texts[item_id] = text[:LIMIT]
        return self._texts[item_id]

    def get(self, item_id: str) -> str:
        """What is known of this utterance; empty if nothing is."""
        return self._texts.get(item_id, "")
