"""What has been counted of a session so far. The fields are the columns of its record."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from voice.protocol.outcomes import SearchOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Absolute numbers, so that writing them twice changes nothing. None of them ever falls."""

    mic_frames: int = 0
    mic_ms: int = 0
    """Audio that the visitor sent, taken while not muted."""
    dropped_frames: int = 0
    """Of those: lost because the provider did not take them in time."""
    reconnects: int = 0
    """How often the provider was lost and dialled again."""
    answer_frames: int = 0
    answer_ms: int = 0
    """Audio that was sent to the visitor."""
    underruns: int = 0
    """How often an answer's sound broke off at the visitor's, because what comes next was not there yet."""
    turns_count: int = 0
    interruptions: int = 0
    searches_hit: int = 0
    searches_late: int = 0
    searches_superseded: int = 0
    searches_failed: int = 0
    searches_none: int = 0
    text_in: int = 0
    text_cached: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    text_out: int = 0
    audio_out: int = 0
    transcription_ms: int = 0
    transcription_tokens: int = 0
    cost: Decimal | None = Decimal(0)
    """``None``: unknown."""
    estimated: bool = False
    """Some of the usage is a guess."""

    @property
    def searches(self) -> dict[str, int]:
        """How many ended in each way, by outcome; ways that none ended in are left out."""
        counts = {outcome.value: getattr(self, f"searches_{outcome.value}") for outcome in SearchOutcome}
        return {outcome: count for outcome, count in counts.items() if count}
