"""The credential is taken out of the request of a WebSocket; what was wrong with it is noted, and told inside."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError

from voice import gate, live
from voice import middleware as module
from voice.admission.memory import MemoryStore
from voice.admission.store import StoreUnavailable
from voice.middleware import JWTAuthMiddleware
from voice.models import VoiceLiveSettings
from voice.protocol.outcomes import EndReason
from voice.tokens import access_token, mint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(voice_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ticket is spent yet."""
    store = MemoryStore()
    monkeypatch.setattr(gate, "store", lambda: store)


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("visitor", password="visitor")


async def inside(
    *subprotocols: str, headers: tuple[tuple[bytes, bytes], ...] = (), query: bytes = b"", kind: str = "websocket"
) -> dict[str, Any]:
    """The scope that the application inside gets."""
    seen: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope)

    offered = ((b"sec-websocket-protocol", ", ".join(subprotocols).encode()),) if subprotocols else ()
    outer = {
        "type": kind,
        "path": "/v1/ws/voice",
        "headers": [(b"host", b"testserver"), *offered, *headers],
        "query_string": query,
        "subprotocols": list(subprotocols),
    }
    await JWTAuthMiddleware(app)(outer, None, None)
    return seen[0]


def refused(scope: dict[str, Any]) -> EndReason | None:
    assert (scope["voice_identity"] is None) == (scope["voice_refusal"] is not None)
    assert isinstance(scope["user"], AnonymousUser) == (scope["voice_refusal"] is not None)
    return scope["voice_refusal"]


async def test_a_page_brings_its_ticket_as_a_subprotocol(user):
    scope = await inside("voice.v1", "voice.bearer." + mint(user, "https://example.org"))
    assert refused(scope) is None
    assert scope["user"] == user
    assert scope["voice_identity"].kind == "ticket"


async def test_a_program_may_bring_its_token_as_a_header(user):
    scope = await inside("voice.v1", headers=((b"authorization", b"Bearer " + access_token(user).encode()),))
    assert scope["voice_identity"].kind == "access"
    assert scope["user"] == user


async def test_no_credential_is_left_in_the_scope(user):
    """Error reporters inside send it home."""
    token = access_token(user)
    for scope in (
        await inside("voice.v1", f"voice.bearer.{token}"),
        await inside("voice.v1", headers=((b"Authorization", b"Bearer " + token.encode()),)),
        await inside("voice.v1", query=f"token={token}".encode()),
        await inside("voice.v1", f"voice.bearer.{token}x"),
        await inside("voice.v1", f"openai-insecure-api-key.{token}"),
    ):
        assert token.split(".")[1] not in repr(scope)
        assert scope["subprotocols"] == ["voice.v1"]
        assert (b"host", b"testserver") in scope["headers"]


async def test_what_is_offered_is_passed_on_without_the_credential(user):
    bearer = "voice.bearer." + access_token(user)
    assert (await inside(bearer, "chat"))["subprotocols"] == ["chat"]
    assert (await inside(bearer))["subprotocols"] == []


async def test_a_page_may_bring_it_as_openais_own_clients_do(user):
    scope = await inside("realtime", "openai-insecure-api-key." + access_token(user))
    assert refused(scope) is None
    assert scope["user"] == user
    assert refused(await inside("realtime", "openai-insecure-api-key.sk-proj-1")) is EndReason.UNAUTHENTICATED


async def test_of_the_query_the_names_are_passed_on_and_nothing_of_whoever_is_refused(user):
    bearer = "voice.bearer." + access_token(user)
    assert (await inside(bearer, query=b"model=gpt&x="))["voice_parameters"] == {"model", "x"}
    assert (await inside(bearer))["voice_parameters"] == frozenset()
    assert (await inside(query=b"model=gpt"))["voice_parameters"] == frozenset()


async def test_without_a_credential_the_visitor_is_told_inside():
    assert refused(await inside("voice.v1")) is EndReason.UNAUTHENTICATED


async def test_a_bad_token_is_told_inside():
    assert refused(await inside("voice.v1", "voice.bearer.a.b.c")) is EndReason.UNAUTHENTICATED
    assert refused(await inside("voice.v1", "voice.bearer.")) is EndReason.UNAUTHENTICATED


