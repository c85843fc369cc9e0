"""The count of one session."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from voice.protocol import commands as c
from voice.protocol.cost import Prices
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.tally import Tally

MODEL, WRITER = "gpt-realtime-2.1-mini", "gpt-live-transcribe"
USAGE: dict[str, Any] = {
    "input_tokens": 150,
    "input_token_details": {"text_tokens": 100, "audio_tokens": 50, "cached_tokens": 0},
    "output_tokens": 30,
    "output_token_details": {"text_tokens": 10, "audio_tokens": 20},
}


def tally(model: str = MODEL, *, metered: bool = True) -> Tally:
    return Tally(model, Prices(), metered=metered)


def turn(outcome: TurnOutcome, **searches: int) -> c.TurnEnded:
    return c.TurnEnded(1, outcome, False, searches, {}, False, None, ())


def test_audio_is_counted_both_ways():
    counted = tally()
    for _ in range(3):
        counted.mic_frames += 1
        counted.mic_bytes += 1920
    counted.answer_frames += 1
    counted.answer_bytes += 4800
    counters = counted.counters()
    assert (counters.mic_frames, counters.mic_ms) == (3, 120)
    assert (counters.answer_frames, counters.answer_ms) == (1, 100)


def test_turns_and_searches_are_counted_by_their_outcome():
    counted = tally()
    counted.count(turn(TurnOutcome.COMPLETED, hit=1, superseded=2))
    counted.count(turn(TurnOutcome.INTERRUPTED, hit=1, late=1))
    counters = counted.counters()
    assert (counters.turns_count, counters.interruptions) == (2, 1)
    assert (counters.searches_hit, counters.searches_superseded, counters.searches_late) == (2, 2, 1)


def test_answers_and_transcripts_are_paid_each_by_its_own_model():
    counted = tally()
    counted.count(c.CountUsage("resp_1", USAGE))
    counted.count(c.CountUsage("item_1", {"type": "duration", "seconds": 30}, WRITER))
    counters = counted.counters()
    assert (counters.text_in, counters.audio_in, counters.text_out, counters.audio_out) == (100, 50, 10, 20)
    assert (counters.transcription_ms, counters.transcription_tokens) == (30_000, 0)
    assert counters.cost == Decimal("0.000984") + Decimal("0.0085")
    assert not counters.estimated


def test_a_bill_that_is_told_twice_counts_once():
    counted = tally()
    counted.count(c.CountUsage("resp_1", USAGE))
    counted.count(c.CountUsage("resp_1", USAGE))
    assert counted.counters().text_in == 100


def test_a_bill_of_another_connection_is_another_although_its_id_is_the_same():
    counted = tally()
    counted.count(c.CountUsage("resp_1", USAGE))
    counted.reconnects = 1
    counted.count(c.CountUsage("resp_1", USAGE))
    assert counted.counters().text_in == 200


def test_an_answer_without_figures_makes_an_estimate():
    counted = tally()
    counted.count(c.CountUsage("resp_1", None))
    assert (counted.counters().cost, counted.counters().estimated) == (0, True)


def test_a_model_without_a_price_makes_the_cost_unknown():
    counted = tally("somebody-else's")
    assert counted.counters().cost == 0
    counted.count(c.CountUsage("resp_1", USAGE))
    assert counted.counters().cost is None
    assert counted.counters().text_in == 100


def test_what_nobody_is_paid_for_costs_nothing_and_that_is_known():
    counted = tally("embedded", metered=False)
    counted.count(c.CountUsage("resp_1", None))
    counted.count(c.CountUsage("resp_2", USAGE))
    assert (counted.counters().cost, counted.counters().estimated) == (0, False)
