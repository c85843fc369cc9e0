"""What staff see of conversations: filtered lists, files for a spreadsheet, and text that cannot do harm."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import generated_year
from voice import export
from voice.models import VoiceSession, VoiceTranscript, VoiceTurn

SESSIONS, TURNS = "/admin/voice/voicesession/", "/admin/voice/voiceturn/"
MARKUP = "<script>alert(1)</script>"
HIDING = "admin\u202egpj.exe\x1b[31m"
SHOWN = "admin\\u202egpj.exe\\u001b[31m"
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def office(staff: Any) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def session(user: Any = None, **facts: Any) -> VoiceSession:
    began = timezone.now() - timedelta(minutes=5)
    some: dict[str, Any] = {"provider": "local", "started_at": began, "ready_at": began, "end_reason": "idle"}
    some |= {"ended_at": began + timedelta(seconds=90), "cost": Decimal("0.125"), "currency": "EUR"}
    return VoiceSession.objects.create(user=user, **some | facts)


def turn(of: VoiceSession, number: int = 1, **facts: Any) -> VoiceTurn:
    marks = {"speech_started": 0, "speech_stopped": 1500, "first_audio": 2100, "ended": 5000}
    return VoiceTurn.objects.create(session=of, number=number, outcome="completed", **{"marks": marks} | facts)


def rows(response: Any) -> list[dict[str, str]]:
    """The file that was sent, as a spreadsheet reads it."""
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_file_has_what_the_list_shows(office, visitor):
    first = session(visitor)
    session(visitor, provider="openai")
    assert len(rows(office.get(f"{SESSIONS}export/"))) == 2
    (row,) = rows(office.get(f"{SESSIONS}export/", {"provider__exact": "local", "q": "visitor"}))
    assert row["id"] == str(first.pk)
    assert (row["user_username"], row["end_reason"], row["cost"]) == ("visitor", "idle", "0.125000")
    assert row["started_at"] == first.started_at.isoformat()
    assert rows(office.get(f"{SESSIONS}export/", {"q": "nobody"})) == []


def test_a_conversation_that_went_on_is_found_from_each_of_its_sessions(office, visitor):
    first = session(visitor)
    second = session(visitor, conversation_id=first.conversation_id, resumed_from=first)
    alone = session(visitor)
    address = f"{SESSIONS}?q={first.conversation_id}"
    for one in (first, second):
        assert address in office.get(f"{SESSIONS}{one.pk}/change/").content.decode()
    assert f"?q={alone.conversation_id}" not in office.get(f"{SESSIONS}{alone.pk}/change/").content.decode()
    found = rows(office.get(f"{SESSIONS}export/", {"q": str(first.conversation_id)}))
    assert {(row["id"], row["resumed_from_id"]) for row in found} == {
        (str(first.pk), ""),
        (str(second.pk), str(first.pk)),
    }


@pytest.mark.parametrize("path", [SESSIONS, TURNS])
def test_a_session_is_found_by_its_id_as_logs_write_it_and_as_lists_do(office, path):
    kept = session()
    turn(kept)
    session()
    for spelling in (kept.pk.hex, str(kept.pk), kept.pk.hex.upper(), f" {kept.pk} "):
        assert office.get(path, {"q": spelling}).context["cl"].result_count == 1


def test_the_list_links_to_the_file_with_its_filters(office):
    session()
    page = office.get(SESSIONS, {"provider__exact": "local"}).content.decode()
    assert f'{SESSIONS}export/?provider__exact=local"' in page


def test_an_address_without_sense_leads_back_to_the_list(office):
    assert office.get(f"{SESSIONS}export/", {"started_at__year": "x", "no": "field"}).status_code == 302


@pytest.mark.parametrize("model", ["voicesession", "voiceturn"])
def test_who_may_see_the_list_may_have_the_file_and_nobody_else(db, visitor, model):
    visitor.is_staff = True
    visitor.save()
    client = Client()
    client.force_login(visitor)
    assert client.get(f"/admin/voice/{model}/export/").status_code == 403
    visitor.user_permissions.add(Permission.objects.get(codename=f"view_{model}"))
    assert client.get(f"/admin/voice/{model}/export/").status_code == 200
    assert Client().get(f"/admin/voice/{model}/export/").status_code == 302


def test_no_cell_is_a_formula_and_nothing_hides(office, django_user_model):
    user = django_user_model.objects.create(username=FORMULA)
    turn(session(user, server=f"{HIDING}"), sources=[{"title": HIDING, "url": "javascript:alert(1)"}])
    (row,) = rows(office.get(f"{SESSIONS}export/"))
    assert row["user_username"] == f"'{FORMULA}"
    assert row["server"] == SHOWN
    (row,) = rows(office.get(f"{TURNS}export/"))
    assert "admin\\u202egpj.exe" in row["sources"]


def test_a_negative_number_stays_a_number(office):
    turn(session(), context_ms=-120)
    (row,) = rows(office.get(f"{TURNS}export/"))
    assert row["context_ms"] == "-120"


def test_pages_show_markup_as_text_and_write_out_what_hides(office, django_user_model):
    user = django_user_model.objects.create(username=HIDING)
    kept = turn(session(user), sources=[{"title": MARKUP + HIDING, "url": "javascript:alert(1)"}, {"title": None}])
    for path in (SESSIONS, f"{SESSIONS}{kept.session_id}/change/", TURNS, f"{TURNS}{kept.pk}/change/"):
        page = office.get(path).content.decode()
        assert MARKUP not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert 'href="javascript:' not in page
    session_page = office.get(f"{SESSIONS}{kept.session_id}/change/").content.decode()
    assert SHOWN in session_page
    assert f"&lt;script&gt;alert(1)&lt;/script&gt;{SHOWN}" in session_page


def test_a_session_shows_each_turn_as_a_waterfall_with_its_numbers(office):
    kept = session()
    turn(kept, first_audio_ms=600)
    turn(kept, 2, marks={})
    page = office.get(f"{SESSIONS}{kept.pk}/change/").content.decode()
    assert "first audio after 600 ms" in page
    assert len(re.findall(r'<rect class="audio" x="[\d.]+%" width="[\d.]+%"', page)) == 1
    assert "Nothing was measured." in page
    assert " style=" not in page.partition('id="content-main"')[2]


@pytest.mark.parametrize("path", [SESSIONS, TURNS, f"{SESSIONS}export/", f"{TURNS}export/"])
def test_a_longer_list_asks_no_more_of_the_database(office, path):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            response = office.get(path)
            b"".join(response.streaming_content if response.streaming else [response.content])
        return len(asked)

    generated_year.make(5, until=timezone.now())
    few = queries()
    generated_year.make(45, until=timezone.now(), seed=8)
    assert queries() == few


def test_the_dates_above_the_list_are_those_of_the_zone(office, settings):
    settings.TIME_ZONE = "Europe/Paris"
    session(started_at=datetime(2025, 12, 31, 23, 30, tzinfo=UTC))
    session(started_at=datetime(2027, 6, 1, tzinfo=UTC))
    page = office.get(SESSIONS).content.decode()
    assert "?started_at__year=2026" in page
    assert "?started_at__year=2025" not in page
    assert office.get(SESSIONS, {"started_at__year": "2026"}).context["cl"].result_count == 1


def test_a_long_file_needs_no_more_memory_than_a_short_one(office, monkeypatch):
    """Three hundred chunks; what is held is some of them."""
    monkeypatch.setattr(export, "CHUNK", 10)
    generated_year.make(3_000, until=timezone.now())
    response = office.get(f"{SESSIONS}export/")
    sent, longest = 0, 0
    tracemalloc.start()
    try:
        for chunk in response.streaming_content:
            sent, longest = sent + len(chunk), max(longest, len(chunk))
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{sent:,} bytes in chunks of {longest:,} at most; {most:,} bytes of memory")
    assert sent > 800_000
    assert longest < 3 * sent / 300
    assert most < sent / 2


@pytest.mark.django_db(transaction=True)
async def test_an_asgi_server_gets_it_chunk_by_chunk(staff):
    from asgiref.sync import sync_to_async

    await sync_to_async(generated_year.make)(50, until=timezone.now())
    client = AsyncClient()
    await client.aforce_login(staff)
    response = await client.get(f"{SESSIONS}export/")
    assert response.is_async
    text = b"".join([chunk async for chunk in response.streaming_content]).decode()
    assert len(list(csv.reader(io.StringIO(text)))) == 51


# -- what was said -------------------------------------------------------------------------------------------------


@pytest.fixture
def said(visitor: Any) -> VoiceSession:
    kept = session(visitor)
    VoiceTranscript.objects.create(session=kept, turn=1, role="visitor", text=f"{MARKUP} {HIDING} {FORMULA}")
    VoiceTranscript.objects.create(session=kept, turn=1, role="assistant", text="From nine to six.")
    return kept


def test_what_was_said_is_shown_harmless_and_each_reading_is_noted(office, said, staff):
    assert "What was said" in office.get(f"{SESSIONS}{said.pk}/change/").content.decode()
    page = office.get(f"{SESSIONS}{said.pk}/transcript/").content.decode()
    assert f"&lt;script&gt;alert(1)&lt;/script&gt; {SHOWN} =cmd" in page
    assert "\u202e" not in page
    assert "From nine to six." in page
    (entry,) = LogEntry.objects.all()
    assert (entry.user, entry.object_id, entry.change_message) == (staff, str(said.pk), "Read the transcript.")


def test_it_takes_a_permission_of_its_own(said, django_user_model):
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_voicesession"))
    client = Client()
    client.force_login(reader)
    assert "What was said" not in client.get(f"{SESSIONS}{said.pk}/change/").content.decode()
    assert client.get(f"{SESSIONS}{said.pk}/transcript/").status_code == 403
    assert not LogEntry.objects.exists()


def test_nothing_that_was_said_is_in_a_list_or_a_file(office, said):
    for path in (SESSIONS, f"{SESSIONS}{said.pk}/change/", TURNS):
        assert "nine to six" not in office.get(path).content.decode()
    for path in (f"{SESSIONS}export/", f"{TURNS}export/"):
        assert "nine to six" not in str(rows(office.get(path)))


def test_where_nothing_was_kept_there_is_nothing_to_read(office):
    assert office.get(f"{SESSIONS}{session().pk}/transcript/").status_code == 404
    assert not LogEntry.objects.exists()
