"""Tests whose time passes only while everybody waits, and then at once.

What takes ten minutes is so tested in milliseconds, and exactly. For code that waits for nothing outside of the event
loop: while a socket or a thread is waited for, this clock would run away.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable


class _Waiting(selectors.DefaultSelector):
    """Waits no time, but counts how long it should have waited."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nothing will ever happen"
            self.waited += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Begins at second 1,000, so that nothing mistakes its start for zero."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def pause(self, seconds: float) -> None:
        """Nothing runs for so long, as in a process that was stopped."""
        self._waiting.waited += seconds

    def time(self) -> float:
        return 1_000.0 + self._waiting.waited


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run the coroutine ``test`` on a loop of its own. No task of its may be left at its end."""

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        async def main() -> None:
            await test(*args, **kwargs)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(main())

    return run
