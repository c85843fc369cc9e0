"""Conversations that wait within one process, and end with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from voice.resuming.store import CLOSED_SECONDS, KEPT_SECONDS, Holder, Kept, ResumeStore


@dataclass(slots=True)
class _Place:
    kept: Kept | None
    """``None``: its session keeps nothing any more."""
    until: float


class MemoryResumeStore(ResumeStore):
    """The store of a site that runs in one process. A lock serves those who ask from other threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}

    async def keep(self, session_id: str, kept: Kept) -> bool:
        """See the port."""
        with self._lock:
            now, place = self._now(), self._places.get(session_id)
            if place is not None and place.kept is None:
                return False
            first = kept if place is None or place.kept is None else place.kept
            self._places[session_id] = _Place(replace(first, text=kept.text), now + KEPT_SECONDS)
            return True

    async def take(self, session_id: str, holder: Holder, digest: str) -> Kept | None:
        """See the port."""
        with self._lock:
            kept = self._waiting(session_id)
            if kept is None or kept.digest != digest or not _same_page(kept.holder, holder):
                return None
            self._shut(session_id)
            return kept

    async def give_back(self, session_id: str, kept: Kept) -> None:
        """See the port."""
        with self._lock:
            self._places[session_id] = _Place(kept, self._now() + KEPT_SECONDS)

    async def reissue(self, session_id: str, holder: Holder, digest: str) -> bool:
        """See the port."""
        with self._lock:
            kept = self._waiting(session_id)
            if kept is None or not holder.browser or kept.holder != holder:
                return False
            self._places[session_id].kept = replace(kept, digest=digest)
            return True

    async def forget(self, session_id: str, user_id: str) -> None:
        """See the port."""
        with self._lock:
            self._shut(session_id)

    async def forget_user(self, user_id: str) -> int:
        """See the port."""
        with self._lock:
            self._now()
            theirs = [key for key, place in self._places.items() if place.kept and place.kept.holder.user_id == user_id]
            for session_id in theirs:
                self._shut(session_id)
            return len(theirs)

    def _waiting(self, session_id: str) -> Kept | None:
        self._now()
        place = self._places.get(session_id)
        return place.kept if place is not None else None

    def _shut(self, session_id: str) -> None:
        self._places[session_id] = _Place(None, self._now() + CLOSED_SECONDS)

    def _now(self) -> float:
        """The time; what is over at this time is forgotten."""
        now = self._clock()
        self._places = {key: place for key, place in self._places.items() if now < place.until}
        return now


def _same_page(one: Holder, other: Holder) -> bool:
    """A token that came back to the page itself needs no Django session beside it."""
    return (one.user_id, one.origin) == (other.user_id, other.origin)
