"""When the assistant switches itself off: something has gone wrong for many, or is going to be dear.

A pure rule over the figures of the last minutes. It is off where a site sets no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """The limits of the last minutes; 0 lifts one. By default there is none, and nothing is looked at."""

    minutes: int = 15
    """How far the figures reach back; never beyond the moment at which the switch was last flipped."""
    sessions: int = 20
    """So many sessions must have begun in that time, for the share of errors to count, and so many must have had an
    answer, for its delay to count. Money counts at once."""
    error_rate: float = 0.0
    """The share of sessions, from 0 to 1, that ended because something failed here or at the provider's."""
    first_audio_ms: int = 0
    """How late answers may begin: 95 % of them began sooner than this after the end of the question."""
    spend: Decimal = Decimal(0)
    """What the sessions that began in that time may cost together, in the currency of the prices."""

    def __post_init__(self) -> None:
        if not 1 <= self.minutes <= 1440:
            raise ValueError("minutes must be from 1 to 1440")
        if not 2 <= self.sessions <= 100_000:
            raise ValueError("sessions must be from 2 to 100000: a single one that fails switches nothing off")
        if not 0 <= self.error_rate < 1:
            raise ValueError("error_rate must be a share from 0 up and below 1")
        if not (self.first_audio_ms == 0 or 100 <= self.first_audio_ms <= 60_000):
            raise ValueError("first_audio_ms must be 0, or from 100 to 60000")
        if not (self.spend.is_finite() and self.spend >= 0):
            raise ValueError("spend must be a number from 0 up")

    @property
    def watches(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self.error_rate or self.first_audio_ms or self.spend)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What happened in the window."""

    sessions: int = 0
    """Those that began."""
    errors: int = 0
    """Of these: ended by an error."""
    answered: int = 0
    """Of these: heard an answer."""
    p95_ms: int | None = None
    """The 95th percentile of how late their answers began; ``None`` without any."""
    spent: Decimal = Decimal(0)
    """What they have cost so far, as far as that is known."""


class Cause(StrEnum):
    """Which limit was passed."""

    ERROR_RATE = "error_rate"
    FIRST_AUDIO = "first_audio"
    SPEND = "spend"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Switch off, because ``value`` passed ``limit``: a share, milliseconds or money, by the ``cause``."""

    cause: Cause
    value: Decimal
    limit: Decimal
    sessions: int
    """Of how many that is said."""


def judge(figures: Figures, limits: Safeguard) -> Verdict | None:
    """The first limit that was passed, money first; ``None``: go on. What just reaches a limit has not passed it."""
    if limits.spend and figures.spent > limits.spend:
        return Verdict(Cause.SPEND, figures.spent, limits.spend, figures.sessions)
    if limits.error_rate and figures.sessions >= limits.sessions:
        rate, most = Decimal(figures.errors) / figures.sessions, Decimal(str(limits.error_rate))
        if rate > most:
            return Verdict(Cause.ERROR_RATE, rate, most, figures.sessions)
    if limits.first_audio_ms and figures.answered >= limits.sessions:
        p95, latest = Decimal(figures.p95_ms or 0), Decimal(limits.first_audio_ms)
        if p95 > latest:
            return Verdict(Cause.FIRST_AUDIO, p95, latest, figures.answered)
    return None
