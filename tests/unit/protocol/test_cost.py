"""What usage costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.cost import LIST_PRICES, ModelPrice, Prices
from voice.protocol.usage import Usage

MINI = "gpt-realtime-2.1-mini"


def test_each_kind_has_its_price_and_cached_tokens_are_paid_once():
    usage = Usage(text_in=1000, text_cached=400, audio_in=600, audio_cached=100, text_out=50, audio_out=1200)
    expected = 600 * Decimal("0.60") + 400 * Decimal("0.06") + 500 * 10 + 100 * Decimal("0.30")
    expected += 50 * Decimal("2.40") + 1200 * 20
    assert Prices().cost({MINI: usage}) == expected / 1_000_000


def test_a_minute_of_listening_and_one_of_speaking_cost_what_the_provider_says():
    """1 token is 100 ms of the visitor's audio, or 50 ms of the answer's."""
    assert Prices().cost({"gpt-realtime-2.1": Usage(audio_in=600)}) == Decimal("0.0192")
    assert Prices().cost({"gpt-realtime-2.1": Usage(audio_out=1200)}) == Decimal("0.0768")
    assert Prices().cost({MINI: Usage(audio_in=600)}) == Decimal("0.006")
    assert Prices().cost({MINI: Usage(audio_out=1200)}) == Decimal("0.024")


def test_a_transcript_is_paid_by_the_minute_and_added():
    bills = {MINI: Usage(audio_in=600), "gpt-live-transcribe": Usage(milliseconds=90_000)}
    assert Prices().cost(bills) == Decimal("0.006") + Decimal("0.0255")


def test_an_unknown_model_makes_the_cost_unknown_and_not_nothing():
    assert Prices().cost({MINI: Usage(audio_in=600), "somebody-else's": Usage(text_in=1)}) is None


def test_a_measure_without_a_price_makes_the_cost_unknown():
    assert Prices().cost({"gpt-live-transcribe": Usage(audio_in=1)}) is None


def test_nothing_used_costs_nothing():
    assert Prices().cost({}) == 0


def test_a_dated_version_costs_what_its_model_costs():
    assert Prices().of("gpt-realtime-2.1-mini-2026-09-01") is LIST_PRICES[MINI]
    assert Prices().of("gpt-realtime-2.1-minimal") is None


def test_the_sites_own_prices_go_before_the_list():
    mine = ModelPrice(audio_in=Decimal(8))
    prices = Prices(version="contract-7", models={MINI: mine})
    assert prices.cost({MINI: Usage(audio_in=1_000_000)}) == 8
    assert prices.of("gpt-realtime-2") is LIST_PRICES["gpt-realtime-2"]


def test_costs_are_told_in_the_sites_currency():
    prices = Prices(currency="EUR", rate=Decimal("0.85"))
    assert prices.cost({MINI: Usage(audio_in=600)}) == Decimal("0.0051")


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_costs_are_exact_so_their_order_and_grouping_do_not_matter(one, two, out):
    prices = Prices()
    apart = [Usage(audio_in=one), Usage(audio_in=two), Usage(audio_out=out)]
    together = prices.cost({MINI: sum(apart, Usage())})
    assert together == sum(prices.cost({MINI: usage}) for usage in apart)


@pytest.mark.parametrize(
    "wrong",
    [{"currency": "euro"}, {"rate": Decimal(0)}, {"rate": Decimal("NaN")}, {"version": ""}, {"version": "x" * 33}],
)
def test_a_table_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        Prices(**wrong)


def test_a_price_below_nothing_is_refused():
    with pytest.raises(ValueError, match="audio_in must be a number from 0 up"):
        ModelPrice(audio_in=Decimal(-1))
