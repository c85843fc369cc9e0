"""From the facts of turns to figures: each percentile is a measured value, and nothing is counted twice."""

import json

import pytest

from tests.unit.probe.turns import turn
from voice.probe.figures import Measured, Spread, as_json, figures, spread, typical


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Spread(None, None, None)),
        ([None], Spread(None, None, None)),
        ([7], Spread(7, 7, 7)),
        ([2, 1], Spread(1, 2, 2)),
        ([30, 10, 20, None], Spread(20, 30, 30)),
        (range(1, 21), Spread(10, 19, 20)),
        (range(1, 101), Spread(50, 95, 100)),
    ],
)
def test_percentiles_are_of_the_nearest_rank(values: list[int | None], expected: Spread) -> None:
    assert spread(values) == expected


def test_what_retrieval_added_lies_between_the_commit_and_the_request() -> None:
    marks = {"speech_stopped": 1_000, "committed": 1_300, "response_requested": 1_450, "first_audio": 2_000}
    measured = Measured("prefetch", "Why?", marks)
    assert measured.added_ms == 150
    assert measured.first_audio_ms == 1_000


def test_an_answer_requested_before_the_commit_was_noticed_added_nothing() -> None:
    assert Measured("prefetch", "Why?", {"committed": 1_300, "response_requested": 1_299}).added_ms == 0


def test_a_turn_without_an_answer_counts_as_one_and_has_no_latency() -> None:
    found = figures([turn(latency=500), turn(latency=None)], "prefetch")
    assert (found.turns, found.unanswered) == (2, 1)
    assert found.first_audio == Spread(500, 500, 500)


def test_a_context_that_was_there_before_the_end_of_speech_has_a_negative_time() -> None:
    assert figures([turn()], "prefetch").context_ready.p50 == 1_947 - 4_000


def test_the_modes_are_kept_apart() -> None:
    measured = [turn("prefetch", latency=500), turn("sequential", added=447, latency=500)]
    assert figures(measured, "prefetch").first_audio.max == 500
    assert figures(measured, "sequential").first_audio.max == 947
    assert figures(measured, "sequential").added.max == 447


def test_every_search_is_a_hit_or_wasted() -> None:
    found = figures([turn(hit=1, superseded=1), turn(late=1, failed=1), turn(hit=1), turn(none=2)], "prefetch")
    assert found.hit_rate == 0.5
    assert found.searches_per_turn == 7 / 4
    assert found.wasted_per_turn == 5 / 4


def test_of_no_turn_there_are_no_figures() -> None:
    found = figures([], "prefetch")
    assert (found.turns, found.hit_rate, found.searches_per_turn, found.wasted_per_turn) == (0, None, None, None)


def test_the_typical_turn_is_the_median_of_those_that_were_answered() -> None:
    turns = [turn(latency=ms) for ms in (None, 900, 100, 500)]
    assert typical(turns, "prefetch") is turns[3]
    assert typical(turns, "sequential") is None
    assert typical(turns[:1], "prefetch") is None


def test_the_json_has_exactly_this_shape() -> None:
    measured = [turn("prefetch"), turn("sequential", added=447), turn("prefetch", latency=None, late=1)]
    told = json.loads(json.dumps(as_json(measured, upstream="scripted")))
    assert told == {
        "prefetch": {
            "added_ms": {"p50": 0, "p95": 0, "max": 0},
            "first_audio_ms": {"p50": 558, "p95": 558, "max": 558},
        },
        "sequential": {
            "added_ms": {"p50": 447, "p95": 447, "max": 447},
            "first_audio_ms": {"p50": 1005, "p95": 1005, "max": 1005},
        },
        "hit_rate": 0.5,
        "searches_per_turn": 1.0,
        "wasted_per_turn": 0.5,
        "turns": {"prefetch": 2, "sequential": 1},
        "unanswered": {"prefetch": 1, "sequential": 0},
        "upstream": "scripted",
    }
