"""The figures as a table for people: both modes side by side, in characters that any terminal has."""

from __future__ import annotations

from collections.abc import Sequence

from voice.probe.figures import MODES, Figures, Measured, Spread, figures

NONE = "-"
LABEL, CELL = 30, 8
_TIMES = (
    ("context ready", "context_ready"),
    ("answer requested", "response_requested"),
    ("first audio", "first_audio"),
)


def table(measured: Sequence[Measured]) -> str:
    """The figures of both modes. Times are milliseconds."""
    both = [figures(measured, mode) for mode in MODES]
    rows = [
        _line("", [mode.rjust(3 * CELL) for mode in MODES]),
        _line("", ["".join(name.rjust(CELL) for name in ("p50", "p95", "max"))] * 2),
        "after speech_stopped (ms)",
        *(_line(f"  {label}", [_spread(getattr(f, name)) for f in both]) for label, name in _TIMES),
        _line("added by retrieval (ms)", [_spread(f.added) for f in both]),
        "",
        _line("turns", [_number(f.turns) for f in both]),
        _line("answers with context", [_share(f.hit_rate) for f in both]),
        _line("searches a turn", [_number(f.searches_per_turn) for f in both]),
        _line("  wasted", [_number(f.wasted_per_turn) for f in both]),
        *_unanswered(both),
    ]
    return "\n".join(row.rstrip() for row in rows)


def _line(label: str, columns: Sequence[str]) -> str:
    return label.ljust(LABEL) + "  ".join(column.ljust(3 * CELL) for column in columns)


def _spread(spread: Spread) -> str:
    return "".join(
        (NONE if value is None else f"{value:,}").rjust(CELL) for value in (spread.p50, spread.p95, spread.max)
    )


def _number(value: float | None) -> str:
    text = NONE if value is None else str(value) if isinstance(value, int) else f"{value:.2f}"
    return text.rjust(CELL)


def _share(value: float | None) -> str:
    return (NONE if value is None else f"{value:.0%}").rjust(CELL)


def _unanswered(both: Sequence[Figures]) -> list[str]:
    counts = [f.unanswered for f in both]
    return [_line("  without an answer", [_number(count) for count in counts])] if any(counts) else []
