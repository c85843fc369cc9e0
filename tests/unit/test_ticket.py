"""The door for pages: ``POST /v1/voice/ticket``."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from voice import gate, views
from voice.admission.flag import Flag, Live
from voice.admission.limits import Limits
from voice.admission.memory import MemoryStore
from voice.admission.rollout import Rollout
from voice.admission.store import Refused, StoreUnavailable
from voice.admission.throttle import Throttle
from voice.protocol.outcomes import EndReason
from voice.tokens import VoiceTicket

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/v1/voice/ticket"


@pytest.fixture(autouse=True)
def fresh(voice_on: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(views, "minting", Throttle(limit=30, seconds=60))
    shared = gate.store  # tests put another one in its place
    shared.cache_clear()
    yield
    shared.cache_clear()


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("visitor", password="visitor")


@pytest.fixture
def page(user: Any) -> Client:
    """A browser in which the visitor is logged in."""
    client = Client()
    client.force_login(user)
    return client


class Store(MemoryStore):
    """A store whose door says what the test wants."""

    def __init__(self, answer: Refused | Exception) -> None:
        super().__init__()
        self.answer = answer

    async def peek(self, user_id: str, limits: Limits, address: str = "") -> Refused | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def error(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "retry_after_ms"}
    assert body["error"]["message"]
    return body["error"]


def test_who_is_logged_in_gets_a_ticket(page, user):
    response = page.post(URL)
    body = response.json()
    assert response.status_code == 200
    assert (body["url"], body["expires_in"]) == ("/v1/ws/voice", 30)
    assert VoiceTicket(body["ticket"])["user_id"] == str(user.pk)
    assert "no-store" in response["Cache-Control"]


def test_the_ticket_is_bound_to_the_page_that_asked(page, settings):
    plain = page.post(URL).json()["ticket"]
    assert VoiceTicket(plain)["origin"] == "http://testserver"
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example"]
    shop = page.post(URL, headers={"origin": "https://Shop.example"}).json()["ticket"]
    assert VoiceTicket(shop)["origin"] == "https://shop.example"


async def test_it_works_on_an_asynchronous_server(user):
    client = AsyncClient()
    await client.aforce_login(user)
    assert (await client.post(URL)).status_code == 200


def test_without_a_login_there_is_none():
    response = Client().post(URL)
    assert response.status_code == 401
    assert error(response)["code"] == "unauthenticated"


@pytest.fixture
def strict(user: Any) -> Client:
    """A browser in which the visitor is logged in, whose page holds no CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def test_without_a_csrf_token_the_visitor_is_told_to_reload(strict):
    response = strict.post(URL)
    assert response.status_code == 403
    assert error(response) == {
        "code": "stale_page",
        "message": "This page has been open for too long. Reload it to go on.",
        "retry_after_ms": None,
    }
    french = strict.post(URL, headers={"accept-language": "fr"})
    assert "Rechargez-la" in error(french)["message"]
    strict.cookies["csrftoken"] = "a" * 32
    assert strict.post(URL, headers={"x-csrftoken": "a" * 32}).status_code == 200
    assert error(strict.post(URL, headers={"x-csrftoken": "b" * 32}))["code"] == "stale_page"


def test_a_foreign_page_gets_none_though_it_has_the_token(strict):
    strict.cookies["csrftoken"] = "a" * 32
    response = strict.post(URL, headers={"x-csrftoken": "a" * 32, "origin": "https://evil.example"})
    assert error(response)["code"] == "stale_page"


def test_who_watches_the_sites_security_sees_it(strict, caplog):
    strict.post(URL)
    assert [record.name for record in caplog.records if "CSRF" in record.getMessage()] == ["django.security.csrf"]


