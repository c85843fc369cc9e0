"""A way for audio past the server's queue, where the server has one.

ASGI hands an application its messages through a queue: a dict, two queue operations, a future and a step of a task for
each. That was near a fifth of a profile of 20 conversations on uvicorn. :mod:`voice.serving` has servers that ask an
:class:`Ear` first. With any other server, frames come by the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

EXTENSION = "voice.ear"
"""Where it is, among the scope's extensions."""


class Ear:
    """One socket's."""

    hear: Callable[[bytes], bool] | None = None
    """The application's: takes a binary frame, or says that it must come by the queue. Asked only while the queue is
    empty, so nothing overtakes what was said before. It never waits, and raises nothing."""

    @contextmanager
    def lent(self, hear: Callable[[bytes], bool]) -> Iterator[None]:
        """Ask ``hear`` for as long as the block lasts."""
        self.hear = hear
        try:
            yield
        finally:
            self.hear = None


def of_scope(scope: Mapping[str, Any]) -> Ear:
    """The ear of this socket; of a server that has none, one that nobody asks."""
    ear = scope.get("extensions", {}).get(EXTENSION)
    return ear if isinstance(ear, Ear) else Ear()
