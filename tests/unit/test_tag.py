"""``{% voice_widget %}``: what a page gets, and for whom. And what staff see."""

from __future__ import annotations

import re
import struct
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from voice import gate
from voice.admission.flag import Flag, Live
from voice.admission.rollout import Rollout
from voice.models import VoiceSession, VoiceTurn
from voice.templatetags.voice import voice_widget

WORDS = Path(__file__).resolve().parents[2] / "voice/templates/voice/words.html"
VISITOR = type("Visitor", (), {"is_authenticated": True, "pk": 7})()


def asked(user: Any = VISITOR, path: str = "/help/?q=private") -> HttpRequest:
    request = RequestFactory().get(path)
    request.user = user
    return request


def given(request: HttpRequest, **arguments: Any) -> dict[str, Any]:
    """What the widget's template is given."""
    return voice_widget(RequestContext(request, {"request": request}), **arguments)


class TouchesNothing:
    """A request whose session must not be read: reading it makes every page vary by cookie."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was read")


def test_switched_off_it_renders_nothing_and_asks_nobody():
    context = voice_widget({"request": TouchesNothing()})  # type: ignore[arg-type]
    assert context == {"enabled": False}
    page = Template("{% load voice %}{% voice_widget %}").render(RequestContext(asked()))
    assert page.strip() == ""


def test_the_switch_is_read_each_time(settings, db):
    for on in (True, False, True):
        settings.ENABLE_VOICE_REALTIME = on
        assert given(asked())["enabled"] is on


def test_a_visitor_gets_the_widget_with_what_it_needs(voice_on):
    context = given(asked(), title="Help", text="We help.")
    assert (context["enabled"], context["authenticated"]) == (True, True)
    assert (context["ticket_url"], context["socket_url"]) == ("/v1/voice/ticket", "/v1/ws/voice")
    assert context["page"] == {"url": "/help/", "title": "Help", "text": "We help."}
    assert (context["position"], context["accent"], context["push_to_talk"]) == ("floating", "", False)


def test_the_page_says_how_the_widget_is_to_be(voice_on):
    tag = "{% load voice %}{% voice_widget position='inline' accent='#123abc' push_to_talk=True text=text %}"
    page = Template(tag).render(RequestContext(asked(), {"request": asked(), "text": "é" * 5_000}))
    assert 'position="inline" accent="#123abc" push-to-talk\n' in page
    assert f'data-context="{"é" * 2_048}"' in page  # as much as the wire takes


def test_the_widget_dials_early_where_the_site_wants_it(voice_on, settings):
    tag = Template("{% load voice %}{% voice_widget %}")
    assert " warm" not in tag.render(RequestContext(asked(), {"request": asked()})).partition("data-")[0]
    settings.VOICE = {"WARM_UPSTREAM": True}
    assert " warm" in tag.render(RequestContext(asked(), {"request": asked()})).partition("data-")[0]


def test_a_stranger_gets_a_link_to_log_in_and_back(voice_on):
    context = given(asked(AnonymousUser()))
    assert (context["enabled"], context["authenticated"]) == (True, False)
    assert context["login_url"] == "/accounts/login/?next=%2Fhelp%2F%3Fq%3Dprivate"


def test_the_login_may_be_elsewhere(voice_on, settings):
    settings.VOICE = {"LOGIN_URL": "/sso?site=1"}
    assert given(asked(AnonymousUser(), "/"))["login_url"] == "/sso?site=1&next=%2F"


def test_who_is_not_in_the_roll_out_gets_nothing(voice_on, monkeypatch):
    monkeypatch.setattr(gate, "flag", lambda: Flag(lambda: True, lambda: Live(rollout=Rollout(percent=0))))
    assert not given(asked())["enabled"]


@pytest.mark.parametrize(
    ("language", "text"), [("fr", "Bonjour"), ("fr-ca", "Bonjour"), ("en", "Hello"), ("de", "Hello")]
)
def test_the_notice_is_in_the_language_of_the_page(voice_on, settings, language, text):
    settings.VOICE = {"CONSENT": {"version": "3", "fr": "Bonjour", "en": "Hello"}}
    with translation.override(language):
        context = given(asked())
    assert context["language"] == language
    assert (context["consent"]["text"], context["consent"]["version"]) == (text, "3")


def test_another_language_is_one_more_file(voice_on, settings, tmp_path):
    """Each word of the widget comes from a catalogue that lies beside the others."""
    sentences = set(re.findall(r"""{% translate (["'])(.*?)\1 %}""", WORDS.read_text()))
    german = {sentence: f"[{sentence}]" for _quote, sentence in sentences}
    folder = tmp_path / "de/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(compiled({"": "Content-Type: text/plain; charset=UTF-8\n", **german}))
    settings.LOCALE_PATHS = [tmp_path]
    with translation.override("de"):
        page = Template("{% load voice %}{% voice_widget %}").render(RequestContext(asked(), {"request": asked()}))
    words = re.findall(r"<p data-word=[^>]*>(.*)</p>", page)
    assert len(words) > 60
    assert [word for word in words if not word.startswith("[")] == []
    assert 'lang="de"' in page


def compiled(catalogue: dict[str, str]) -> bytes:
    """As ``msgfmt`` does it: two tables of lengths and places, then the texts
    (https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html)."""
    texts = [text.encode() for column in zip(*sorted(catalogue.items()), strict=True) for text in column]
    count, place, table = len(catalogue), 28 + 8 * len(texts), b""
    for text in texts:
        table += struct.pack("<2I", len(text), place)
        place += len(text) + 1
    header = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return header + table + b"".join(text + b"\0" for text in texts)


@pytest.mark.parametrize(("provider", "said"), [("openai", "is sent to OpenAI"), ("local", "own server")])
def test_the_widgets_own_notice_names_who_hears_and_is_asked_anew_for_another(voice_on, settings, provider, said):
    settings.VOICE = {"PROVIDER": provider}
    page = Template("{% load voice %}{% voice_widget %}").render(RequestContext(asked(), {"request": asked()}))
    assert said in page
    assert f'data-notice-version="1.{provider}"' in page


def test_a_nonce_is_passed_on_from_wherever_it_is(voice_on):
    request = asked()
    assert given(request)["csp_nonce"] == ""
    request.csp_nonce = "from-the-request"  # type: ignore[attr-defined]
    assert given(request)["csp_nonce"] == "from-the-request"
    context = RequestContext(request, {"request": request, "csp_nonce": "from-the-context"})
    assert voice_widget(context)["csp_nonce"] == "from-the-context"


def test_without_the_request_it_says_what_is_missing(voice_on):
    with pytest.raises(ImproperlyConfigured, match=r"context_processors\.request"):
        voice_widget({})  # type: ignore[arg-type]


@pytest.mark.parametrize("user", [VISITOR, AnonymousUser()])
def test_what_the_page_says_of_itself_is_escaped(voice_on, user):
    request = asked(user, "/%22%3E%3Cscript%3E/")
    page = Template("{% load voice %}{% voice_widget title=title %}").render(
        RequestContext(request, {"title": '"><script>'})
    )
    assert '"><script>' not in page


# -- the admin ----------------------------------------------------------------------------------------------------


@pytest.fixture
def office(staff: Any) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def session(visitor: Any) -> VoiceSession:
    begun = timezone.now() - timedelta(seconds=90)
    ended = VoiceSession.objects.create(
        user=visitor, provider="local", language="fr", started_at=begun, ended_at=timezone.now(), end_reason="idle"
    )
    source = {"title": "<script>alert(1)</script>", "url": "/help/"}
    VoiceTurn.objects.create(session=ended, number=1, outcome="completed", sources=[source])
    return ended


@pytest.mark.parametrize("model", ["voicesession", "voiceturn", "knowledgedocument"])
def test_staff_see_lists(office, session, model):
    assert office.get(f"/admin/voice/{model}/").status_code == 200


def test_staff_see_how_long_a_session_lasted_and_why_it_ended(office, session):
    page = office.get("/admin/voice/voicesession/").content.decode()
    assert "0:01:30" in page
    assert "nobody spoke" in page


def test_staff_find_sessions_by_id_and_by_user(office, session):
    for question, found in ((session.id.hex, 1), ("visitor", 1), ("nobody", 0), (uuid.uuid4().hex, 0)):
        page = office.get("/admin/voice/voicesession/", {"q": question})
        assert page.context["cl"].result_count == found


def test_records_are_read_only_and_escaped(office, session):
    url = f"/admin/voice/voicesession/{session.pk}/"
    page = office.get(f"{url}change/")
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert office.get("/admin/voice/voicesession/add/").status_code == 403
    assert office.post(f"{url}change/", {"end_reason": "disabled"}).status_code == 403
    assert office.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    session.refresh_from_db()
    assert session.end_reason == "idle"


def test_a_deleted_user_leaves_the_record(session, visitor):
    visitor.delete()
    session.refresh_from_db()
    assert session.user is None
    assert session.turns.count() == 1


def test_the_migrations_are_complete(db):
    from django.core.management import call_command

    call_command("makemigrations", "voice", check=True, dry_run=True, verbosity=0)
