"""A way past the server's queue, in both directions, where the server has one.

ASGI hands an application its messages through a queue: a dict, two queue operations, a future and a step of a task for
each. It takes replies by a coroutine, for which a conversation, which must not wait itself, needs a task that does.
Together that was a quarter of a profile of a hundred conversations on uvicorn. :mod:`voice.serving` has servers with a
:class:`Bypass`. With any other server, everything goes by the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from voice.protocol.wires.base import Frame

EXTENSION = "voice.bypass"
"""Where it is, among the scope's extensions."""


class Mouth(Protocol):
    """The server's: what is said here is written at once."""

    @property
    def has_room(self) -> bool:
        """Whether the socket is open and the client has taken what was said before."""

    def say(self, frames: Iterable[Frame]) -> None:
        """Send these. Only while it has room; then it raises nothing."""


class Bypass:
    """One socket's."""

    __slots__ = ("hear", "mouth")

    def __init__(self) -> None:
        self.hear: Callable[[Frame], bool] | None = None
        """The application's: takes a message, or says that it must come by the queue. Asked only while the queue is
        empty, so nothing overtakes what was said before. It never waits, and raises nothing."""
        self.mouth: Mouth | None = None
        """The server's."""

    @contextmanager
    def lent(self, hear: Callable[[Frame], bool]) -> Iterator[None]:
        """Ask ``hear`` for as long as the block lasts."""
        self.hear = hear
        try:
            yield
        finally:
            self.hear = None


def of_scope(scope: Mapping[str, Any]) -> Bypass:
    """That of this socket; with a server that has none, one that nobody uses."""
    bypass = scope.get("extensions", {}).get(EXTENSION)
    return bypass if isinstance(bypass, Bypass) else Bypass()
