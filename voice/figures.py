"""The figures of a stretch of time, added up by the database: sessions, turns, how soon answers came, refusals.

Eight queries, each over an index, whatever the number of rows. Nothing here is about a person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from voice.models import VoiceRefusal, VoiceSession, VoiceTurn

SHARES = (50, 95)
"""Percentiles that are told."""


@dataclass(frozen=True, slots=True)
class Window:
    """From ``since``, and before ``until``."""

    since: datetime
    until: datetime


def begun(window: Window) -> QuerySet[VoiceSession]:
    """The sessions that began in it."""
    return VoiceSession.objects.filter(started_at__gte=window.since, started_at__lt=window.until).order_by()


def live() -> int:
    """Conversations that are going on."""
    return VoiceSession.objects.filter(ended_at=None).count()


def sessions(window: Window) -> dict[str, Any]:
    """Of the sessions that were begun: how many, how many were ready, minutes spoken, and how they ended."""
    groups = (
        begun(window)
        .values("end_reason")
        .annotate(
            started=Count("pk"),
            ready=Count("ready_at"),
            spoken=Sum(Coalesce("ended_at", window.until) - F("ready_at"), filter=Q(ready_at__lt=window.until)),
        )
    )
    rows = list(groups)
    spoken: timedelta = sum((row["spoken"] or timedelta() for row in rows), timedelta())
    return {
        "started": sum(row["started"] for row in rows),
        "ready": sum(row["ready"] for row in rows),
        "minutes": round(spoken.total_seconds() / 60, 1),
        "ended": {row["end_reason"]: row["started"] for row in rows if row["end_reason"]},
    }


def cost(window: Window) -> dict[str, Any]:
    """Of the sessions that were begun: the sum in millionths, by currency, and of how many it is not known."""
    groups = begun(window).values("currency").annotate(total=Sum("cost"), unknown=Count("pk", filter=Q(cost=None)))
    rows = list(groups)
    return {
        "micros": {
            row["currency"]: round(row["total"] * 1_000_000) for row in rows if row["currency"] and row["total"]
        },
        "unknown": sum(row["unknown"] for row in rows),
    }


def turns(window: Window) -> dict[str, Any]:
    """Of the turns: how many, by their outcome, and of how many the context was there in advance."""
    groups = _turns(window).values("outcome").annotate(total=Count("pk"), early=Count("pk", filter=Q(prefetched=True)))
    rows = list(groups)
    return {
        "total": sum(row["total"] for row in rows),
        "prefetched": sum(row["early"] for row in rows),
        "outcomes": {row["outcome"]: row["total"] for row in rows},
    }


def first_audio(window: Window) -> dict[str, int | None]:
    """How soon the answers came: of how many turns that is known, and percentiles of it (ms, nearest rank)."""
    known = _turns(window).filter(first_audio_ms__isnull=False)
    total = known.count()
    ordered = known.order_by("first_audio_ms").values_list("first_audio_ms", flat=True)
    return {"turns": total} | {f"p{share}": ranked(ordered, total, share) for share in SHARES}


def refusals(window: Window) -> dict[str, int]:
    """How many were refused, by reason. Whole hours: that in which the window begins counts as a whole."""
    hour = window.since.replace(minute=0, second=0, microsecond=0)
    rows = VoiceRefusal.objects.filter(hour__gte=hour, hour__lt=window.until)
    return dict(rows.values_list("reason").annotate(Sum("count")).order_by("reason"))


def ranked(ordered: Any, total: int, share: int) -> int | None:
    """The percentile ``share`` of ``total`` values in their order, by the nearest rank; ``None`` of none."""
    rank = math.ceil(total * share / 100)
    return ordered[rank - 1] if total else None


def _turns(window: Window) -> QuerySet[VoiceTurn]:
    return VoiceTurn.objects.filter(created_at__gte=window.since, created_at__lt=window.until).order_by()
