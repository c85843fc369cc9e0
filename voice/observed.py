"""A session as operators see it: a line at its start, one at its end, its turns at debug; and its metrics.

Stands before the recorder, whom every fact passes anyway, and adds nothing to the path of the audio.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic

from voice import metrics
from voice.keeping import Recorder
from voice.protocol.commands import ToRecords, TurnEnded
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason

log = logging.getLogger("voice.session")


class Observed:
    """The recorder of one session, watched. Log lines say what is counted, and nothing that was said."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._provider = self._currency = ""
        self._began_at = 0.0
        self._counters = Counters()

    def began(self, provider: str, model: str, language: str, currency: str) -> None:
        """It begins. Call :meth:`ended` at its end, whatever that is. ``currency`` is that of its cost."""
        self._provider, self._currency, self._began_at = provider, currency, monotonic()
        metrics.session_began(provider)
        log.info("begins with %s %s in %s", provider, model or "-", language)

    async def keep(self, fact: ToRecords, counters: Counters) -> None:
        """A fact of it, and the count so far."""
        if isinstance(fact, TurnEnded):
            metrics.turn_ended(self._provider, fact)
            log.debug("turn %d %s, searches %s, marks %s", fact.number, fact.outcome, dict(fact.searches), fact.marks)
        await self._recorder.keep(fact, counters)

    async def checkpoint(self, counters: Counters) -> None:
        """The count so far."""
        await self._recorder.checkpoint(counters)

    def remember(self, counters: Counters) -> None:
        """The last count; told once."""
        self._counters = counters
        metrics.session_cost(self._provider, self._currency, counters)
        self._recorder.remember(counters)

    def ended(self, reason: EndReason, *, received: int, sent: int, depths: Mapping[str, float]) -> None:
        """It is over, after so many frames from and to the client."""
        seconds = monotonic() - self._began_at
        metrics.session_ended(self._provider, reason, seconds, depths)
        turns, searches = self._counters.turns_count, self._counters.searches
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(searches.items()))
        log.info(
            "ends after %.1f s: %s; %d turns, %d searches%s, %d frames received, %d sent",
            seconds,
            reason.value,
            turns,
            sum(searches.values()),
            f" ({outcomes})" if outcomes else "",
            received,
            sent,
            extra={
                "reason": reason.value,
                "seconds": round(seconds, 1),
                "turns": turns,
                "searches": sum(searches.values()),
                "frames_received": received,
                "frames_sent": sent,
            },
        )
