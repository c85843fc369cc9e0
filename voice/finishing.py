"""Work that must come to its end although whoever asked for it is cancelled.

A server that wants its socket's application gone cancels it, and some cancel it again every second. What must happen
all the same (the end of a record, the release of a lease) therefore runs in a task of its own. The process knows
these tasks: the event loop alone would hold them weakly, and a graceful stop has to wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_running: set[asyncio.Task[Any]] = set()


def begin(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run ``work`` to its end. It must set its own time limit, and handle its own errors."""
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


async def waited(task: asyncio.Task[Any], limit: float) -> bool:
    """Wait at most ``limit`` seconds for ``task``; whether it is done. Neither the limit nor a cancellation ends it."""
    done, _ = await asyncio.wait({task}, timeout=limit)
    return bool(done)


async def settled(limit: float) -> bool:
    """Wait at most ``limit`` seconds for all that was begun in this event loop; whether nothing is left."""
    loop = asyncio.get_running_loop()
    mine = {task for task in _running if task.get_loop() is loop}
    if not mine:
        return True
    _, late = await asyncio.wait(mine, timeout=limit)
    return not late
