"""A year of plausible conversations, made quickly: weekdays are busier, some days are bad, a few things go wrong.

Deterministic: the same seed makes the same year before the same instant.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from voice.models import VoiceRefusal, VoiceSession, VoiceTurn

DAYS = 365
BATCH = 2_000
ENDS = {
    "client_hangup": 62, "idle": 21, "client_lost": 6, "max_duration": 4, "concurrent": 2.5, "upstream_timeout": 1,
    "upstream_closed": 0.8, "internal_error": 0.4, "disabled": 0.5, "server_drain": 0.8, "server_lost": 0.2,
    "slow_client": 0.8,
}  # fmt: skip
REFUSALS = {"rate_limited": 20, "unauthenticated": 9, "not_in_rollout": 14, "overloaded": 2, "forbidden_origin": 1}
NAMES = ["amelie", "bruno", "camille", "david", "elise", "farid", "gaelle", "hugo", "ines", "jules", "karim", "lea"]
TITLES = ["Opening hours, harbour shop", "Horaires du magasin du port", "Renting a cargo bike", "Réparer une crevaison"]
PRICE = {"openai": Decimal("0.0016"), "local": Decimal(0)}
"""Per second."""


def make(sessions: int, *, until: datetime, live: int = 3, seed: int = 7) -> None:
    """Store ``sessions`` of the year before ``until``, their turns, and the refusals. ``live`` of them go on."""
    random_ = random.Random(seed)
    users = _users()
    rows = (_session(random_, users, _start(random_, until, n, sessions, live), n < live) for n in range(sessions))
    while batch := list(islice(rows, BATCH)):
        VoiceSession.objects.bulk_create([session for session, _ in batch])
        VoiceTurn.objects.bulk_create([turn for _, turns in batch for turn in turns], batch_size=BATCH)
    VoiceRefusal.objects.bulk_create(_refusals(random_, until, sessions), batch_size=BATCH)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # else it plans for the empty tables that it knows, for minutes
            cursor.execute("ANALYZE")


def multiply(times: int, *, years: bool = False) -> None:
    """Store each session and turn that :func:`make` has made as often as that: at its time, or each a year earlier.

    The database copies them by itself, which takes a tenth of the time that making them does.
    """
    with connection.cursor() as cursor:
        for n in range(1, times):
            days = n * DAYS if years else 0
            cursor.execute(_copies(VoiceSession, n, days, server=f"'web-{n + 1}'"), [_MADE])
            cursor.execute(_copies(VoiceTurn, n, days), [_MADE])
        cursor.execute("ANALYZE")


_MADE = "web-1:412"


def _copies(model: Any, n: int, days: int, **values: str) -> str:
    """The statement that copies the rows that were made, under other ids."""
    selected = dict(values)
    for field in model._meta.concrete_fields:
        if field.name in ("id", "session") and field.get_internal_type() != "BigAutoField":
            selected[field.column] = _other_id(field.column, n)
        elif days and field.get_internal_type() == "DateTimeField":
            selected[field.column] = _earlier(field.column, days)
        elif field.get_internal_type() != "BigAutoField":
            selected.setdefault(field.column, f'"{field.column}"')
    table, sessions = model._meta.db_table, VoiceSession._meta.db_table
    key = "id" if model is VoiceSession else "session_id"
    into, columns = ", ".join(f'"{column}"' for column in selected), ", ".join(selected.values())
    made = f'SELECT "id" FROM "{sessions}" WHERE "server" = %s'  # noqa: S608
    return f'INSERT INTO "{table}" ({into}) SELECT {columns} FROM "{table}" WHERE "{key}" IN ({made})'  # noqa: S608


def _other_id(column: str, n: int) -> str:
    """With the first eight digits replaced."""
    if connection.vendor == "postgresql":
        return f"""('f{n:07x}' || substr("{column}"::text, 9))::uuid"""
    return f"""'f{n:07x}' || substr("{column}", 9)"""


def _earlier(column: str, days: int) -> str:
    if connection.vendor == "postgresql":
        return f""""{column}" - interval '{days} days'"""
    return f"""strftime('%%Y-%%m-%%d %%H:%%M:%%f', "{column}", '-{days} days')"""


def _users() -> list[Any]:
    model = get_user_model()
    model.objects.bulk_create([model(username=name, password="!") for name in NAMES], ignore_conflicts=True)
    return list(model.objects.filter(username__in=NAMES).order_by("pk"))


def _start(random_: random.Random, until: datetime, n: int, sessions: int, live: int) -> datetime:
    """Ever more of them, fewer at weekends and at night. The first ``live`` began just now."""
    if n < live:
        return until - timedelta(seconds=random_.uniform(10, 400))
    while True:
        at = until - timedelta(days=DAYS * (1 - math.sqrt(random_.random())), seconds=600)
        busy = (0.35 if at.weekday() >= 5 else 1.0) * (0.15 + 0.85 * math.sin(math.pi * at.hour / 24) ** 2)
        if random_.random() < busy:
            return at


def _session(
    random_: random.Random, users: list[Any], began: datetime, goes_on: bool
) -> tuple[VoiceSession, list[VoiceTurn]]:
    provider = "openai" if random_.random() < 0.8 else "local"
    seconds = min(600.0, random_.lognormvariate(4.3, 0.7))
    reason = random_.choices(list(ENDS), list(ENDS.values()))[0]
    bad = began.timetuple().tm_yday % 53 == 0
    if bad and random_.random() < 0.25:
        reason = "upstream_unavailable"
    session = VoiceSession(
        id=uuid.UUID(int=random_.getrandbits(128), version=4),
        user=users[min(int(random_.expovariate(0.35)), len(users) - 1)],
        provider=provider,
        model="gpt-realtime" if provider == "openai" else "",
        language=random_.choice(["en", "fr", "fr"]),
        started_at=began,
        ready_at=began + timedelta(milliseconds=400),
        seen_at=began,
        ended_at=None if goes_on else began + timedelta(seconds=seconds),
        end_reason="" if goes_on else reason,
        server=_MADE,
        client="ticket",
        mic_frames=int(seconds * 25),
        mic_ms=int(seconds * 1000),
        cost=round(PRICE[provider] * Decimal(seconds), 6),
        currency="EUR",
        price_version="2026-11",
    )
    turns = [_turn(random_, session, number, bad) for number in range(1, 2 + int(seconds / 40))]
    _count(session, turns)
    return session, turns


def _turn(random_: random.Random, session: VoiceSession, number: int, bad: bool) -> VoiceTurn:
    spoke = random_.randint(1_400, 5_200)
    search = random_.randint(700, 1_300)
    context = search + int(random_.lognormvariate(5.3, 0.6))
    if random_.random() < (0.2 if bad else 0.04):
        context += random_.randint(2_000, 5_000)  # Weaviate was slow
    added = max(0, min(200, context - spoke))
    requested = spoke + 20 + added
    audio = requested + int(random_.lognormvariate(6.25 if bad else 5.95, 0.3 if bad else 0.22))
    in_time = context <= requested
    ended = audio + random_.randint(2_500, 9_000)
    marks = {
        "speech_started": 0, "first_partial": search - 300, "search_started": search, "context_ready": context,
        "speech_stopped": spoke, "committed": spoke + 12, "response_requested": requested,
        "response_started": requested + 90, "first_audio": audio, "first_heard": audio + 60, "ended": ended,
    }  # fmt: skip
    searches = {"hit" if in_time else "late": 1} | ({"superseded": 1} if random_.random() < 0.45 else {})
    return VoiceTurn(
        session=session,
        number=number,
        outcome=random_.choices(["completed", "interrupted", "failed"], [85, 14, 1])[0],
        searches=searches,
        marks=dict(sorted(marks.items(), key=lambda mark: mark[1])),
        context_ms=context - spoke,
        requested_ms=requested - spoke,
        first_audio_ms=audio - spoke,
        heard_ms=audio + 60 - spoke,
        prefetched=context < spoke,
        context_confirmed=True,
        sources=[{"title": random_.choice(TITLES), "url": "/help/opening-hours-harbour/"}],
        created_at=session.started_at + timedelta(seconds=min(590, 20 * number)),
    )


def _count(session: VoiceSession, turns: list[VoiceTurn]) -> None:
    session.turns_count = len(turns)
    session.interruptions = sum(turn.outcome == "interrupted" for turn in turns)
    for outcome in ("hit", "late", "superseded"):
        setattr(session, f"searches_{outcome}", sum(turn.searches.get(outcome, 0) for turn in turns))


def _refusals(random_: random.Random, until: datetime, sessions: int) -> Iterator[VoiceRefusal]:
    hour = until.replace(minute=0, second=0, microsecond=0)
    for n in range(0, DAYS * 24, 6):
        for reason, often in REFUSALS.items():
            count = int(random_.expovariate(1) * often * sessions / 20_000)
            if count:
                yield VoiceRefusal(hour=hour - timedelta(hours=n), reason=reason, count=count)
