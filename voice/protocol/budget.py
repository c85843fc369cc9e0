"""How much one session may still cost, and when its visitor is told that the end is near."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

NOTICE_SECONDS = 60
"""The visitor is told when, at the pace so far, the money is good for no longer than this."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """What may be spent, in the currency of the prices. 0 lifts a budget."""

    session: Decimal = Decimal(0)
    """By one session."""
    user_day: Decimal = Decimal(0)
    """By one user's sessions that began on the same day."""
    site_day: Decimal = Decimal(0)
    """By all sessions that began on the same day."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not (getattr(self, each.name).is_finite() and getattr(self, each.name) >= 0):
                raise ValueError(f"{each.name} must be a number from 0 up")


class Budget:
    """The money of one session. ``allowance`` is what it may cost; ``None``: anything."""

    def __init__(self, allowance: Decimal | None) -> None:
        self._allowance = allowance
        self._spent = self._dearest = Decimal(0)
        self._warned = False

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left. What is under way is finished; no further question is answered."""
        return self._allowance is not None and self._spent >= self._allowance

    def spend(self, spent: Decimal | None, seconds: float) -> int | None:
        """The session has cost ``spent`` in ``seconds``. Returns for how many more seconds the money is good, once:
        when they are few, or when the next answer could be the last. An unknown cost (``None``) ends no session."""
        if self._allowance is None or spent is None:
            return None
        self._dearest = max(self._dearest, spent - self._spent)
        self._spent = spent
        left = max(Decimal(0), self._allowance - spent)
        seconds_left = int(left * Decimal(seconds) / spent) if spent else None
        if self._warned or seconds_left is None or (seconds_left > NOTICE_SECONDS and left > self._dearest):
            return None
        self._warned = True
        return seconds_left
