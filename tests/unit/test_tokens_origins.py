"""Which pages may talk to this site."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from voice.origins import admits, normal, of_request, origin_allowed
from voice.tokens import Identity

TICKET = Identity(user=None, kind="ticket", origin="https://example.org")  # type: ignore[arg-type]
ACCESS = Identity(user=None, kind="access", expires_at=9e9)  # type: ignore[arg-type]


def scope(origin: str | None = None, host: str = "example.org", scheme: str = "wss", **headers: str) -> dict[str, Any]:
    sent = {"host": host, **headers, **({} if origin is None else {"origin": origin})}
    return {
        "type": "websocket",
        "path": "/v1/ws/voice",
        "scheme": scheme,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
    }


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["example.org"]


ALIKE = {
    "https://example.org": "https://example.org",
    "HTTPS://Example.ORG": "https://example.org",
    "https://example.org:443": "https://example.org",
    "http://example.org:80": "http://example.org",
    "http://localhost:8000": "http://localhost:8000",
    "http://[::1]:8000": "http://[::1]:8000",
}


@pytest.mark.parametrize(("origin", "expected"), ALIKE.items())
def test_an_origin_is_its_scheme_host_and_port(origin, expected):
    assert normal(origin) == expected


@pytest.mark.parametrize(
    "origin",
    ["null", "", "example.org", "file://", "https://", "ftp://example.org", "https://example.org/", "https://a@example.org",
     "https://example.org:abc", "https://example.org:99999", "https://exa mple.org", "https://[::1", "https://exämple.org",
     "https://example.org, https://evil.example", "https://example.org?x", "https://example.org#x"],
)  # fmt: skip
def test_anything_else_is_no_origin(origin):
    assert normal(origin) is None
    assert not origin_allowed(origin, "https://example.org", [origin])


@pytest.mark.parametrize(
    "origin",
    ["http://example.org", "https://example.org:8443", "https://www.example.org", "https://example.org.evil.com",
     "https://evilexample.org", "https://evil.example"],
)  # fmt: skip
def test_what_is_only_similar_is_not_allowed(origin):
    assert not origin_allowed(origin, "https://example.org", ["https://listed.example"])


def test_the_site_itself_is_allowed_and_what_it_lists():
    assert origin_allowed("https://example.org", "https://example.org", [])
    assert origin_allowed("http://localhost:8000", "http://localhost:8000", [])
    assert origin_allowed("https://listed.example", "https://example.org", ["https://listed.example"])
    assert origin_allowed("https://listed.example", None, ["https://Listed.example:443"])


def test_a_ticket_needs_the_origin_that_it_was_minted_for():
    assert admits(scope("https://example.org"), TICKET)
    assert not admits(scope("https://evil.example"), TICKET)
    assert not admits(scope(None), TICKET)
    assert not admits(scope("null"), TICKET)


def test_a_ticket_is_not_good_on_another_page_even_if_that_is_listed(settings):
    settings.VOICE = {"ORIGINS": ["https://listed.example"]}
    assert not admits(scope("https://listed.example"), TICKET)


def test_a_program_needs_no_origin():
    assert admits(scope(None), ACCESS)


def test_a_program_with_an_origin_is_a_page(settings):
    settings.VOICE = {"ORIGINS": ["https://listed.example"]}
    assert admits(scope("https://example.org"), ACCESS)
    assert admits(scope("https://listed.example"), ACCESS)
    assert not admits(scope("http://example.org"), ACCESS)
    assert not admits(scope("https://evil.example"), ACCESS)
    assert not admits(scope("null"), ACCESS)


def test_a_host_that_is_not_ours_is_no_reason_to_trust_a_page():
    assert not admits(scope("https://evil.example", host="evil.example"), ACCESS)


def test_where_any_host_is_let_through_only_the_list_counts(settings):
    """A page whose name is made to point here (DNS rebinding) names itself as the host, too."""
    settings.ALLOWED_HOSTS = ["*"]
    assert not admits(scope("https://evil.example", host="evil.example"), ACCESS)
    assert not admits(scope("https://example.org"), ACCESS)
    settings.VOICE = {"ORIGINS": ["https://example.org"]}
    assert admits(scope("https://example.org"), ACCESS)
    assert not admits(scope("https://evil.example", host="evil.example"), ACCESS)
    assert admits(scope(None), ACCESS)
    assert admits(scope("https://example.org"), TICKET)
    assert not admits(scope("https://evil.example", host="evil.example"), TICKET)


@pytest.mark.parametrize("origin", ["", "null", "https://example.org, https://example.org"])
def test_an_origin_that_is_none_is_not_as_good_as_none(origin):
    assert not admits(scope(origin), ACCESS)
    assert not admits(scope(origin), TICKET)


def test_a_proxy_is_trusted_as_in_the_pages(settings):
    """Behind one that ends TLS, the server itself sees a plain connection."""
    behind = scope("https://example.org", scheme="ws", x_forwarded_proto="https")
    assert not admits(behind, ACCESS)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert admits(behind, ACCESS)


def test_a_page_is_known_by_its_origin_or_else_by_its_address():
    request = RequestFactory(headers={"host": "example.org"})
    assert of_request(request.post("/", headers={"origin": "https://Example.org"})) == "https://example.org"
    assert of_request(request.post("/", secure=True)) == "https://example.org"
    assert of_request(request.post("/", headers={"origin": "null"})) is None
    assert of_request(request.post("/", headers={"origin": ""})) is None
    assert of_request(request.post("/", headers={"host": "evil.example"})) is None
