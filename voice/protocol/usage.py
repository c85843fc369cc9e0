"""How much of a provider's service was used: what it says of itself, checked and added up.

A provider ends each answer, and each transcript, with a block of counts that it bills by. Three rules make figures of
it that can be relied on. What is missing is counted as the dearest kind, so an estimate is never below the bill. What
cannot be true (negative, a text, more than any model could do) is not counted. Either way the figure is marked as
estimated, and stays so in every sum.

The form of the block is that of the GA Realtime API: ``input_tokens``, ``output_tokens``, ``input_token_details`` with
``text_tokens``, ``audio_tokens`` and ``cached_tokens_details``, and ``output_token_details``; or, of transcripts that
are billed by their length, ``type`` ``duration`` and ``seconds``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

MOST_TOKENS = 10_000_000
"""Of one answer. The largest context of a realtime model is 128,000 tokens; beyond this a count is a mistake."""
MOST_SECONDS = 86_400
"""Of one transcript: a day."""
REMEMBERED = 256
"""Bills whose repetition is noticed. A session has some tens; the bound is for a provider that repeats itself."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind, and audio that is billed by its length."""

    text_in: int = 0
    text_cached: int = 0
    """Of ``text_in``: read from the provider's cache, at a lower price."""
    audio_in: int = 0
    audio_cached: int = 0
    """Of ``audio_in``."""
    text_out: int = 0
    audio_out: int = 0
    milliseconds: int = 0
    """Of audio that was transcribed."""
    estimated: bool = False
    """Something was missing or could not be true."""

    @property
    def tokens(self) -> int:
        """All of them. The cached ones are part of what went in."""
        return self.text_in + self.audio_in + self.text_out + self.audio_out

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.text_in + other.text_in,
            self.text_cached + other.text_cached,
            self.audio_in + other.audio_in,
            self.audio_cached + other.audio_cached,
            self.text_out + other.text_out,
            self.audio_out + other.audio_out,
            self.milliseconds + other.milliseconds,
            self.estimated or other.estimated,
        )


UNKNOWN = Usage(estimated=True)
"""Something was used, and nobody said how much."""


def read(block: object) -> Usage:
    """The usage in a provider's ``block``, whatever that is; :data:`UNKNOWN` where nothing can be read."""
    if not isinstance(block, Mapping):
        return UNKNOWN
    if block.get("type") == "duration":
        return _duration(block.get("seconds"))
    return _tokens(block)


class Bills:
    """What one session was billed so far, by the model that was paid; each bill once."""

    def __init__(self) -> None:
        self.by_model: dict[str, Usage] = {}
        self._seen: deque[str] = deque(maxlen=REMEMBERED)

    def add(self, bill_id: str, model: str, usage: Usage) -> None:
        """Count ``usage`` for ``model``, unless a bill of this id was counted before."""
        if bill_id not in self._seen:
            self._seen.append(bill_id)
            self.by_model[model] = self.by_model.get(model, Usage()) + usage

    @property
    def estimated(self) -> bool:
        """Whether any of it is."""
        return any(usage.estimated for usage in self.by_model.values())


def _duration(seconds: object) -> Usage:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MOST_SECONDS:
        return UNKNOWN  # NaN fails the comparison too
    return Usage(milliseconds=round(seconds * 1000))


def _tokens(block: Mapping[str, object]) -> Usage:
    totals, given = _Counts(block), _Counts(block.get("input_token_details"))
    made, cached = _Counts(block.get("output_token_details")), _Counts(given.nested("cached_tokens_details"))
    text_in, audio_in, in_guessed = _by_kind(totals.count("input_tokens"), given)
    text_out, audio_out, out_guessed = _by_kind(totals.count("output_tokens"), made)
    text_cached, audio_cached = cached.count("text_tokens") or 0, cached.count("audio_tokens") or 0
    # A count of cached tokens that says nothing of their kind helps only if it is zero.
    cache_unknown = not cached.given and given.count("cached_tokens") != 0 and text_in + audio_in > 0
    return Usage(
        text_in,
        min(text_cached, text_in),
        audio_in,
        min(audio_cached, audio_in),
        text_out,
        audio_out,
        estimated=(
            in_guessed
            or out_guessed
            or cache_unknown
            or text_cached > text_in
            or audio_cached > audio_in
            or any(counts.absurd for counts in (totals, given, made, cached))
        ),
    )


def _by_kind(total: int | None, details: _Counts) -> tuple[int, int, bool]:
    """Text, audio, and whether that is a guess: what no detail explains counts as audio, the dearer of the two."""
    text, audio = details.count("text_tokens"), details.count("audio_tokens")
    explained = (text or 0) + (audio or 0)
    if total is None:
        return text or 0, audio or 0, text is None and audio is None
    return text or 0, (audio or 0) + max(0, total - explained), total != explained


class _Counts:
    """The counts in one object of a block. What is absent or absurd is ``None``."""

    def __init__(self, block: object) -> None:
        self.given = isinstance(block, Mapping)
        self.absurd = block is not None and not self.given
        self._block: Mapping[str, object] = block if isinstance(block, Mapping) else {}

    def count(self, name: str) -> int | None:
        value = self._block.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS:
            self.absurd = True
            return None
        return value

    def nested(self, name: str) -> object:
        return self._block.get(name)
