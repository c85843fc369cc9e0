"""The circuit breaker: five failures open it, and after ten seconds one call finds out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.knowledge.weaviate.breaker import FAILURES, REST_SECONDS, Breaker

NOW = 1_000.0


@pytest.fixture
def opened() -> Breaker:
    """It opened at ``NOW``."""
    breaker = Breaker()
    for _ in range(FAILURES):
        assert breaker.admit(NOW)
        breaker.failed(NOW)
    return breaker


def test_its_numbers() -> None:
    """Five failures and ten seconds, as documented."""
    assert (FAILURES, REST_SECONDS) == (5, 10.0)


def test_four_failures_leave_it_closed() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(NOW)
    assert not breaker.open
    assert breaker.admit(NOW)


def test_the_fifth_opens_it(opened: Breaker) -> None:
    assert opened.open
    assert not opened.admit(NOW)


def test_only_failures_in_a_row_count() -> None:
    breaker = Breaker()
    for _ in range(10):
        for _ in range(4):
            breaker.failed(NOW)
        breaker.succeeded()
    assert not breaker.open


def test_it_refuses_until_ten_seconds_have_passed(opened: Breaker) -> None:
    assert not opened.admit(NOW + 9.999)
    assert opened.admit(NOW + 10)


def test_one_trial_at_a_time(opened: Breaker) -> None:
    assert opened.admit(NOW + 10)
    assert not opened.admit(NOW + 10)
    assert not opened.admit(NOW + 1_000)


def test_a_good_trial_closes_it(opened: Breaker) -> None:
    opened.admit(NOW + 10)
    opened.succeeded()
    assert not opened.open
    assert all(opened.admit(NOW + 10) for _ in range(10))


def test_after_a_good_trial_it_takes_five_failures_again(opened: Breaker) -> None:
    opened.admit(NOW + 10)
    opened.succeeded()
    opened.failed(NOW + 11)
    assert not opened.open


def test_a_bad_trial_starts_another_rest(opened: Breaker) -> None:
    opened.admit(NOW + 10)
    opened.failed(NOW + 12)
    assert not opened.admit(NOW + 21.9)
    assert opened.admit(NOW + 22)


def test_an_abandoned_trial_lets_another_begin(opened: Breaker) -> None:
    opened.admit(NOW + 10)
    opened.abandoned()
    assert opened.open
    assert opened.admit(NOW + 10)


def test_a_straggler_prolongs_no_rest(opened: Breaker) -> None:
    """A call that began before it opened fails late."""
    opened.failed(NOW + 9)
    assert opened.admit(NOW + 10)


def test_an_answer_closes_it_whoever_got_it(opened: Breaker) -> None:
    """A call that began before it opened is answered late."""
    opened.succeeded()
    assert opened.admit(NOW + 1)


@given(st.lists(st.sampled_from(["failed", "succeeded", "abandoned", "time"]), max_size=60))
def test_it_never_locks_up(events: list[str]) -> None:
    """Whatever happened: once the calls have ended and ten seconds have passed, a call is admitted."""
    breaker, now, admitted = Breaker(), NOW, 0
    for event in events:
        if event == "time":
            now += 3
            admitted += breaker.admit(now)
        elif admitted:
            admitted -= 1
            breaker.failed(now) if event == "failed" else getattr(breaker, event)()
    for _ in range(admitted):
        breaker.failed(now)
    assert breaker.admit(now + REST_SECONDS)
