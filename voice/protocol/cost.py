"""What usage costs: a table of prices per model, in decimals.

A model that nobody has priced makes the cost unknown, which is not the same as nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from types import MappingProxyType

from voice.protocol.usage import Usage

MILLION = 1_000_000
MINUTE_MS = 60_000
PLACES = Decimal("0.000001")
"""What a cost is rounded to, once, when it is kept: a millionth. A token of the cheapest kind costs 0.00000006."""

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
"""How a model's name ends when it names one day's version of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """What one model costs, in US dollars: per million tokens of each kind, and per minute of transcribed audio.

    ``None`` says that the model is not sold by this measure; to be billed by it all the same makes the cost unknown.
    """

    text_in: Decimal | None = None
    text_cached: Decimal | None = None
    audio_in: Decimal | None = None
    audio_cached: Decimal | None = None
    text_out: Decimal | None = None
    audio_out: Decimal | None = None
    minute: Decimal | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            price = getattr(self, each.name)
            if price is not None and not (price.is_finite() and price >= 0):
                raise ValueError(f"{each.name} must be a number from 0 up")

    def of(self, usage: Usage) -> Decimal | None:
        """The price of ``usage`` in US dollars, exact; ``None`` if this model has no price for some of it."""
        parts = (
            (usage.text_in - usage.text_cached, self.text_in, MILLION),
            (usage.text_cached, self.text_cached, MILLION),
            (usage.audio_in - usage.audio_cached, self.audio_in, MILLION),
            (usage.audio_cached, self.audio_cached, MILLION),
            (usage.text_out, self.text_out, MILLION),
            (usage.audio_out, self.audio_out, MILLION),
            (usage.milliseconds, self.minute, MINUTE_MS),
        )
        total = Decimal(0)
        for amount, price, per in parts:
            if amount and price is None:
                return None
            total += amount * (price or 0) / Decimal(per)
        return total


def _realtime(text: tuple[str, str, str], audio: tuple[str, str, str]) -> ModelPrice:
    text_in, text_cached, text_out = map(Decimal, text)
    audio_in, audio_cached, audio_out = map(Decimal, audio)
    return ModelPrice(
        text_in=text_in,
        text_cached=text_cached,
        audio_in=audio_in,
        audio_cached=audio_cached,
        text_out=text_out,
        audio_out=audio_out,
    )


LIST_PRICES_VERSION = "openai-2026-11"
LIST_PRICES: Mapping[str, ModelPrice] = MappingProxyType(
    {
        "gpt-realtime-2.1": _realtime(("4.00", "0.40", "24.00"), ("32", "0.40", "64")),
        "gpt-realtime-2": _realtime(("4.00", "0.40", "24.00"), ("32", "0.40", "64")),
        "gpt-realtime-2.1-mini": _realtime(("0.60", "0.06", "2.40"), ("10", "0.30", "20")),
        "gpt-realtime-1.5": _realtime(("4.00", "0.40", "16.00"), ("32", "0.40", "64")),
        "gpt-4o-mini-realtime-preview": _realtime(("0.60", "0.30", "2.40"), ("10", "0.30", "20")),
        "gpt-live-transcribe": ModelPrice(minute=Decimal("0.017")),
        "gpt-realtime-whisper": ModelPrice(minute=Decimal("0.017")),
        "gpt-transcribe": ModelPrice(minute=Decimal("0.0045")),
    }
)
"""The list prices of the models' own pages (platform.openai.com/docs/models) in November 2026."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What is paid for each model, and in which currency it is shown."""

    version: str = LIST_PRICES_VERSION
    """Kept with every session, so that an old cost can be explained. Change it with the prices."""
    currency: str = "USD"
    """Code of the currency (ISO 4217) that costs are kept in and budgets are given in."""
    rate: Decimal = Decimal(1)
    """How much of it one US dollar is."""
    models: Mapping[str, ModelPrice] = field(default_factory=dict)
    """By the model's name, in US dollars. Those that are not here cost what :data:`LIST_PRICES` says."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError("currency must be a code of three capitals")
        if not (self.rate.is_finite() and self.rate > 0):
            raise ValueError("rate must be a number above 0")
        if not 1 <= len(self.version) <= 32:
            raise ValueError("version must be a text of 1 to 32 characters")

    def of(self, model: str) -> ModelPrice | None:
        """The price of ``model``, or of what it is a dated version of."""
        for name in (model, _SNAPSHOT.sub("", model)):
            price = self.models.get(name) or LIST_PRICES.get(name)
            if price is not None:
                return price
        return None

    def cost(self, bills: Mapping[str, Usage]) -> Decimal | None:
        """What the usage of each model costs altogether, in :attr:`currency`; ``None`` if some of it has no price."""
        total = Decimal(0)
        for model, usage in bills.items():
            price = self.of(model)
            cost = price.of(usage) if price is not None else None
            if cost is None:
                return None
            total += cost
        return total * self.rate
