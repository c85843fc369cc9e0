"""What the database is asked for the statistics. It adds up; what comes back is small, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, F, Min, Q, Sum, Value
from django.db.models.fields import DateTimeField
from django.db.models.functions import Coalesce

from voice.figures import Window, begun
from voice.models import VoiceSession, VoiceTurn
from voice.statistics.expressions import Seconds, Step, period

BUCKET_MS = 20
"""Width of a histogram's buckets: percentiles are exact to it, on every database. 800 ms is a bucket's edge."""
TOP = 10
"""Users that are listed."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions that have the first four in common, added up.

    ``spent`` is the cost of ``priced`` of them; of the others it is unknown. ``end_reason`` is empty while they go on.
    """

    begins: date
    provider: str
    end_reason: str
    currency: str
    sessions: int
    seconds: float
    spent: Decimal
    priced: int
    hit: int
    late: int
    superseded: int
    failed: int
    none: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """``turns`` answered between ``ms`` and ``ms`` + :data:`BUCKET_MS` after the end of speech."""

    begins: date
    ms: int
    turns: int


@dataclass(frozen=True, slots=True)
class Spender:
    """What somebody's conversations cost. ``name`` is empty if the account is deleted."""

    user_id: Any
    name: str
    sessions: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Amount:
    """Conversations that began in some time, and what was spoken of them in it."""

    sessions: int
    seconds: float


def sessions(window: Window, step: Step, now: datetime) -> list[Group]:
    """The sessions that began in ``window``. Those that go on have lasted until ``now``."""
    groups = (
        begun(window)
        .annotate(begins=period("started_at", window, step))
        .values("begins", "provider", "end_reason", "currency")
        .annotate(
            sessions=Count("pk"),
            seconds=Sum(_spoken(now), default=0.0),
            spent=Sum("cost", default=Decimal(0)),
            priced=Count("cost"),
            hit=Sum("searches_hit"),
            late=Sum("searches_late"),
            superseded=Sum("searches_superseded"),
            failed=Sum("searches_failed"),
            none=Sum("searches_none"),
        )
        .order_by("begins")
    )
    return [Group(**row) for row in groups]


def first_audio(window: Window, step: Step, provider: str = "") -> list[Bucket]:
    """A histogram for each step, of the turns in ``window`` that were answered."""
    answered = VoiceTurn.objects.filter(
        created_at__gte=window.since, created_at__lt=window.until, first_audio_ms__gte=0
    ).order_by()
    if provider:
        answered = answered.filter(session__provider=provider)
    rows = (
        answered.annotate(
            begins=period("created_at", window, step), ms=F("first_audio_ms") - F("first_audio_ms") % BUCKET_MS
        )
        .values("begins", "ms")
        .annotate(turns=Count("pk"))
    )
    return [Bucket(**row) for row in rows]


def spenders(window: Window, provider: str, currency: str) -> list[Spender]:
    """Those whose conversations cost most, in ``currency``."""
    spent = begun(window).filter(currency=currency, cost__gt=0)
    if provider:
        spent = spent.filter(provider=provider)
    rows = list(
        spent.values("user_id").annotate(spent=Sum("cost"), sessions=Count("pk")).order_by("-spent", "user_id")[:TOP]
    )
    names = _names(row["user_id"] for row in rows)
    return [Spender(row["user_id"], names.get(row["user_id"], ""), row["sessions"], row["spent"]) for row in rows]


def amounts(windows: list[Window], now: datetime) -> list[Amount]:
    """For each of ``windows``, in one query. Those that go on have lasted until ``now``."""
    asked: dict[str, Any] = {}
    for n, window in enumerate(windows):
        within = Q(started_at__gte=window.since, started_at__lt=window.until)
        asked[f"sessions_{n}"] = Count("pk", filter=within)
        asked[f"seconds_{n}"] = Sum(_spoken(now), filter=within, default=0.0)
    whole = Window(min(w.since for w in windows), max(w.until for w in windows))
    row = begun(whole).aggregate(**asked)
    return [Amount(row[f"sessions_{n}"], row[f"seconds_{n}"]) for n in range(len(windows))]


def live(now: datetime) -> tuple[int, timedelta]:
    """How many conversations go on, and for how long the oldest has."""
    row = VoiceSession.objects.filter(ended_at=None).aggregate(sessions=Count("pk"), oldest=Min("started_at"))
    return row["sessions"], now - row["oldest"] if row["oldest"] else timedelta()


def _spoken(now: datetime) -> Seconds:
    return Seconds(F("ready_at"), Coalesce("ended_at", Value(now, DateTimeField())))


def _names(ids: Iterable[Any]) -> dict[Any, str]:
    users = get_user_model()._default_manager.filter(pk__in=[pk for pk in ids if pk is not None])
    return {user.pk: user.get_username() for user in users}
