"""When what happened in a turn, as bars under each other. Pure: marks go in, places on a line come out.

Zero is the end of speech, where waiting begins. The line is cut where nothing more is decided: a long question begins
off the left edge, and a long answer ends off the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voice.protocol.timeline import Mark

EARLIEST, LATEST = -3_000, 6_000
"""Milliseconds; what lies outside is cut off."""
AFTER_AUDIO = 600
"""Milliseconds that are shown of the answer itself."""
LIMIT = 800
"""An answer should begin before that."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A step, from ``start`` to ``end`` in ms from the end of speech; an instant has no ``end``.

    ``left`` and ``width`` are percents of the line. ``cut`` says that it is longer than the line.
    """

    step: str
    start: int
    end: int | None
    left: str
    width: str
    cut: bool

    @property
    def lasted(self) -> int | None:
        """In ms."""
        return None if self.end is None else self.end - self.start


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars of a turn, and where on the line zero and the limit are, in percent."""

    bars: list[Bar]
    zero: str
    limit: str


_STEPS: dict[str, tuple[Mark, tuple[Mark, ...]]] = {
    "speech": (Mark.SPEECH_STARTED, (Mark.SPEECH_STOPPED, Mark.ENDED)),
    "partials": (Mark.FIRST_PARTIAL, (Mark.SPEECH_STOPPED,)),
    "search": (Mark.SEARCH_STARTED, (Mark.CONTEXT_READY,)),
    "injection": (Mark.CONTEXT_READY, ()),
    "request": (Mark.RESPONSE_REQUESTED, (Mark.RESPONSE_STARTED,)),
    "response": (Mark.RESPONSE_STARTED, (Mark.FIRST_AUDIO, Mark.ENDED)),
    "audio": (Mark.FIRST_AUDIO, (Mark.ENDED,)),
    "heard": (Mark.FIRST_HEARD, (Mark.ENDED,)),
}
"""Each step begins with a mark, and ends with the first of the others that there is, if it is not before."""


def waterfall(marks: Mapping[str, object]) -> Waterfall | None:
    """Of the marks of a turn, as they are stored; ``None`` if none of its steps is known."""
    at = {mark: ms for mark in Mark if isinstance(ms := marks.get(mark), int)}
    zero = at.get(Mark.SPEECH_STOPPED, min(at.values(), default=0))
    spans = {step: span for step in _STEPS if (span := _span(step, at, zero))}
    if not spans:
        return None
    first = max(EARLIEST, min(start for start, _end in spans.values()))
    audio = at.get(Mark.FIRST_HEARD, at.get(Mark.FIRST_AUDIO, zero)) - zero
    begins = max(start for start, _end in spans.values())
    last = min(LATEST, max(LIMIT + 200, audio + AFTER_AUDIO, begins + 100))

    def percent(ms: float) -> float:
        return 100 * (min(max(ms, first), last) - first) / (last - first)

    bars = []
    for step, (start, end) in spans.items():
        left = percent(start)
        width = 0.0 if end is None else percent(end) - left
        cut = not first <= start <= last or (end is not None and not first <= end <= last)
        bars.append(Bar(step, start, end, f"{min(left, 99.2):.2f}%", f"{max(width, 0.8):.2f}%", cut))
    return Waterfall(bars, f"{percent(0):.2f}%", f"{percent(LIMIT):.2f}%")


def _span(step: str, at: Mapping[Mark, int], zero: int) -> tuple[int, int | None] | None:
    begins, ends = _STEPS[step]
    if begins not in at:
        return None
    start = at[begins]
    end = next((at[mark] for mark in ends if at.get(mark, start - 1) >= start), None)
    return start - zero, None if end is None else end - zero