async def test_a_replayed_ticket_is_told_inside(user):
    bearer = "voice.bearer." + mint(user, "https://example.org")
    assert refused(await inside("voice.v1", bearer)) is None
    assert refused(await inside("voice.v1", bearer)) is EndReason.UNAUTHENTICATED


async def test_two_different_credentials_are_one_too_many(user):
    header = ((b"authorization", b"Bearer " + access_token(user).encode()),)
    scope = await inside("voice.bearer." + mint(user, "https://example.org"), headers=header)
    assert refused(scope) is EndReason.UNAUTHENTICATED


async def test_the_password_of_a_guarded_test_site_is_not_for_us(user):
    scope = await inside("voice.bearer." + access_token(user), headers=((b"authorization", b"Basic dTpw"),))
    assert refused(scope) is None


@pytest.mark.parametrize("header", [b"", b"Bearer", b"Bearer  ", b"Bearer \xff\xfe", b"Bearer a b c"])
async def test_a_malformed_header_is_a_refusal_and_no_traceback(header):
    assert refused(await inside("voice.v1", headers=((b"authorization", header),))) is EndReason.UNAUTHENTICATED


@pytest.mark.parametrize(
    "query",
    ["token={}", "TOKEN={}", "access_token={}", "a=1&jwt={}", "whatever={}", "{}", "x=voice.bearer.{}", "to%6Ben={}"],
)
async def test_a_token_in_the_url_is_refused_even_beside_a_good_one(user, query):
    """By now it stands in the logs on the way, so it must never be seen to work."""
    scope = await inside("voice.bearer." + access_token(user), query=query.format(access_token(user)).encode())
    assert refused(scope) is EndReason.UNAUTHENTICATED


async def test_an_endless_query_is_refused(user):
    query = b"&".join(b"a=1" for _ in range(1000))
    assert refused(await inside("voice.bearer." + access_token(user), query=query)) is EndReason.UNAUTHENTICATED


async def test_an_ordinary_query_does_no_harm(user):
    assert refused(await inside("voice.bearer." + access_token(user), query=b"v=2&lang=fr")) is None


@pytest.mark.parametrize("fault", [StoreUnavailable(), OperationalError("down"), TimeoutError()])
async def test_a_part_that_is_down_is_no_bad_credential(fault, monkeypatch):
    async def down(raw: str, **kwargs: Any) -> None:
        raise fault

    monkeypatch.setattr(module, "authenticate", down)
    assert refused(await inside("voice.bearer.token")) is EndReason.OVERLOADED


async def test_nothing_else_than_a_websocket_is_touched():
    header = (b"authorization", b"Bearer secret")
    scope = await inside(headers=(header,), query=b"token=x", kind="http")
    assert header in scope["headers"]
    assert "voice_refusal" not in scope


@pytest.fixture
def untouchable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credential may be looked at, and no store."""

    def touched(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("touched")

    monkeypatch.setattr(module, "authenticate", touched)
    monkeypatch.setattr(gate, "store", touched)


BROUGHT = pytest.mark.parametrize("query", [b"", b"token=eyJ"])


@BROUGHT
async def test_switched_off_by_the_site_nothing_is_decoded_or_looked_up(untouchable, settings, monkeypatch, query):
    async def asked(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the database was asked")

    settings.ENABLE_VOICE_REALTIME = False
    monkeypatch.setattr(module.database, "call", asked)
    assert refused(await inside("voice.v1", "voice.bearer.x", query=query)) is EndReason.DISABLED


@BROUGHT
async def test_nor_when_staff_have_switched_it_off(untouchable, query):
    await sync_to_async(live.save)(VoiceLiveSettings(enabled=False), by="the test")
    assert refused(await inside("voice.v1", "voice.bearer.x", query=query)) is EndReason.DISABLED


async def test_a_database_that_does_not_say_whether_it_is_on_lets_nobody_in(untouchable, monkeypatch):
    def down() -> None:
        raise OperationalError("down")

    monkeypatch.setattr(live, "read", down)
    assert refused(await inside("voice.v1", "voice.bearer.x")) is EndReason.OVERLOADED
