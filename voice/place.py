"""A session's right to act."""

from __future__ import annotations

from math import inf
from typing import Protocol


class Place(Protocol):
    """The session's right to act, which a server that was paused may have lost without knowing."""

    @property
    def valid_until(self) -> float:
        """When the loop's clock says so, it may act no more. Looked at before each frame, either way."""

    async def confirmed(self) -> None:
        """Wait until it may act; for ever, if it may not again: then somebody ends the session."""


class Granted:
    """The place of a session that shares the right to act with nobody."""

    valid_until = inf

    async def confirmed(self) -> None:
        """At once."""
