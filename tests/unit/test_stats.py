"""``GET /v1/voice/stats``: who may see the figures, and that they are right."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voice import figures, turned_away
from voice.models import VoiceSession, VoiceTurn
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.tokens import access_token, mint

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/v1/voice/stats"


@pytest.fixture
def operator(client: Client, staff: Any) -> Client:
    """A browser in which staff are logged in."""
    client.force_login(staff)
    return client


def session(age: timedelta = timedelta(minutes=30), *, minutes: float | None = 2, reason: str = "idle") -> VoiceSession:
    """One that began ``age`` ago; without ``minutes`` it goes on."""
    began = timezone.now() - age
    ended = None if minutes is None else began + timedelta(minutes=minutes)
    return VoiceSession.objects.create(
        provider="local", started_at=began, ready_at=began, ended_at=ended, end_reason=reason if ended else ""
    )


def turn(of: VoiceSession, number: int, waited: int | None, outcome: TurnOutcome = TurnOutcome.COMPLETED) -> None:
    VoiceTurn.objects.create(
        session=of,
        number=number,
        outcome=outcome.value,
        first_audio_ms=waited,
        prefetched=number % 2 == 0,
    )


def refused(response: Any, status: int, code: str) -> None:
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    assert response.json()["error"]["code"] == code
    assert set(response.json()["error"]) == {"code", "message", "retry_after_ms"}


def test_staff_see_the_last_day(operator):
    response = operator.get(URL)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    body = response.json()
    since, until = (parse_datetime(body["window"][name]) for name in ("from", "to"))
    assert until - since == timedelta(hours=24)
    assert body == {
        "enabled": False,
        "window": {"hours": 24, "from": body["window"]["from"], "to": body["window"]["to"]},
        "live": 0,
        "sessions": {"started": 0, "ready": 0, "minutes": 0.0, "ended": {}},
        "cost": {"micros": {}, "unknown": 0},
        "turns": {"total": 0, "prefetched": 0, "outcomes": {}},
        "first_audio_ms": {"turns": 0, "p50": None, "p95": None},
        "refusals": {},
    }


def test_sessions_are_added_up_within_the_window(operator):
    session(minutes=2, reason="idle")
    session(minutes=3, reason="client_hangup")
    session(timedelta(minutes=1), minutes=None)
    session(timedelta(hours=30), minutes=5)
    never_ready = session(minutes=1, reason="upstream_timeout")
    VoiceSession.objects.filter(pk=never_ready.pk).update(ready_at=None)
    body = operator.get(URL).json()
    assert body["live"] == 1
    assert body["sessions"]["ended"] == {"idle": 1, "client_hangup": 1, "upstream_timeout": 1}
    assert (body["sessions"]["started"], body["sessions"]["ready"]) == (4, 3)
    assert body["sessions"]["minutes"] == pytest.approx(6.0, abs=0.2), "2 and 3, and the one that goes on"
    assert operator.get(URL, {"hours": "31"}).json()["sessions"]["started"] == 5


def test_costs_are_added_up_by_currency_and_what_is_not_known_is_told(operator):
    for currency, cost in (("EUR", "0.123456"), ("EUR", "1.5"), ("USD", "2"), ("", "0"), ("EUR", None)):
        of = session()
        VoiceSession.objects.filter(pk=of.pk).update(currency=currency, cost=cost and Decimal(cost))
    assert operator.get(URL).json()["cost"] == {"micros": {"EUR": 1_623_456, "USD": 2_000_000}, "unknown": 1}


def test_the_percentiles_are_those_of_a_sorted_list(operator):
    of = session()
    for number, waited in enumerate([900, 100, 300, 200, 700, 500, 800, 600, 400, 1000], 1):
        turn(of, number, waited)
    turn(of, 11, None, TurnOutcome.FAILED)
    turn(of, 12, -20, TurnOutcome.INTERRUPTED)
    body = operator.get(URL).json()
    assert body["first_audio_ms"] == {"turns": 11, "p50": 500, "p95": 1000}
    assert body["turns"] == {
        "total": 12,
        "prefetched": 6,
        "outcomes": {"completed": 10, "failed": 1, "interrupted": 1},
    }


def test_refusals_are_told_by_reason(operator):
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    turned_away.write({(hour, EndReason.RATE_LIMITED): 2, (hour - timedelta(hours=3), EndReason.RATE_LIMITED): 1})
    turned_away.write({(hour, EndReason.OVERLOADED): 4, (hour - timedelta(hours=30), EndReason.OVERLOADED): 8})
    assert operator.get(URL).json()["refusals"] == {"overloaded": 4, "rate_limited": 3}
    assert operator.get(URL, {"hours": "1"}).json()["refusals"] == {"overloaded": 4, "rate_limited": 2}


def test_a_program_needs_the_permission_and_an_access_token(client, visitor):
    bearer = {"authorization": f"Bearer {access_token(visitor)}"}
    refused(client.get(URL, headers=bearer), 403, "forbidden")
    visitor.user_permissions.add(Permission.objects.get(codename="view_voicesession"))
    assert client.get(URL, headers=bearer).status_code == 200
    ticket = mint(visitor, "http://testserver")
    for wrong in (ticket, "", "nonsense", access_token(visitor) + "x", "é"):
        response = client.get(URL, headers={"authorization": f"Bearer {wrong}"})
        refused(response, 401, "unauthenticated")
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_token_that_is_refused_is_not_made_good_by_a_session(operator):
    refused(operator.get(URL, headers={"authorization": "Bearer nonsense"}), 401, "unauthenticated")


def test_nobody_else_sees_them(client, visitor):
    refused(client.get(URL), 401, "unauthenticated")
    client.force_login(visitor)
    refused(client.get(URL), 403, "forbidden")
    visitor.user_permissions.add(Permission.objects.get(codename="view_voicesession"))
    assert client.get(URL).status_code == 200


@pytest.mark.parametrize("hours", ["0", "745", "-1", "1.5", "x", "", "٣", "9" * 50])
def test_the_window_is_a_month_at_most(operator, hours):
    refused(operator.get(URL, {"hours": hours}), 400, "invalid_request")


def test_other_methods_and_formats_are_refused(operator):
    for method in ("post", "put", "patch", "delete", "options", "trace"):
        response = getattr(operator, method)(URL)
        refused(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD"
    refused(operator.get(URL, headers={"accept": "text/html"}), 406, "not_acceptable")
    strict = Client(enforce_csrf_checks=True)
    refused(strict.post(URL), 405, "method_not_allowed")
    assert operator.head(URL).content == b""


def test_a_database_that_does_not_answer_is_said(operator, monkeypatch):
    def gone() -> int:
        raise OperationalError("gone")

    monkeypatch.setattr(figures, "live", gone)
    refused(operator.get(URL), 503, "overloaded")


def test_eight_queries_over_indexes_however_many_rows():
    of = session()
    for number in range(40):
        turn(of, number, 100)
    window = figures.Window(timezone.now() - timedelta(hours=24), timezone.now())
    with CaptureQueriesContext(connection) as queries:
        figures.live(), figures.sessions(window), figures.cost(window), figures.turns(window)
        figures.first_audio(window), figures.refusals(window)
    assert len(queries) == 8, "and three at most to know who asks: the session, the user, their permissions"
    if connection.vendor != "sqlite":
        return  # PostgreSQL reads a small table as a whole, and rightly
    steps = [step for query in queries for step in plan(query["sql"])]
    assert not [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]


def plan(sql: str) -> list[str]:
    """What SQLite would do. It says SCAN, and no index, where it reads a whole table."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return [row[3] for row in cursor.fetchall()]
