"""A bound on how often someone may ask for something, where exactness is not worth a place that all processes share."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

REMEMBERED = 10_000
"""Keys kept at most. Beyond, the one that asked longest ago is forgotten, so that memory is bounded."""


class Throttle:
    """At most ``limit`` requests of one key within any ``seconds``, per process. May be asked from any thread."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit, self._seconds = limit, seconds
        self._granted: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str, now: float) -> float:
        """Seconds that this request comes too early; 0 grants it. A request that was not granted is not counted."""
        with self._lock:
            granted = self._granted.setdefault(key, deque(maxlen=self._limit))
            self._granted.move_to_end(key)
            if len(self._granted) > REMEMBERED:
                self._granted.popitem(last=False)
            if len(granted) == self._limit and now < granted[0] + self._seconds:
                return granted[0] + self._seconds - now
            granted.append(now)
            return 0.0
