"""Figures from the facts of turns. Pure; where each number starts and ends is said here and in docs/latency.md."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from voice.protocol.outcomes import SearchOutcome
from voice.protocol.timeline import Mark

Mode = Literal["prefetch", "sequential"]
MODES: tuple[Mode, ...] = ("prefetch", "sequential")
"""In the order in which each question is asked."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The facts of one turn. Milliseconds are counted from the start of speech."""

    mode: Mode
    question: str = field(repr=False)
    marks: Mapping[str, int]
    """By the name of the :class:`~voice.protocol.timeline.Mark`; without ``first_audio`` it was not answered."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """How many searches ended in each :class:`~voice.protocol.outcomes.SearchOutcome`."""
    partials: tuple[int, ...] = ()
    """When the transcript grew."""
    searches: tuple[tuple[int, int], ...] = ()
    """When each search began and ended."""

    def after(self, start: Mark, end: Mark) -> int | None:
        """Milliseconds from one mark to another (negative: before it), if both are there."""
        if start not in self.marks or end not in self.marks:
            return None
        return self.marks[end] - self.marks[start]

    @property
    def added_ms(self) -> int | None:
        """What retrieval alone made the answer wait: from the commit of the question to the request of its answer."""
        added = self.after(Mark.COMMITTED, Mark.RESPONSE_REQUESTED)
        return None if added is None else max(0, added)

    @property
    def first_audio_ms(self) -> int | None:
        """From the VAD's word that the speech has stopped to the first audio of the answer."""
        return self.after(Mark.SPEECH_STOPPED, Mark.FIRST_AUDIO)

    @property
    def hit(self) -> bool:
        """Whether the answer had a context."""
        return self.outcomes.get(SearchOutcome.HIT, 0) > 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles by nearest rank: each is a value that was measured. ``None`` where nothing was."""

    p50: int | None
    p95: int | None
    max: int | None


def spread(values: Iterable[int | None]) -> Spread:
    """The spread of those that there are."""
    known = sorted(value for value in values if value is not None)
    return Spread(*(_nearest_rank(known, percent) if known else None for percent in (50, 95, 100)))


def _nearest_rank(ascending: Sequence[int], percent: int) -> int:
    return ascending[max(1, math.ceil(len(ascending) * percent / 100)) - 1]


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of the turns of one mode. ``context_ready`` to ``first_audio`` count from ``speech_stopped``."""

    turns: int
    unanswered: int
    added: Spread
    context_ready: Spread
    response_requested: Spread
    first_audio: Spread
    hit_rate: float | None
    """Share (0 to 1) of the turns whose answer had a context."""
    searches_per_turn: float | None
    wasted_per_turn: float | None
    """Searches a turn that were superseded, came late, failed or found nothing."""


def figures(measured: Iterable[Measured], mode: Mode) -> Figures:
    """Those of the turns in ``mode``. Shares and averages of no turn are ``None``."""
    turns = [turn for turn in measured if turn.mode == mode]
    searches = sum(sum(turn.outcomes.values()) for turn in turns)
    used = sum(turn.outcomes.get(SearchOutcome.HIT, 0) for turn in turns)
    return Figures(
        turns=len(turns),
        unanswered=sum(turn.first_audio_ms is None for turn in turns),
        added=spread(turn.added_ms for turn in turns),
        context_ready=spread(turn.after(Mark.SPEECH_STOPPED, Mark.CONTEXT_READY) for turn in turns),
        response_requested=spread(turn.after(Mark.SPEECH_STOPPED, Mark.RESPONSE_REQUESTED) for turn in turns),
        first_audio=spread(turn.first_audio_ms for turn in turns),
        hit_rate=_per(sum(turn.hit for turn in turns), turns),
        searches_per_turn=_per(searches, turns),
        wasted_per_turn=_per(searches - used, turns),
    )


def _per(count: int, turns: Sequence[Measured]) -> float | None:
    return round(count / len(turns), 3) if turns else None


def typical(measured: Iterable[Measured], mode: Mode) -> Measured | None:
    """The turn in ``mode`` whose first audio is the median, if one was answered."""
    turns = [turn for turn in measured if turn.mode == mode]
    median = spread(turn.first_audio_ms for turn in turns).p50
    return next((turn for turn in turns if median is not None and turn.first_audio_ms == median), None)


def as_json(measured: Sequence[Measured], **about: Any) -> dict[str, Any]:
    """The figures of both modes as plain values; ``hit_rate`` to ``wasted_per_turn`` are those of prefetching."""
    by_mode = {mode: figures(measured, mode) for mode in MODES}
    prefetch = by_mode["prefetch"]
    return {
        **{mode: {"added_ms": asdict(f.added), "first_audio_ms": asdict(f.first_audio)} for mode, f in by_mode.items()},
        "hit_rate": prefetch.hit_rate,
        "searches_per_turn": prefetch.searches_per_turn,
        "wasted_per_turn": prefetch.wasted_per_turn,
        "turns": {mode: f.turns for mode, f in by_mode.items()},
        "unanswered": {mode: f.unanswered for mode, f in by_mode.items()},
        **about,
    }
