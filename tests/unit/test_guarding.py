"""The assistant switches itself off: by one process, with a reason, and not again for what is over."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from threading import Barrier
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from voice import broadcast, database, guarding, live
from voice.guarding import look
from voice.models import VoiceLiveChange, VoiceSession, VoiceTurn
from voice.protocol.safeguard import Safeguard

pytestmark = pytest.mark.django_db

PAGE = "/admin/voice/voicelivesettings/1/change/"
ERRORS = Safeguard(sessions=5, error_rate=0.5)
AUDIO = Safeguard(sessions=5, first_audio_ms=2_000)
MONEY = Safeguard(spend=Decimal(3))


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "announce", lambda message: None)


def sessions(count: int, reason: str = "client_hangup", *, minutes_ago: float = 1, **facts: Any) -> list[VoiceSession]:
    began = timezone.now() - timedelta(minutes=minutes_ago)
    ended = None if reason == "" else began + timedelta(seconds=5)
    return [
        VoiceSession.objects.create(provider="fake", started_at=began, ended_at=ended, end_reason=reason, **facts)
        for _ in range(count)
    ]


def answers(of: list[VoiceSession], *delays: int) -> None:
    for session in of:
        for number, delay in enumerate(delays):
            VoiceTurn.objects.create(session=session, number=number, outcome="completed", first_audio_ms=delay)


def flip(on: bool) -> None:
    row = live.row()
    row.enabled = on
    live.save(row, by="somebody", reason="seen to")


def test_while_all_is_well_it_stays_on():
    sessions(5)
    sessions(5, "upstream_timeout")
    assert not look(ERRORS, "USD")
    assert live.read().enabled


def test_too_many_errors_switch_off_with_an_entry_and_a_line_that_say_why(caplog):
    sessions(3)
    sessions(4, "upstream_auth")
    with caplog.at_level(logging.INFO, "voice"):
        assert look(ERRORS, "USD")
    assert not live.read().enabled
    change = VoiceLiveChange.objects.get()
    assert (change.by, change.user, change.changes) == ("automatic switch-off", None, {"enabled": ["on", "off"]})
    assert (
        change.reason == "7 conversations in 15 minutes: errors 57.1\N{NO-BREAK SPACE}%, limit 50.0\N{NO-BREAK SPACE}%."
    )
    assert "switched off by itself: error_rate 0.5714 passed 0.5 (7 sessions, 15 minutes)" in caplog.text


def test_the_lines_of_the_audit_are_those_of_any_change(caplog, django_capture_on_commit_callbacks):
    sessions(5, "upstream_auth")
    with caplog.at_level(logging.INFO, "voice.audit"), django_capture_on_commit_callbacks(execute=True):
        look(ERRORS, "USD")
    assert "live settings: enabled changed from on to off by 'automatic switch-off'" in caplog.messages


def test_the_reason_is_written_in_the_sites_language(settings):
    settings.LANGUAGE_CODE = "fr"
    sessions(5, "upstream_auth")
    assert look(ERRORS, "USD")
    change = VoiceLiveChange.objects.get()
    assert change.by == "arrêt automatique"
    assert change.reason.startswith("5 conversations en 15 minutes\N{NO-BREAK SPACE}: erreurs 100,0\N{NO-BREAK SPACE}%")


def test_what_a_visitor_or_staff_ended_is_no_error_and_who_talks_has_not_failed():
    sessions(3, "client_lost")
    sessions(3, "disabled")
    sessions(3, "")
    sessions(2, "upstream_auth")
    assert not look(Safeguard(sessions=5, error_rate=0.2), "USD")


def test_what_is_older_than_the_window_does_not_count():
    sessions(20, "upstream_auth", minutes_ago=16)
    assert not look(ERRORS, "USD")


def test_late_answers_switch_off():
    answers(sessions(5), 600, 2_500)
    assert look(AUDIO, "USD")
    assert "first audio (p95) 2,500\N{NO-BREAK SPACE}ms" in VoiceLiveChange.objects.get().reason.replace(
        "2500", "2,500"
    )


def test_late_answers_of_one_visitor_do_not():
    answers(sessions(1), *[9_000] * 50)
    answers(sessions(3), 500)
    sessions(20)
    assert not look(AUDIO, "USD")


def test_money_is_counted_in_the_currency_of_the_prices():
    sessions(2, cost=Decimal("1.50"), currency="USD")
    sessions(2, cost=Decimal(100), currency="EUR")
    sessions(2, cost=None, currency="USD")
    assert not look(MONEY, "USD")
    sessions(1, "", cost=Decimal("0.01"), currency="USD")
    assert look(MONEY, "USD")
    assert "cost 3.01\N{NO-BREAK SPACE}USD" in VoiceLiveChange.objects.get().reason


def test_switched_on_again_it_stays_on_for_what_began_before():
    sessions(10, "upstream_auth", minutes_ago=0.1)
    assert look(ERRORS, "USD")
    flip(on=True)
    live.forget()
    assert not look(ERRORS, "USD")
    sessions(5, "upstream_auth", minutes_ago=0)
    assert look(ERRORS, "USD"), "and off again for what fails from then on"


def test_other_changes_than_the_switchs_do_not_begin_the_window_anew():
    sessions(5, "upstream_auth")
    row = live.row()
    row.percent = 50
    live.save(row, by="somebody")
    live.forget()
    assert look(ERRORS, "USD")


def test_a_verdict_on_what_was_before_a_flip_is_void():
    """Staff flipped the switch off and on while the figures were being read."""
    seen = live.last_flip()
    flip(on=False)
    flip(on=True)
    assert not live.switch_off(by="a test", reason="", after=seen)
    assert live.read().enabled


def test_what_is_off_is_left_alone():
    sessions(5, "upstream_auth")
    flip(on=False)
    live.forget()
    assert not look(ERRORS, "USD")
    assert VoiceLiveChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_see_it_at_the_same_time_one_acts():
    sessions(5, "upstream_auth")
    live.current()
    together = Barrier(4)

    def process(_: int) -> bool:
        together.wait()
        try:
            return look(ERRORS, "USD")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as processes:
        acted = list(processes.map(process, range(4)))
    assert sorted(acted) == [False, False, False, True]
    assert VoiceLiveChange.objects.count() == 1


def test_a_look_costs_the_same_whatever_the_number_of_sessions():
    def queries(count: int) -> int:
        answers(sessions(count), 500)
        live.current()
        with CaptureQueriesContext(connection) as asked:
            look(Safeguard(error_rate=0.5, first_audio_ms=2_000, spend=Decimal(10**6)), "USD")
        return len(asked)

    assert queries(1) == queries(30) == 4


def test_the_page_and_the_command_say_why_it_is_off(client: Client, staff: Any, voice_on: None):
    sessions(5, "upstream_auth")
    look(ERRORS, "USD")
    client.force_login(staff)
    page = client.get(PAGE).content.decode()
    assert "Switched off: " in page
    assert page.count("automatic switch-off · 5 conversations in 15 minutes: errors 100.0") == 2, (
        "and among the changes"
    )
    out = StringIO()
    call_command("voice_flag", "status", stdout=out)
    assert "by automatic switch-off. 5 conversations in 15 minutes" in out.getvalue()
    flip(on=True)
    assert "Switched off: " not in client.get(PAGE).content.decode()


# -- again and again ------------------------------------------------------------------------------------------------


async def test_without_a_limit_nobody_looks(monkeypatch):
    monkeypatch.setattr(guarding, "look", None)
    await guarding.run(Safeguard(), "USD")


async def test_a_look_that_fails_is_told_and_followed_by_another(monkeypatch, caplog):
    class EnoughError(BaseException):
        """Of this test."""

    failures = iter([TimeoutError(), RuntimeError("a bug"), EnoughError()])

    async def failing(*_: Any, **__: Any) -> None:
        raise next(failures)

    monkeypatch.setattr(database, "call", failing)
    monkeypatch.setattr(guarding, "INTERVAL", 0)
    with pytest.raises(EnoughError):
        await guarding.run(ERRORS, "USD")
    assert "cannot be read: TimeoutError" in caplog.text
    assert "cannot be judged" in caplog.text
