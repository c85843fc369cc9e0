"""When the assistant switches itself off, and when it does not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.safeguard import Cause, Figures, Safeguard, Verdict, judge

LIMITS = Safeguard(sessions=10, error_rate=0.3, first_audio_ms=2_000, spend=Decimal(5))


def test_without_a_limit_nothing_is_watched_and_nothing_passes_it():
    assert not Safeguard().watches
    worst = Figures(sessions=1_000, errors=1_000, answered=1_000, p95_ms=60_000, spent=Decimal(10**6))
    assert judge(worst, Safeguard()) is None


@pytest.mark.parametrize("limit", [{"error_rate": 0.1}, {"first_audio_ms": 100}, {"spend": Decimal(1)}])
def test_one_limit_is_enough_to_watch(limit):
    assert Safeguard(**limit).watches


def test_many_that_fail_switch_off():
    verdict = judge(Figures(sessions=10, errors=4), LIMITS)
    assert verdict == Verdict(Cause.ERROR_RATE, Decimal("0.4"), Decimal("0.3"), 10)


def test_what_just_reaches_a_limit_has_not_passed_it():
    figures = Figures(sessions=10, errors=3, answered=10, p95_ms=2_000, spent=Decimal(5))
    assert judge(figures, LIMITS) is None


def test_one_failure_of_one_switches_nothing_off():
    assert judge(Figures(sessions=1, errors=1), LIMITS) is None
    assert judge(Figures(sessions=9, errors=9), LIMITS) is None


def test_slow_answers_of_few_switch_nothing_off_also_among_many():
    assert judge(Figures(sessions=500, answered=9, p95_ms=60_000), LIMITS) is None
    verdict = judge(Figures(sessions=500, answered=10, p95_ms=2_001), LIMITS)
    assert verdict == Verdict(Cause.FIRST_AUDIO, Decimal(2_001), Decimal(2_000), 10)


def test_money_counts_at_once():
    assert judge(Figures(sessions=1, spent=Decimal("5.01")), LIMITS) == Verdict(
        Cause.SPEND, Decimal("5.01"), Decimal(5), 1
    )


@pytest.mark.parametrize(
    "nonsense",
    [
        {"minutes": 0},
        {"minutes": 1441},
        {"sessions": 1},
        {"error_rate": 30.0},
        {"error_rate": 1.0},
        {"error_rate": -0.1},
        {"error_rate": float("nan")},
        {"first_audio_ms": 2},
        {"first_audio_ms": -1},
        {"spend": Decimal(-1)},
        {"spend": Decimal("NaN")},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(nonsense):
    with pytest.raises(ValueError, match=next(iter(nonsense))):
        Safeguard(**nonsense)


COUNTS = st.integers(0, 200)


@given(COUNTS, COUNTS, COUNTS, st.none() | st.integers(0, 60_000), st.decimals(0, 20, places=2))
def test_a_verdict_names_a_limit_that_was_passed_by_enough(sessions, errors, answered, p95, spent):
    figures = Figures(
        sessions=sessions, errors=min(errors, sessions), answered=min(answered, sessions), p95_ms=p95, spent=spent
    )
    verdict = judge(figures, LIMITS)
    if verdict is not None:
        assert verdict.value > verdict.limit
        assert verdict.cause is Cause.SPEND or verdict.sessions >= LIMITS.sessions
    elif figures.sessions >= LIMITS.sessions:
        assert figures.errors <= figures.sessions * 0.3