def test_the_csrf_token_is_asked_for_also_where_the_site_has_no_middleware_for_it(strict, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csrf" not in name]
    assert error(strict.post(URL))["code"] == "stale_page"


async def test_the_csrf_token_may_be_kept_in_the_session(user, settings):
    settings.CSRF_USE_SESSIONS = True
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csrf" not in name]  # so that nobody has read it yet
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(user)
    assert error(await client.post(URL))["code"] == "stale_page"
    session = await client.asession()
    await session.aset("_csrftoken", "a" * 32)
    await session.asave()
    assert (await client.post(URL, headers={"x-csrftoken": "a" * 32})).status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_only_post_is_allowed(page, method):
    response = getattr(page, method)(URL)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "no-store" in response["Cache-Control"]
    if method != "head":
        assert error(response)["code"] == "method_not_allowed"


def test_switched_off_it_says_so_and_asks_nobody(strict, settings):
    settings.ENABLE_VOICE_REALTIME = False
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = strict.post(URL)
    assert response.status_code == 403
    assert error(response)["code"] == "disabled"
    assert not queries.captured_queries


def test_outside_the_roll_out_there_is_none(page, monkeypatch):
    nobody_yet = Flag(lambda: True, lambda: Live(rollout=Rollout(percent=0)))
    monkeypatch.setattr(gate, "flag", lambda: nobody_yet)
    response = page.post(URL)
    assert response.status_code == 403
    assert error(response)["code"] == "not_in_rollout"


def test_a_page_without_an_origin_of_its_own_gets_none(page):
    response = page.post(URL, headers={"origin": "null"})
    assert response.status_code == 403
    assert error(response)["code"] == "forbidden_origin"


def test_beyond_the_limits_it_says_when_to_come_back(page, monkeypatch):
    monkeypatch.setattr(gate, "store", lambda: Store(Refused(EndReason.RATE_LIMITED, 119_001)))
    response = page.post(URL)
    assert (response.status_code, response["Retry-After"]) == (429, "120")
    assert error(response)["code"] == "rate_limited"
    assert error(response)["retry_after_ms"] == 119_001
    assert "2 minutes" in error(response)["message"]


def test_it_asks_about_the_visitor_and_the_limits_in_force(page, user, settings, monkeypatch):
    asked: list[Any] = []

    class Asked(MemoryStore):
        async def peek(self, user_id: str, limits: Limits, address: str = "") -> Refused | None:
            asked.append((user_id, limits.sessions_per_user_per_hour))
            return None

    settings.VOICE = {"LIMITS": {"sessions_per_user_per_hour": 2}}
    monkeypatch.setattr(gate, "store", lambda: Asked())
    page.post(URL)
    assert asked == [(str(user.pk), 2)]


def test_a_site_that_is_full_is_busy(page, monkeypatch):
    monkeypatch.setattr(gate, "store", lambda: Store(Refused(EndReason.OVERLOADED)))
    response = page.post(URL)
    assert response.status_code == 503
    assert "Retry-After" not in response
    assert error(response)["retry_after_ms"] is None


@pytest.mark.parametrize("fault", [StoreUnavailable(), OperationalError("down"), TimeoutError()])
def test_a_store_that_is_down_admits_nobody(page, monkeypatch, fault):
    monkeypatch.setattr(gate, "store", lambda: Store(fault))
    response = page.post(URL)
    assert response.status_code == 503
    assert error(response)["code"] == "overloaded"


def test_a_page_that_asks_all_the_time_is_throttled(page, monkeypatch):
    monkeypatch.setattr(views, "minting", Throttle(limit=2, seconds=60))
    assert [page.post(URL).status_code for _ in range(3)] == [200, 200, 429]
    assert 1 <= int(page.post(URL)["Retry-After"]) <= 60


def test_another_visitor_is_not_throttled_with_them(page, staff, monkeypatch):
    monkeypatch.setattr(views, "minting", Throttle(limit=1, seconds=60))
    assert [page.post(URL).status_code for _ in range(2)] == [200, 429]
    other = Client()
    other.force_login(staff)
    assert other.post(URL).status_code == 200


def test_a_ticket_counts_as_no_start(page):
    assert [page.post(URL).status_code for _ in range(10)] == [200] * 10


def test_no_two_tickets_are_alike(page):
    first, second = (VoiceTicket(page.post(URL).json()["ticket"]) for _ in range(2))
    assert first["jti"] != second["jti"]
    assert first["exp"] <= time.time() + 30


def test_who_is_turned_away_is_counted_while_the_site_has_switched_it_on(page, settings, refusals):
    Client().post(URL)
    assert refusals == {EndReason.UNAUTHENTICATED: 1}
    settings.ENABLE_VOICE_REALTIME = False
    assert page.post(URL).status_code == 403
    assert refusals == {EndReason.UNAUTHENTICATED: 1}


def test_the_answer_is_json_or_none(page):
    response = page.post(URL, headers={"accept": "text/html"})
    assert response.status_code == 406
    assert error(response)["code"] == "not_acceptable"
    for method in ("get", "head", "options", "trace", "put"):
        response = getattr(page, method)(URL)
        assert (response.status_code, response["Allow"]) == (405, "POST")
