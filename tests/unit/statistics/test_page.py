"""The statistics page: who sees it, what it says, and what it costs."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests import generated_year
from voice.models import VoiceRefusal, VoiceSession, VoiceTurn
from voice.statistics import page
from voice.statistics.page import Tile

pytestmark = pytest.mark.django_db

URL = "/admin/voice/voicestatistics/"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
QUERIES = 20
YEARS = 10


@pytest.fixture
def office(staff: Any) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def session(at: datetime, *, minutes: float | None = 2, **facts: Any) -> VoiceSession:
    ended = None if minutes is None else at + timedelta(minutes=minutes)
    some: dict[str, Any] = {"provider": "openai", "end_reason": "idle" if ended else "", "cost": Decimal("0.2")}
    return VoiceSession.objects.create(started_at=at, ready_at=at, ended_at=ended, currency="EUR", **some | facts)


def answer(of: VoiceSession, number: int, ms: int | None) -> None:
    VoiceTurn.objects.create(
        session=of, number=number, outcome="completed", first_audio_ms=ms, created_at=of.started_at
    )


def tiles(shown: list[Tile]) -> dict[str, Tile]:
    return {tile.name: tile for tile in shown}


def test_who_may_see_the_sessions_may_see_it_and_nobody_else(visitor):
    visitor.is_staff = True
    visitor.save()
    client = Client()
    client.force_login(visitor)
    assert [client.get(path).status_code for path in (URL, f"{URL}now/")] == [403, 403]
    assert URL not in client.get("/admin/").content.decode()
    visitor.user_permissions.add(Permission.objects.get(codename="view_voicesession"))
    assert [client.get(path).status_code for path in (URL, f"{URL}now/")] == [200, 200]
    assert URL in client.get("/admin/").content.decode()
    assert Client().get(URL).status_code == 302


def test_nothing_can_be_added_or_opened_there(office):
    kept = session(NOON)
    for path in ("add/", f"{kept.pk}/change/", f"{kept.pk}/delete/", f"{kept.pk}/history/"):
        assert office.get(f"{URL}{path}").status_code == 404


def test_now_and_lately_against_the_time_before():
    session(NOON - timedelta(minutes=7), minutes=None)
    session(NOON - timedelta(hours=2))
    session(NOON - timedelta(days=1, hours=2))
    session(NOON - timedelta(days=1) + timedelta(hours=1))  # yesterday, but later than now: not yet to be compared with
    session(NOON - timedelta(days=9))
    shown = tiles(page.now(NOON) + page.lately(NOON))
    assert (shown["Live now"].figure, shown["Live now"].notes) == ("1", ("the longest for 7 min",))
    assert (shown["Today"].figure, shown["Today"].notes) == ("2", ("9 min spoken",))
    assert shown["Today"].change == "▲ 100% against the time before"
    assert (shown["7 days"].figure, shown["7 days"].change) == ("4", "▲ 300% against the time before")
    assert (shown["30 days"].figure, shown["30 days"].change) == ("5", "")


def test_the_figures_of_a_range():
    good = session(NOON - timedelta(days=1), searches_hit=3, searches_late=1, searches_superseded=4)
    session(NOON - timedelta(days=2), end_reason="upstream_timeout", cost=None)
    session(NOON - timedelta(days=2), provider="local", cost=Decimal(0))
    session(NOON - timedelta(days=40))
    for number, ms in enumerate([300, 400, 500, 1500, None]):
        answer(good, number, ms)
    VoiceRefusal.objects.create(hour=NOON - timedelta(days=3), reason="rate_limited", count=7)
    shown = tiles(page.context({}, NOON)["tiles"])
    assert shown["Sessions"].figure == "3"
    assert shown["First audio"].figure == "410 ms"
    assert shown["First audio"].notes == ("p95: 1,510 ms", "75% within 800 ms")
    assert (shown["Retrieval in time"].figure, shown["Retrieval in time"].notes) == (
        "75%", ("62% of the searches unused",),
    )  # fmt: skip
    assert shown["Errors"].figure == "33.3%"
    assert (shown["Cost"].figure, shown["Cost"].notes) == ("0.20\N{NO-BREAK SPACE}EUR", ("unknown for 1 session",))
    assert tiles(page.context({"provider": "local"}, NOON)["tiles"])["Sessions"].figure == "1"
    refused = page.context({}, NOON)["rankings"][0]
    assert [(bar.name, bar.figure) for bar in refused.bars] == [("too many sessions", "7 · 100.0%")]


def test_each_picture_has_its_numbers_as_a_table_and_a_text(office):
    answer(session(timezone.now() - timedelta(hours=1)), 1, 640)
    shown = office.get(URL)
    for figure in shown.context["figures"]:
        picture = ElementTree.fromstring(figure.picture)  # noqa: S314  # our own
        assert picture.get("role") == "img"
        assert figure.title in (picture.get("aria-label") or "")
        assert len(figure.rows) == 30
        assert all(len(row) == 1 + len(figure.columns) for row in figure.rows)
    numbers = re.sub(r"\s+", " ", shown.content.decode())
    assert "<td>650 ms</td>" in numbers


def test_the_page_has_nothing_that_a_strict_policy_forbids(office):
    generated_year.make(40, until=timezone.now())
    text = office.get(URL).content.decode()
    body = text.partition('id="content-main"')[2]
    assert not re.findall(r"<style|<script|\sstyle=|\son\w+=|javascript:", body)
    ids = re.findall(r'\sid="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert re.search(r'name="htmx-config" content=\'{"includeIndicatorStyles": false, "allowEval": false}', text)


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-11-20", "until": "2026-11-01"},
        {"since": "2020-01-01", "until": "2026-11-01"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01", "until": "0001-01-02"},
        {"since": "9999-12-30", "until": "9999-12-31"},
        {"provider": "x" * 33},
        {"provider": "\x00"},
    ],
)
def test_what_cannot_be_meant_is_said_and_the_last_days_are_shown(office, asked):
    shown = office.get(URL, asked)
    assert shown.status_code == 200
    assert "errornote" in shown.content.decode()
    assert shown.context["asked"].until == timezone.localdate()


def test_a_year_is_shown_by_week(office):
    shown = office.get(URL, {"since": "2025-11-28", "until": "2026-11-27"})
    assert {len(figure.rows) for figure in shown.context["figures"]} == {53}


def test_it_reads_in_french(office):
    answer(session(timezone.now() - timedelta(hours=1)), 1, 1640)
    office.cookies["django_language"] = "fr"
    with translation.override("fr"):
        text = office.get(URL).content.decode()
    for words in ("Premier son", "Recherche", "En direct", "Coût", "1\N{NO-BREAK SPACE}650\N{NO-BREAK SPACE}ms"):
        assert words in text


def test_names_that_hide_text_are_written_out(office, django_user_model):
    user = django_user_model.objects.create(username="<b>\u202eevil")
    session(timezone.now() - timedelta(hours=1), user=user)
    text = office.get(URL).content.decode()
    assert "&lt;b&gt;\\u202eevil" in text


def test_ten_thousand_sessions_ask_no_more_of_the_database_than_ten(office):
    """And a page is made within the time that it takes to look at it; allowed is what a busy machine needs."""

    def cost(path: str) -> tuple[int, float]:
        with CaptureQueriesContext(connection) as asked:
            began = time.process_time()
            assert office.get(path).status_code == 200
        return len(asked), time.process_time() - began

    generated_year.make(10, until=timezone.now())
    few, _ = cost(URL)
    generated_year.make(1_000, until=timezone.now(), seed=8)
    generated_year.multiply(10)
    assert VoiceSession.objects.count() > 10_000
    year = timezone.localdate() - timedelta(days=365)
    for path in (URL, f"{URL}?since={year}", f"{URL}?since={year}&provider=openai", f"{URL}now/"):
        queries, seconds = cost(path)
        print(f"{path}: {queries} queries, {seconds * 1000:.0f} ms of CPU")
        assert queries <= few <= QUERIES
        assert seconds < 3


def test_the_years_before_cost_the_page_nothing(office):
    """As many queries, and as much work of the database for the last days, however many sessions there were before."""

    def cost() -> tuple[int, int]:
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        connection.connection.set_progress_handler(step, 1000)
        with CaptureQueriesContext(connection) as asked:
            assert office.get(URL).status_code == 200
        connection.connection.set_progress_handler(None, 0)
        return len(asked), steps

    if connection.vendor != "sqlite":
        pytest.skip("the work is counted in SQLite's own steps")
    generated_year.make(1_000, until=timezone.now())
    office.get(URL)
    queries, steps = cost()
    generated_year.multiply(YEARS, years=True)
    more_queries, more_steps = cost()
    print(f"{YEARS} years of 1,000 sessions: {more_steps}, of one: {steps} thousand steps; {more_queries} queries")
    assert VoiceSession.objects.count() == YEARS * 1_000
    assert more_queries == queries
    assert more_steps < 1.5 * steps
