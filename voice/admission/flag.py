"""The switch: may anyone talk at all, and is this user among those who may?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from voice.protocol.outcomes import EndReason

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class Flag(ABC):
    """Asked at each decision, never remembered by who asks, so that a flip acts at once."""

    @abstractmethod
    def enabled(self) -> bool:
        """Whether anyone may talk. Cheap, and without I/O: a page that nobody talks on must not cost a query."""

    @abstractmethod
    def includes(self, user: AbstractBaseUser) -> bool:
        """Whether this user is among those who may. Sticky. May ask the database, so not on the event loop."""

    def decide(self, user: AbstractBaseUser) -> EndReason | None:
        """Why this user may not talk, or ``None``. Blocking where :meth:`includes` is."""
        if not self.enabled():
            return EndReason.DISABLED
        return None if self.includes(user) else EndReason.NOT_IN_ROLLOUT


class MasterFlag(Flag):
    """The site's setting alone: everyone or no one."""

    def __init__(self, enabled: Callable[[], bool]) -> None:
        self._enabled = enabled

    def enabled(self) -> bool:
        """What the setting says at this moment."""
        return self._enabled()

    def includes(self, user: AbstractBaseUser) -> bool:
        """Everyone."""
        return True
