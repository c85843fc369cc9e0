"""Conversations that leave one after the other when their process is being stopped.

Each waits here to be called (:func:`called`); whoever stops the process calls them (:func:`depart`), by the plan of
:mod:`voice.protocol.drain`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voice import condition
from voice.protocol.drain import Drain, DrainPolicy


class _Guest:
    def __init__(self, busy: Callable[[], bool]) -> None:
        self.busy, self.leaving = busy, asyncio.Event()


_here: set[_Guest] = set()


async def called(busy: Callable[[], bool]) -> None:
    """Wait until it is time to leave; ``busy`` says whether that would interrupt somebody at this moment.

    Who comes when the process is being stopped already is called at once.
    """
    if condition.draining():
        return
    guest = _Guest(busy)
    _here.add(guest)
    try:
        await guest.leaving.wait()
    finally:
        _here.discard(guest)


async def depart(policy: DrainPolicy) -> None:
    """Be not ready for anybody new, and call all who are here. Returns when the last has been called."""
    condition.drain()
    now = asyncio.get_running_loop().time
    plan: Drain[_Guest] = Drain(policy, now())
    while here := [guest for guest in _here if not guest.leaving.is_set()]:
        quiet = [guest for guest in here if not guest.busy()]
        busy = [guest for guest in here if guest not in quiet]
        for guest in plan.leaving(quiet, busy, now()):
            guest.leaving.set()
        if any(not guest.leaving.is_set() for guest in here):
            await asyncio.sleep(policy.pause)
