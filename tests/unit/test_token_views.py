"""A password for tokens, at ``/v1/token/``: throttled, gone when switched off, and silent about who exists."""

from __future__ import annotations

import json
import logging
import sys
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.signals import got_request_exception
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from django.views.debug import ExceptionReporter
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from voice import live, token_views, urls
from voice.admission.memory import MemoryStore
from voice.admission.throttle import Throttle
from voice.models import VoiceLiveSettings
from voice.tokens import authenticate

pytestmark = pytest.mark.django_db

OBTAIN, REFRESH = "/v1/token/", "/v1/token/refresh/"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def fresh(voice_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has asked yet."""
    monkeypatch.setattr(token_views, "by_address", Throttle(limit=30, seconds=60))
    monkeypatch.setattr(token_views, "by_name", Throttle(limit=10, seconds=300))


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("ada", password=PASSWORD)


def post(url: str, body: Any, **kwargs: Any) -> Any:
    """Without a cookie, and as strict as a real server about CSRF."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(url, data, content_type="application/json", **kwargs)


def login(name: Any = "ada", password: Any = PASSWORD, **kwargs: Any) -> Any:
    return post(OBTAIN, {"username": name, "password": password}, **kwargs)


def error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "retry_after_ms"}
    assert body["error"]["message"]
    return body["error"]


# -- what it is for -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_password_gives_tokens_that_open_a_conversation(user):
    response = login()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert set(response.json()) == {"access", "refresh"}
    identity = async_to_sync(authenticate)(response.json()["access"], spend=MemoryStore().spend)
    assert (identity.user, identity.kind) == (user, "access")


def test_a_refresh_token_gives_another_access_token(user):
    response = post(REFRESH, {"refresh": login().json()["refresh"]})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert AccessToken(response.json()["access"])["user_id"] == str(user.pk)


def test_the_app_alone_adds_no_such_door():
    """It is an include of its own."""
    assert {pattern.name for pattern in urls.urlpatterns}.isdisjoint({"obtain", "refresh"})
    assert reverse("voice_token:obtain") == OBTAIN
    assert reverse("voice_token:refresh") == REFRESH


# -- who gets none --------------------------------------------------------------------------------------------------


def test_nobody_learns_who_has_an_account(user, django_user_model):
    django_user_model.objects.create_user("sleeper", password=PASSWORD, is_active=False)
    answers = [login("ada", "wrong"), login("nobody", "wrong"), login("sleeper"), login("ada", "")]
    told = [error(answer, 401) for answer in answers[:3]]
    assert told[0] == told[1] == told[2]
    assert told[0]["code"] == "unauthenticated"
    assert all(answer["WWW-Authenticate"].startswith("Bearer") for answer in answers[:3])


REFUSED: dict[str, Any] = {
    "nonsense": lambda user: "nonsense",
    "nothing": lambda user: "a.b.c",
    "a lone surrogate": lambda user: "eyJ\udc80.e.e",
    "an access token": lambda user: str(AccessToken.for_user(user)),
    "expired": lambda user: expired(RefreshToken.for_user(user)),
    "tampered": lambda user: str(RefreshToken.for_user(user))[:-4] + "AAAA",
    "a novel": lambda user: "x" * 10_000,
}


def expired(token: Any) -> str:
    token.set_exp(lifetime=timedelta(seconds=-60))
    return str(token)


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_is_no_refresh_token_is_refused(user, make):
    assert error(post(REFRESH, {"refresh": make(user)}), 401)["code"] == "unauthenticated"


@pytest.mark.parametrize("lost", ["deactivated", "deleted", "another password"])
def test_nor_does_one_serve_whose_user_may_not_log_in_any_more(user, lost):
    refresh = login().json()["refresh"]
    if lost == "deleted":
        user.delete()
    else:
        user.is_active = lost != "deactivated"
        user.set_password("another" if lost == "another password" else PASSWORD)
        user.save()
    assert error(post(REFRESH, {"refresh": refresh}), 401)["code"] == "unauthenticated"


# -- bad requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [OBTAIN, REFRESH])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"null", b'"ada"', b"{}", b'{"username": "ada"}', b'{"refresh": [7]}', b"\xff\xfe",
     b'{"username": ["ada"], "password": {"a": 1}}', b'{"username": "a\\u0000", "password": "p"}',
     b'{"username": "\\ud800", "password": "p"}', b"[" * 12_000, b'{"a":' * 2_500,
     b'{"username": "ada", "password": "' + b"x" * 20_000 + b'"}'],
)  # fmt: skip
def test_a_bad_request_is_told_and_no_traceback(user, url, body):
    assert error(post(url, body), 400)["code"] == "invalid_request"


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
def test_only_post_is_allowed(method):
    response = getattr(Client(), method)(OBTAIN)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    if method != "head":
        assert error(response, 405)["code"] == "method_not_allowed"


def test_a_form_is_no_json(user):
    response = Client().post(OBTAIN, {"username": "ada", "password": PASSWORD})
    assert error(response, 415)["code"] == "unsupported_media_type"
    assert error(login(headers={"accept": "text/html"}), 406)["code"] == "not_acceptable"


def test_the_sites_own_api_settings_change_nothing(user, settings):
    settings.REST_FRAMEWORK = {
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
        "EXCEPTION_HANDLER": "nowhere.to_be_found",
    }
    assert login().status_code == 200
    assert error(login(password="wrong"), 401)


# -- throttled ------------------------------------------------------------------------------------------------------


