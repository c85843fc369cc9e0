"""What a day's conversations have cost, and what one more may cost.

The sums are the database's, of all processes, and hold what open sessions had cost at their last checkpoint. What
sessions that live at the same time spend afterwards is not known to each other: a day's budget can be passed by what
those cost that began before it was used up, at most a session's budget each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from voice.models import VoiceSession
from voice.protocol.budget import Budgets


@dataclass(frozen=True, slots=True)
class SpentToday:
    """A day's budget is used up."""

    retry_after_ms: int
    """Until the next day begins, in the site's time zone."""


def allowance(user_id: Any, budgets: Budgets, currency: str) -> Decimal | SpentToday | None:
    """What a new session of this user may cost; ``None``: anything. Blocking. Raises the database's errors."""
    midnight, tomorrow = _day(timezone.localtime())
    today = VoiceSession.objects.filter(started_at__gte=midnight, currency=currency)
    left = [budgets.session] if budgets.session else []
    if budgets.user_day:
        left.append(budgets.user_day - _spent(today.filter(user_id=user_id)))
    if budgets.site_day:
        left.append(budgets.site_day - _spent(today))
    if min(left, default=Decimal(1)) <= 0:
        return SpentToday(max(1, int((tomorrow - timezone.now()).total_seconds() * 1000)))
    return min(left, default=None)


def _spent(sessions: Any) -> Decimal:
    spent: Decimal | None = sessions.aggregate(spent=Sum("cost"))["spent"]
    return spent or Decimal(0)


def _day(now: datetime) -> tuple[datetime, datetime]:
    """When the day began, and when the next one does: 23 to 25 hours later."""
    zone = timezone.get_current_timezone()
    midnights = (datetime.combine(now.date() + timedelta(days=days), time.min, zone) for days in (0, 1))
    return next(midnights), next(midnights)
