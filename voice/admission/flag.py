"""The flag: may anyone talk at all, and is this user among those who may?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from voice.admission.limits import Limits
from voice.admission.rollout import Rollout
from voice.protocol.outcomes import EndReason

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Live:
    """What staff decide while the site runs."""

    enabled: bool = True
    rollout: Rollout = field(default_factory=Rollout)
    limits: Mapping[str, int] = field(default_factory=dict)
    """Limits that replace those of the settings, by the field's name."""


class Flag:
    """Two switches, the site's setting and that of the staff, and the roll-out. Both switches must be on.

    Asked at each decision, never remembered by who asks, so that a flip acts at once. ``live`` may ask the database,
    so it is asked only where the setting is on, and its ``django.db.Error`` passes through.
    """

    def __init__(self, master: Callable[[], bool], live: Callable[[], Live]) -> None:
        self._master, self._live = master, live

    def master(self) -> bool:
        """Whether the site's setting is on. No I/O."""
        return self._master()

    def enabled(self) -> bool:
        """Whether anyone may talk."""
        return self._master() and self._live().enabled

    def decide(self, user: AbstractBaseUser) -> EndReason | None:
        """Why ``user`` may not talk, or ``None``. The roll-out may cost a query."""
        if not self.enabled():
            return EndReason.DISABLED
        return None if self._live().rollout.includes(user) else EndReason.NOT_IN_ROLLOUT

    def limits(self, settings: Limits) -> Limits:
        """The limits in force: those of the ``settings``, where staff decided nothing else."""
        return replace(settings, **self._live().limits)