def test_an_address_may_ask_so_often_in_a_minute(user, monkeypatch):
    monkeypatch.setattr(token_views, "by_address", Throttle(limit=3, seconds=60))
    assert [login(f"user{n}", "wrong").status_code for n in range(4)] == [401, 401, 401, 429]
    response = login()
    told = error(response, 429)
    assert told["code"] == "rate_limited"
    assert 1 <= int(response["Retry-After"]) <= 60
    assert 0 <= int(response["Retry-After"]) * 1000 - told["retry_after_ms"] < 1000
    assert login(REMOTE_ADDR="192.0.2.9").status_code == 200
    assert error(post(REFRESH, {"refresh": "x"}), 429), "both doors are one"


def test_the_address_is_that_of_the_visitor_behind_the_sites_proxies(user, monkeypatch, settings):
    monkeypatch.setattr(token_views, "by_address", Throttle(limit=1, seconds=60))
    settings.VOICE = {"TRUSTED_PROXIES": 1}
    forged = [login(headers={"x-forwarded-for": f"192.0.2.{n}, 198.51.100.1"}).status_code for n in range(2)]
    assert forged == [200, 429]
    assert login(headers={"x-forwarded-for": "198.51.100.2"}).status_code == 200


def test_a_user_name_may_be_tried_so_often_from_wherever(user, monkeypatch):
    monkeypatch.setattr(token_views, "by_name", Throttle(limit=2, seconds=300))
    tries = [login("nobody", "x", REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(3)]
    assert tries == [401, 401, 429]
    assert [login(name, "x").status_code for name in ("ada", " ADA ", "Ada")] == [401, 401, 429]
    assert error(login(), 429)["retry_after_ms"] <= 300_000
    assert [login(name, "x").status_code for name in (7, "7", 7)] == [401, 401, 429]


def test_a_refresh_is_counted_for_its_user(user, monkeypatch):
    monkeypatch.setattr(token_views, "by_name", Throttle(limit=2, seconds=300))
    tokens = [str(RefreshToken.for_user(user)) for _ in range(3)]
    answers = [post(REFRESH, {"refresh": raw}, REMOTE_ADDR=f"192.0.2.{n}") for n, raw in enumerate(tokens)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_a_long_name_costs_no_memory(monkeypatch):
    seen: list[str] = []

    class Watched(Throttle):
        def wait(self, key: str, now: float) -> float:
            seen.append(key)
            return super().wait(key, now)

    monkeypatch.setattr(token_views, "by_name", Watched(limit=10, seconds=300))
    login("x" * 10_000, "wrong")
    assert seen == ["x" * 150]


# -- switched off, or in trouble ------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [OBTAIN, REFRESH])
def test_switched_off_by_the_site_nothing_is_looked_up(user, settings, url):
    settings.ENABLE_VOICE_REALTIME = False
    with CaptureQueriesContext(connection) as queries:
        told = error(post(url, {"username": "ada", "password": PASSWORD}), 403)
    assert told["code"] == "disabled"
    assert not queries.captured_queries


def test_nor_does_staffs_switch_leave_it_open(user):
    live.save(VoiceLiveSettings(enabled=False), by="the test")
    live.forget()
    assert error(login(), 403)["code"] == "disabled"


@pytest.mark.parametrize("where", ["the switch", "the users"])
def test_a_database_that_is_down_is_no_bad_password(user, monkeypatch, where):
    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("down")

    if where == "the switch":
        monkeypatch.setattr(live, "read", down)
    else:
        monkeypatch.setattr("django.contrib.auth.backends.ModelBackend.authenticate", down)
    assert error(login(), 503)["code"] == "overloaded"


# -- secrets --------------------------------------------------------------------------------------------------------


def test_no_password_and_no_token_is_logged(user, caplog):
    with caplog.at_level(logging.DEBUG):
        tokens = login().json()
        login(password=PASSWORD + "!")
        post(OBTAIN, b'{"password": "' + PASSWORD.encode())
        post(REFRESH, {"refresh": tokens["refresh"]})
        post(REFRESH, {"refresh": tokens["refresh"] + "x"})
    logged = caplog.text + repr([record.__dict__ for record in caplog.records])
    assert PASSWORD not in logged
    assert tokens["refresh"].split(".")[1] not in logged


def test_a_bug_shows_no_password_in_its_report(user, monkeypatch, settings):
    """To whomever Django mails it: the variables of every frame stand in it."""
    settings.DEBUG = False
    reports: list[str] = []

    def broken(request: Any, **credentials: Any) -> None:
        raise LookupError("a bug")

    def reported(sender: Any, request: Any, **kwargs: Any) -> None:
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    monkeypatch.setattr("rest_framework_simplejwt.serializers.authenticate", broken)
    got_request_exception.connect(reported)
    try:
        with pytest.raises(LookupError):
            login()
    finally:
        got_request_exception.disconnect(reported)
    assert len(reports) == 1
    assert "a bug" in reports[0]
    assert PASSWORD not in reports[0]


def test_a_password_is_hashed_for_nobody_as_for_somebody(user, monkeypatch):
    """Else the time it takes tells who has an account."""
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for name in ("nobody", "ada"):
        assert login(name, "wrong").status_code == 401
    assert hashed == ["wrong", "wrong"]


def test_it_is_told_in_the_languages_of_the_site(user):
    told = {language: login(password="wrong", headers={"accept-language": language}) for language in ("en", "fr")}
    assert error(told["en"], 401)["message"] == "The user name or the password is not right."
    assert error(told["fr"], 401)["message"] == "Le nom d’utilisateur ou le mot de passe est incorrect."
    with translation.override("fr"):
        assert [code for _, code, message in token_views._TOLD.values() if str(message).startswith("The ")] == []
