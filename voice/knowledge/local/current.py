"""The index of this process, kept in step with the rows."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

from voice.knowledge.base import Progress, no_progress
from voice.knowledge.encoder import Encoder
from voice.knowledge.local import rows
from voice.knowledge.local.encoding import maker, with_vectors
from voice.knowledge.local.index import Index

PATIENCE: Final = 0.1
"""Seconds that a search waits while another thread brings the index up to date. Usually that takes 20 ms;
while it takes longer (many new texts), what was there before is searched."""


class CurrentIndex:
    """Hands out the index that matches the rows, and makes a new one when they have changed.

    Blocks; safe to use from any thread. Raises ``django.db.Error``.
    """

    def __init__(self, encoder: Callable[[], Encoder | None]) -> None:
        """``encoder`` is called whenever an index is made, and must give the same one each time."""
        self._encoder = encoder
        self._building = Lock()
        self._held: tuple[rows.State, Index] | None = None

    def get(self, progress: Progress = no_progress) -> Index:
        """The index as of now."""
        held, state = self._held, rows.state()
        if held is None:
            with self._building:
                return self._brought_up_to_date(progress)
        if held[0] == state or not self._building.acquire(timeout=PATIENCE):
            return held[1]
        try:
            return self._brought_up_to_date(progress)
        finally:
            self._building.release()

    def _brought_up_to_date(self, progress: Progress) -> Index:
        # The state is read before the rows: what changes in between is read once more by the next search.
        held, state = self._held, rows.state()
        if held is not None and held[0] == state:
            return held[1]
        index = self._built(held[1] if held else None, progress)
        self._held = state, index
        return index

    def _built(self, old: Index | None, progress: Progress) -> Index:
        encoder = self._encoder()
        documents = rows.documents(old.documents if old else {}, maker(encoder))
        if encoder is not None:
            documents = with_vectors(documents, encoder, progress)
        return Index(documents, encoder)
