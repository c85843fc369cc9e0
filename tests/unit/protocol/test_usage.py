"""What a provider says that it will bill, and what of it is believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.usage import MOST_TOKENS, UNKNOWN, Bills, Usage, read

BLOCK: dict[str, Any] = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 100,
        "audio_tokens": 32,
        "cached_tokens": 70,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 6},
    },
    "output_token_details": {"text_tokens": 21, "audio_tokens": 100},
}


def block(**changed: Any) -> dict[str, Any]:
    return {**BLOCK, **changed}


def given_in(**changed: Any) -> dict[str, Any]:
    return block(input_token_details={**BLOCK["input_token_details"], **changed})


def test_a_complete_block_is_taken_as_it_is():
    assert read(BLOCK) == Usage(100, 64, 32, 6, 21, 100)
    assert read(BLOCK).tokens == 253


def test_a_transcript_is_billed_by_its_length():
    assert read({"type": "duration", "seconds": 3.2}) == Usage(milliseconds=3200)


def test_a_transcript_may_be_billed_by_tokens():
    usage = read(
        {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 14, "cached_tokens": 0},
            "output_tokens": 5,
            "output_token_details": {"text_tokens": 5},
        }
    )
    assert usage == Usage(audio_in=14, text_out=5)


@pytest.mark.parametrize("seconds", [None, "3", -1, True, float("nan"), float("inf"), 86_401, 10**400])
def test_a_length_that_cannot_be_is_not_counted(seconds):
    assert read({"type": "duration", "seconds": seconds}) == UNKNOWN


@pytest.mark.parametrize("nothing", [None, [], "usage", 7, {}])
def test_a_block_that_says_nothing_is_unknown(nothing):
    assert read(nothing) == UNKNOWN


def test_without_details_all_counts_as_the_dearest_kind():
    usage = read({"input_tokens": 132, "output_tokens": 121})
    assert usage == Usage(audio_in=132, audio_out=121, estimated=True)


def test_what_no_detail_explains_counts_as_audio():
    usage = read(block(input_tokens=140))  # eight tokens of some new kind
    assert (usage.text_in, usage.audio_in, usage.estimated) == (100, 40, True)


def test_details_of_more_than_the_total_are_believed_and_flagged():
    usage = read(block(input_tokens=5))
    assert (usage.text_in, usage.audio_in, usage.estimated) == (100, 32, True)


def test_a_cache_of_an_unknown_kind_counts_as_no_cache():
    usage = read(given_in(cached_tokens_details=None))
    assert (usage.text_cached, usage.audio_cached, usage.estimated) == (0, 0, True)


def test_a_cache_that_was_not_used_needs_no_details():
    usage = read(given_in(cached_tokens_details=None, cached_tokens=0))
    assert (usage.text_cached, usage.audio_cached, usage.estimated) == (0, 0, False)


def test_what_is_cached_is_part_of_what_went_in():
    usage = read(given_in(cached_tokens_details={"text_tokens": 500, "audio_tokens": 6}))
    assert (usage.text_cached, usage.audio_cached, usage.estimated) == (100, 6, True)


@pytest.mark.parametrize("absurd", [-1, "32", True, 3.5, MOST_TOKENS + 1, [], {}])
def test_a_count_that_cannot_be_is_not_counted(absurd):
    usage = read(given_in(audio_tokens=absurd))
    assert (usage.text_in, usage.audio_in) == (100, 32)  # the total says that something else was there
    assert usage.estimated
    assert read(block(input_tokens=absurd)) == Usage(100, 64, 32, 6, 21, 100, estimated=True)


COUNTS = st.integers(0, MOST_TOKENS)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["text_tokens", "x"]), inner),
    max_leaves=4,
)
NAMES = ["type", "seconds", "input_tokens", "output_tokens", "input_token_details", "output_token_details"]
DETAIL_NAMES = ["text_tokens", "audio_tokens", "cached_tokens", "cached_tokens_details"]
DETAILS = st.dictionaries(st.sampled_from(DETAIL_NAMES), COUNTS | ANYTHING)
ANY_BLOCK = st.dictionaries(st.sampled_from(NAMES), COUNTS | DETAILS | ANYTHING) | ANYTHING


@given(ANY_BLOCK)
def test_whatever_is_said_the_figures_make_sense(said):
    usage = read(said)
    assert 0 <= usage.text_cached <= usage.text_in <= MOST_TOKENS
    assert 0 <= usage.audio_cached <= usage.audio_in <= MOST_TOKENS * 2
    assert 0 <= usage.text_out <= MOST_TOKENS
    assert 0 <= usage.audio_out <= MOST_TOKENS * 2
    assert 0 <= usage.milliseconds <= 86_400_000


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.data())
def test_a_consistent_block_is_exact_and_any_missing_part_makes_no_figure_smaller(text_in, audio_in, text, audio, data):
    text_cached, audio_cached = data.draw(st.integers(0, text_in)), data.draw(st.integers(0, audio_in))
    said: dict[str, Any] = {
        "input_tokens": text_in + audio_in,
        "output_tokens": text + audio,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "cached_tokens": text_cached + audio_cached,
            "cached_tokens_details": {"text_tokens": text_cached, "audio_tokens": audio_cached},
        },
        "output_token_details": {"text_tokens": text, "audio_tokens": audio},
    }
    if max(text_in + audio_in, text + audio) > MOST_TOKENS:
        return
    exact = read(said)
    assert exact == Usage(text_in, text_cached, audio_in, audio_cached, text, audio)
    lacking = dict(said)
    del lacking[data.draw(st.sampled_from(["input_token_details", "output_token_details"]))]
    guessed = read(lacking)
    assert guessed.tokens == exact.tokens
    assert guessed.audio_in + guessed.audio_out >= exact.audio_in + exact.audio_out
    assert guessed.text_cached <= exact.text_cached
    assert guessed.audio_cached <= exact.audio_cached
    assert guessed == exact or guessed.estimated


@given(st.lists(st.tuples(st.sampled_from(["resp_1", "resp_2", "item_1"]), st.sampled_from(["a", "b"]), COUNTS)))
def test_each_bill_is_counted_once_and_under_its_model(bills):
    counted, first = Bills(), {}
    for bill_id, model, text_in in bills:
        counted.add(bill_id, model, Usage(text_in=text_in))
        first.setdefault(bill_id, (model, text_in))
    for model in ("a", "b"):
        expected = sum(text_in for paid, text_in in first.values() if paid == model)
        assert counted.by_model.get(model, Usage()).text_in == expected


def test_a_sum_is_estimated_if_any_part_is():
    bills = Bills()
    bills.add("resp_1", "a", Usage(text_in=1))
    assert not bills.estimated
    bills.add("resp_2", "a", UNKNOWN)
    bills.add("resp_3", "b", Usage(text_in=1))
    assert bills.estimated
    assert bills.by_model["a"] == Usage(text_in=1, estimated=True)
