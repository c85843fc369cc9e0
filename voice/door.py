"""The sockets that this process holds, by the address of who opened them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from voice import addresses
from voice.admission.throttle import Throttle
from voice.conf import conf
from voice.protocol.crowd import Crowd

crowd = Crowd()


class Place:
    """A socket's place in the crowd."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._waiting = True
        policy = conf().crowd
        self.allowed = crowd.comes(address, policy) and _in_time(address, policy.opened_per_minute)
        """Whether it may wait here."""

    def got_in(self) -> None:
        """Its conversation begins."""
        if self._waiting:
            self._waiting = False
            crowd.gets_in(self._address)

    def leave(self) -> None:
        """It is closed."""
        crowd.goes(self._address, waiting=self._waiting)


@contextmanager
def at_the_door(scope: Any) -> Iterator[Place]:
    """Somebody opened this socket; until the end of the block it is theirs."""
    address = addresses.of_scope(scope)  # the peer of a Unix socket has none: it is a proxy, of everybody
    place = Place("" if address == addresses.UNKNOWN else address)
    try:
        yield place
    finally:
        place.leave()


@cache
def opened(limit: int) -> Throttle:
    """Who has opened sockets in the last minute, and how many."""
    return Throttle(limit, seconds=60)


def _in_time(address: str, limit: int) -> bool:
    return not limit or not address or opened(limit).wait(address, time.monotonic()) == 0
