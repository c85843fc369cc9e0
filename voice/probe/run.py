"""A run: question after question, each with prefetching and then sequentially."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voice.probe.figures import MODES, Measured
from voice.probe.questions import Question
from voice.probe.turn import Setup, measure


async def run(setup: Setup, questions: Sequence[Question], turns: int, report: Callable[[Measured], None]) -> None:
    """``turns`` turns in each mode; ``report`` is told each one as soon as it is measured.

    Questions come from the start again when there are too few. May be cancelled: what was reported stands.

    Raises:
        ProbeError: a session ended before its question was answered.
    """
    for n in range(turns):
        for mode in MODES:
            report(await measure(setup, mode, questions[n % len(questions)]))
