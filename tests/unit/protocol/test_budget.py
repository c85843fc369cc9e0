"""A session's money: a warning, then the end."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.budget import NOTICE_SECONDS, Budget, Budgets

AMOUNTS = st.decimals(0, 10, places=4)


def test_without_a_budget_nothing_is_ever_spent():
    budget = Budget(None)
    assert budget.spend(Decimal(1_000), 10) is None
    assert not budget.is_spent


def test_the_visitor_is_told_when_the_money_is_good_for_another_minute():
    budget = Budget(Decimal("1.00"))
    assert budget.spend(Decimal("0.20"), 60) is None  # good for four minutes at this pace
    assert budget.spend(Decimal("0.40"), 120) is None
    assert budget.spend(Decimal("0.60"), 180) is None
    assert budget.spend(Decimal("0.80"), 240) == 60
    assert not budget.is_spent
    assert budget.spend(Decimal("1.00"), 300) is None  # told once
    assert budget.is_spent


def test_the_visitor_is_told_when_the_next_answer_could_be_the_last():
    budget = Budget(Decimal("1.00"))
    assert budget.spend(Decimal("0.60"), 400) == 266
    assert not budget.is_spent


def test_one_answer_may_cost_it_all():
    budget = Budget(Decimal("0.10"))
    assert budget.spend(Decimal("0.30"), 8) == 0
    assert budget.is_spent


def test_an_unknown_cost_ends_no_session():
    budget = Budget(Decimal("0.10"))
    assert budget.spend(None, 8) is None
    assert not budget.is_spent


@given(AMOUNTS.filter(bool), st.lists(AMOUNTS, max_size=20))
def test_nobody_is_cut_off_unwarned_and_nobody_is_warned_twice(allowance, answers):
    budget, spent, warnings = Budget(allowance), Decimal(0), 0
    for n, cost in enumerate(answers, 1):
        spent += cost
        warning = budget.spend(spent, 10.0 * n)
        warnings += warning is not None
        assert budget.is_spent == (spent >= allowance)
        assert warnings or not budget.is_spent
    assert warnings <= 1
    assert NOTICE_SECONDS == 60


@pytest.mark.parametrize("wrong", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_budget_is_a_number_from_0_up(wrong):
    with pytest.raises(ValueError, match="user_day must be a number from 0 up"):
        Budgets(user_day=wrong)
