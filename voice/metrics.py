"""What dashboards are told, over OpenTelemetry's API: counts and durations, never who or what.

Names and attributes are documented in ``voice/docs/monitoring.md``. An attribute has few values (a reason, a provider,
an outcome), never a user, a session or a text. Without an SDK each call is a no-op of a fraction of a microsecond, and
the API is imported by the first of them, so a site where nobody talks does without.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from voice.protocol.outcomes import EndReason
from voice.protocol.timeline import Mark

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from voice.protocol.commands import TurnEnded
    from voice.protocol.counters import Counters


class Instruments:
    """What is measured, made by one meter."""

    def __init__(self, meter: Meter) -> None:
        self.live = meter.create_up_down_counter("voice.sessions.live", "{session}", "Conversations that are going on.")
        self.durations = meter.create_histogram(
            "voice.session.duration", "s", "How long conversations were, by the reason of their end."
        )
        self.refusals = meter.create_counter("voice.refusals", "{visitor}", "Visitors that were turned away.")
        self.turns = meter.create_counter("voice.turns", "{turn}", "Questions, by how their turn ended.")
        self.first_audio = meter.create_histogram(
            "voice.turn.first_audio",
            "s",
            "From the end of a question to the first sound of its answer.",
            explicit_bucket_boundaries_advisory=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0),
        )
        self.searches = meter.create_counter("voice.searches", "{search}", "Searches in the knowledge, by outcome.")
        self.tokens = meter.create_counter("voice.tokens", "{token}", "Tokens that were paid for, each of one kind.")
        self.transcribed = meter.create_counter(
            "voice.transcribed", "s", "Audio whose transcript was paid by its length."
        )
        self.cost = meter.create_counter("voice.cost", "{currency}", "What conversations cost, where that is known.")
        self.reconnects = meter.create_counter("voice.reconnects", "{attempt}", "Attempts to reach a part again.")
        self.depth = meter.create_histogram(
            "voice.queue.depth",
            "s",
            "The most audio that waited in a queue of a conversation.",
            explicit_bucket_boundaries_advisory=(0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0),
        )
        self.lag = meter.create_histogram(
            "voice.loop.lag",
            "s",
            "How late the event loop is.",
            explicit_bucket_boundaries_advisory=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
        )


@cache
def instruments() -> Instruments:
    """Those of this process."""
    from opentelemetry.metrics import get_meter

    return Instruments(get_meter("voice"))


def refused(reason: EndReason) -> None:
    """Somebody was turned away."""
    instruments().refusals.add(1, {"reason": reason.value})


def session_began(provider: str) -> None:
    """A conversation begins: whatever comes, :func:`session_ended` follows."""
    instruments().live.add(1, {"provider": provider})


def session_ended(provider: str, reason: EndReason, seconds: float, depths: Mapping[str, float]) -> None:
    """It is over. ``depths``: by queue, the most seconds of audio that waited there."""
    instruments().live.add(-1, {"provider": provider})
    instruments().durations.record(seconds, {"provider": provider, "reason": reason.value})
    for queue, depth in depths.items():
        instruments().depth.record(depth, {"queue": queue})


def session_cost(provider: str, currency: str, counted: Counters) -> None:
    """What a whole session used. Once for each: the counts are added up."""
    for kind, tokens in _tokens(counted).items():
        if tokens:
            instruments().tokens.add(tokens, {"provider": provider, "kind": kind})
    if counted.transcription_ms:
        instruments().transcribed.add(counted.transcription_ms / 1000, {"provider": provider})
    if counted.cost:
        instruments().cost.add(float(counted.cost), {"provider": provider, "currency": currency})


def _tokens(counted: Counters) -> dict[str, int]:
    """By kind, and none twice: a dashboard adds them up, while the records count the cached ones among those in."""
    return {
        "text_in": counted.text_in - counted.text_cached,
        "text_cached": counted.text_cached,
        "audio_in": counted.audio_in - counted.audio_cached,
        "audio_cached": counted.audio_cached,
        "text_out": counted.text_out,
        "audio_out": counted.audio_out,
        "transcription": counted.transcription_tokens,
    }


def turn_ended(provider: str, turn: TurnEnded) -> None:
    """A question has been answered, or will not be."""
    instruments().turns.add(1, {"provider": provider, "outcome": turn.outcome.value})
    for outcome, count in turn.searches.items():
        instruments().searches.add(count, {"outcome": outcome})
    stopped, heard = turn.marks.get(Mark.SPEECH_STOPPED), turn.marks.get(Mark.FIRST_AUDIO)
    if stopped is not None and heard is not None:
        instruments().first_audio.record((heard - stopped) / 1000, {"provider": provider})


def reconnecting(part: str) -> None:
    """``part`` was lost and is tried again."""
    instruments().reconnects.add(1, {"part": part})


def loop_lag(seconds: float) -> None:
    """The event loop ran a timer so much too late."""
    instruments().lag.record(seconds)
