"""How late the event loop of a measured server is, of whatever make: the same few lines run in each of them.

At SIGUSR1 it writes the percentiles since the last one into the file that ``LOAD_LAG`` names.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from tests.load.stamps import summary

INTERVAL = 0.02
"""Seconds between two looks."""


class Lag:
    """Watches the loop that it is made in, until that ends."""

    def __init__(self) -> None:
        self._late: list[int] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGUSR1, self._tell)
        self._look_at(self._loop.time())

    def _look_at(self, due: float) -> None:
        self._loop.call_at(due, self._look, due)

    def _look(self, due: float) -> None:
        now = self._loop.time()
        self._late.append(round((now - due) * 1e9))
        self._look_at(now + INTERVAL)

    def _tell(self) -> None:
        late, self._late = self._late, []
        path = Path(os.environ["LOAD_LAG"])
        part = path.with_suffix(".part")
        part.write_text(json.dumps(summary(late)))
        part.rename(path)
