"""Sums become figures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.outcomes import EndReason
from voice.statistics import summary
from voice.statistics.expressions import Step
from voice.statistics.queries import BUCKET_MS, Bucket, Group

DAY = date(2026, 11, 2)


def group(**facts: Any) -> Group:
    some: dict[str, Any] = {
        "begins": DAY, "provider": "openai", "end_reason": "idle", "currency": "EUR", "sessions": 1, "seconds": 60.0,
        "spent": Decimal("0.10"), "priced": 1, "hit": 0, "late": 0, "superseded": 0, "failed": 0, "none": 0,
    }  # fmt: skip
    return Group(**some | facts)


def histogram(waits: Iterable[int]) -> list[Bucket]:
    return [Bucket(DAY, ms - ms % BUCKET_MS, 1) for ms in waits]


@given(st.lists(st.integers(0, 20_000), min_size=1))
def test_percentiles_are_the_nearest_rank_to_half_a_bucket(waits):
    figures = summary.waits(histogram(waits))
    for share, told in ((0.50, figures.p50), (0.95, figures.p95)):
        exact = sorted(waits)[ceil(len(waits) * share) - 1]
        assert told is not None
        assert abs(told - exact) <= BUCKET_MS // 2
    assert figures.within == pytest.approx(sum(ms < summary.LIMIT_MS for ms in waits) / len(waits))


def test_without_answers_nothing_is_made_up():
    assert summary.waits([]) == summary.Waits(0, None, None, None)
    assert summary.searches([]) == summary.Searches(0, None, None)
    assert summary.sessions([], "EUR").error_rate is None
    assert summary.main_currency([]) == ""
    assert summary.change(3, 0) is None


def test_a_search_that_a_newer_one_replaced_is_waste_and_no_miss():
    figures = summary.searches([group(hit=6, late=1, failed=1), group(superseded=4, none=4)])
    assert figures == summary.Searches(16, 6 / 8, 5 / 16)


def test_what_has_no_price_is_counted_and_not_taken_for_nothing():
    figures = summary.sessions(
        [group(sessions=3, priced=2, spent=Decimal("0.20")), group(currency="USD"), group(currency="", priced=0)], "EUR"
    )
    assert (figures.total, figures.cost, figures.unpriced) == (5, Decimal("0.20"), 3)


def test_the_currency_is_that_of_most_sessions():
    assert (
        summary.main_currency([group(currency="USD", priced=2), group(priced=3), group(currency="", priced=0)]) == "EUR"
    )


def test_an_error_is_what_failed_on_our_side_or_the_providers():
    assert {EndReason.INTERNAL_ERROR, EndReason.UPSTREAM_TIMEOUT, EndReason.SERVER_LOST} <= summary.ERRORS
    assert not summary.ERRORS & {EndReason.CLIENT_HANGUP, EndReason.DISABLED, EndReason.SERVER_DRAIN, EndReason.IDLE}
    figures = summary.sessions([group(end_reason="internal_error"), group(sessions=3)], "EUR")
    assert figures.error_rate == 0.25


def test_those_that_go_on_have_not_ended():
    groups = [group(end_reason=""), group(sessions=2), group(end_reason="client_hangup", sessions=5)]
    assert summary.end_reasons(groups) == [("client_hangup", 5), ("idle", 2)]


def test_a_long_range_is_shown_by_week_and_each_step_once():
    assert summary.step_for(date(2026, 9, 1), date(2026, 11, 28)) is Step.DAY
    assert summary.step_for(date(2025, 11, 29), date(2026, 11, 28)) is Step.WEEK
    assert summary.steps(DAY, date(2026, 11, 4), Step.DAY) == [date(2026, 11, n) for n in (2, 3, 4)]
    assert summary.steps(date(2026, 11, 4), date(2026, 11, 16), Step.WEEK) == [date(2026, 11, n) for n in (2, 9, 16)]
