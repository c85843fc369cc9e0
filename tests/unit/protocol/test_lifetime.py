"""A session's time: a warning, then the end; or a silence, which is the end without one."""

from __future__ import annotations

import pytest

from voice.protocol.lifetime import Lifetime
from voice.protocol.outcomes import EndReason


@pytest.fixture
def lifetime() -> Lifetime:
    """Ten minutes, which began at the thousandth second."""
    made = Lifetime(seconds=600, expiring_seconds=30, idle_seconds=60)
    made.begin(1_000)
    return made


def test_its_end_is_told_once_before_it_comes(lifetime):
    for now in range(1_000, 1_570, 10):
        lifetime.word(now)
    assert lifetime.wait(1_569) == 1
    assert lifetime.look(1_570, speaking=True) == 30
    assert lifetime.look(1_580, speaking=True) is None
    assert lifetime.wait(1_590) == 10
    assert lifetime.look(1_600, speaking=True) is EndReason.MAX_DURATION


def test_after_a_pause_what_is_left_is_told(lifetime):
    lifetime.word(1_585)
    assert lifetime.look(1_590, speaking=False) == 10


def test_a_pause_beyond_its_end_leaves_nothing_to_be_told(lifetime):
    assert lifetime.wait(1_700) == 0
    assert lifetime.look(1_700, speaking=False) is EndReason.MAX_DURATION


def test_a_minute_without_a_word_is_the_last(lifetime):
    assert lifetime.wait(1_020) == 40
    assert lifetime.look(1_059.9, speaking=False) is None
    assert lifetime.look(1_060, speaking=False) is EndReason.IDLE


def test_a_word_begins_the_minute_anew(lifetime):
    lifetime.word(1_020)
    assert lifetime.look(1_060, speaking=False) is None
    assert lifetime.wait(1_060) == 20
    assert lifetime.look(1_080, speaking=False) is EndReason.IDLE


def test_the_minute_begins_when_an_exchange_that_goes_on_is_over(lifetime):
    assert lifetime.look(1_060, speaking=True) is None
    assert lifetime.wait(1_060) == 60
    assert lifetime.look(1_119, speaking=False) is None
    assert lifetime.look(1_120, speaking=False) is EndReason.IDLE


def test_what_is_said_before_it_begins_is_not_of_it():
    lifetime = Lifetime(seconds=600, expiring_seconds=30, idle_seconds=60)
    lifetime.word(7)
    lifetime.begin(1_000)
    assert lifetime.age(1_012) == 12
    assert lifetime.wait(1_000) == 60
