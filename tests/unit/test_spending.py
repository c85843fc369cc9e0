"""What a day's conversations cost, and what one more may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from voice import spending
from voice.models import VoiceSession
from voice.protocol.budget import Budgets
from voice.spending import SpentToday, allowance

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr(spending.timezone, "now", lambda: NOON)


def cost(user, amount: str | None, *, hours_ago: float = 1, currency: str = "USD") -> None:
    VoiceSession.objects.create(
        user=user,
        provider="fake",
        started_at=NOON - timedelta(hours=hours_ago),
        cost=None if amount is None else Decimal(amount),
        currency=currency,
    )


def test_without_budgets_a_session_may_cost_anything(visitor):
    cost(visitor, "1000")
    assert allowance(visitor.pk, Budgets(), "USD") is None


def test_the_smallest_of_what_is_left_counts(visitor, django_user_model):
    other = django_user_model.objects.create_user("other")
    cost(visitor, "1.25")
    cost(other, "2.00")
    assert allowance(visitor.pk, Budgets(session=Decimal(1)), "USD") == 1
    assert allowance(visitor.pk, Budgets(session=Decimal(1), user_day=Decimal(2)), "USD") == Decimal("0.75")
    assert allowance(visitor.pk, Budgets(site_day=Decimal("3.50"), user_day=Decimal(2)), "USD") == Decimal("0.25")


def test_a_used_up_day_says_when_the_next_one_begins(visitor):
    cost(visitor, "2.00")
    twelve_hours = 12 * 3_600_000
    assert allowance(visitor.pk, Budgets(user_day=Decimal(2)), "USD") == SpentToday(twelve_hours)
    assert allowance(None, Budgets(site_day=Decimal("1.99")), "USD") == SpentToday(twelve_hours)


def test_yesterday_other_currencies_and_unknown_costs_do_not_count(visitor):
    cost(visitor, "5", hours_ago=12.1)
    cost(visitor, "5", currency="EUR")
    cost(visitor, None)
    assert allowance(visitor.pk, Budgets(user_day=Decimal(2)), "USD") == 2


def test_the_day_is_the_sites_own_also_when_its_clocks_change(visitor):
    """On that Sunday Paris had 23 hours, and noon in London was two in the afternoon there."""
    with timezone.override("Europe/Paris"):
        cost(visitor, "1", hours_ago=12.9)  # 0:06 in Paris, which was 23:06 UTC
        cost(visitor, "1", hours_ago=13.1)
        assert allowance(visitor.pk, Budgets(user_day=Decimal(2)), "USD") == 1
        cost(visitor, "1")
        assert allowance(visitor.pk, Budgets(user_day=Decimal(2)), "USD") == SpentToday(10 * 3_600_000)
