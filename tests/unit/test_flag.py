"""The flag: two switches that must both be on, and a roll-out that always lets the same people in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voice.admission.flag import Flag, Live
from voice.admission.limits import Limits
from voice.admission.rollout import BUCKETS, Rollout, bucket
from voice.protocol.outcomes import EndReason

KEYS = st.integers(0, 10**9)
PERCENT = st.integers(0, 100)
FIRST_DAY = [2095, 1497, 5156, 45]


def user(pk: Any = 7, staff: bool = False, groups: tuple[int, ...] = ()) -> Any:
    held = SimpleNamespace(filter=lambda pk: SimpleNamespace(exists=lambda: pk in groups))
    return SimpleNamespace(pk=pk, is_staff=staff, groups=held)


def flag(master: bool = True, live: Live | None = None) -> Flag:
    return Flag(lambda: master, lambda: live or Live())


def asks_nobody() -> Live:
    raise AssertionError("the staff's switch was asked")


# -- the switches -------------------------------------------------------------------------------------------------


def test_both_switches_must_be_on():
    on = {(master, live): flag(master, Live(live)).enabled() for master in (True, False) for live in (True, False)}
    assert [switches for switches, result in on.items() if result] == [(True, True)]


def test_where_the_site_is_off_the_staffs_switch_is_not_even_asked():
    off = Flag(lambda: False, asks_nobody)
    assert not off.enabled()
    assert off.decide(user()) is EndReason.DISABLED


def test_the_switches_are_asked_at_each_decision():
    lives = iter([Live(True), Live(True), Live(False)])
    asked = Flag(lambda: True, lambda: next(lives))
    assert asked.decide(user()) is None
    assert asked.decide(user()) is EndReason.DISABLED


def test_off_is_told_apart_from_not_yet():
    nobody = Rollout(percent=0)
    assert flag(live=Live(True, nobody)).decide(user()) is EndReason.NOT_IN_ROLLOUT
    assert flag(live=Live(False, nobody)).decide(user()) is EndReason.DISABLED


def test_limits_of_the_staff_replace_those_of_the_settings_one_by_one():
    live = Live(limits={"sessions": 3, "sessions_per_user_per_hour": 0})
    assert flag(live=live).limits(Limits(idle_seconds=20)) == Limits(
        idle_seconds=20, sessions=3, sessions_per_user_per_hour=0
    )


# -- the roll-out -------------------------------------------------------------------------------------------------


@given(KEYS, PERCENT, PERCENT)
def test_raising_the_percentage_removes_nobody(pk, one, other):
    lower, higher = sorted((one, other))
    assert Rollout(higher).includes(user(pk)) or not Rollout(lower).includes(user(pk))


@given(KEYS)
def test_nobody_at_0_and_everybody_at_100(pk):
    assert not Rollout(0).includes(user(pk))
    assert Rollout(100).includes(user(pk))


def test_ten_percent_are_about_ten_percent():
    inside = sum(Rollout(10).includes(user(pk)) for pk in range(20_000))
    assert 1_800 < inside < 2_200  # five standard deviations


def test_a_user_is_in_the_same_bucket_for_ever():
    """A figure from this test's first day: another function would let other people in on its first day."""
    assert [bucket(str(pk)) for pk in range(4)] == FIRST_DAY
    assert all(0 <= bucket(str(pk)) < BUCKETS for pk in range(1_000))


def test_a_user_id_may_be_a_text():
    assert Rollout(100).includes(user("f2c1e0"))


def test_a_share_of_a_group_leaves_the_others_out():
    premium = Rollout(100, group=3)
    assert premium.includes(user(groups=(3,)))
    assert not premium.includes(user(groups=(4,)))
    assert not Rollout(0, group=3).includes(user(groups=(3,)))


def test_a_user_model_without_groups_has_no_members():
    assert not Rollout(100, group=3).includes(SimpleNamespace(pk=7))


def test_staff_are_let_in_where_that_was_decided():
    assert Rollout(0, staff=True).includes(user(staff=True))
    assert not Rollout(0, staff=True).includes(user())
    assert not Rollout(0).includes(user(staff=True))
