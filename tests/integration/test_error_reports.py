"""Errors reach whoever watches the site; keys, tickets, and what was said or known do not, on any way out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
import sentry_sdk
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import AsyncClient, RequestFactory
from django.views.debug import technical_500_response

from project import observability
from project.scrubbing import scrub
from tests.fakes import FakeKnowledge
from tests.integration.conftest import Visit
from tests.realtime_server import RealtimeServer
from tests.sink import Sink
from voice import stats, wiring
from voice.knowledge.base import Passage
from voice.tokens import access_token

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-canary-of-the-key"
INSTRUCTIONS = "canary of the instructions"
PASSAGE = "canary of a passage"
QUESTION = "canary of a question"


class TalkativeKnowledge(FakeKnowledge):
    """It fails, and its error says everything: what was asked, what it knows, and the key."""

    async def search(self, query: str, **_: Any) -> tuple[Passage, ...]:
        key, passage = KEY, PASSAGE
        raise RuntimeError(f"{query}: {passage} (with {key}, told {INSTRUCTIONS})")


@pytest.fixture
async def canaries(visit: Visit, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that is full of what must not get out, and whose knowledge tells all of it when it fails."""
    settings.VOICE = {
        **settings.VOICE,
        "INSTRUCTIONS": INSTRUCTIONS,
        "OPENAI": {**settings.VOICE["OPENAI"], "api_key": KEY},
    }
    monkeypatch.setattr(wiring, "knowledge", lambda: TalkativeKnowledge())


def silent_about(text: str, *secrets: str) -> None:
    """Not as they are, and not as JSON or a repr would spell them."""
    for secret in (KEY, INSTRUCTIONS, PASSAGE, QUESTION, "canary", *secrets):
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text


async def test_an_error_in_a_conversation_is_reported_and_nothing_that_was_said(
    visit: Visit, canaries: None, reports: Sink, printed: StringIO, upstream: RealtimeServer, visitor: Any
) -> None:
    token = access_token(visitor)
    client = await visit(offer=["voice.v1", f"voice.bearer.{token}"], start={}, cookie="sessionid=canary-cookie")
    ready = await client.until("session.ready")
    await client.ask(QUESTION)
    await client.vanish(1001)
    sentry_sdk.flush(5)
    reports.wait(1)

    event = next(e for e in events(reports) if "exception" in e)
    assert event["exception"]["values"][-1]["type"] == "RuntimeError"
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "search"
    assert event["logentry"]["message"] == "the knowledge failed"
    assert event["tags"]["voice.session"] == ready["session_id"]
    assert event["request"]["url"] == "ws://testserver/v1/ws/voice"
    silent_about(reports.text, token)

    lines = printed.getvalue()
    assert "the knowledge failed" in lines
    assert f"[{ready['session_id']}]: begins with openai" in lines
    counted = r"ends after [\d.]+ s: client_away; 1 turns, \d+ searches.*, [1-9]\d* frames received, [1-9]\d* sent"
    assert re.search(re.escape(f"[{ready['session_id']}]: ") + counted, lines)
    assert "builtins.RuntimeError" in lines
    silent_about(lines, token)


async def test_a_bug_in_the_consumer_is_reported_too(
    visit: Visit, canaries: None, reports: Sink, printed: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(f"{KEY} {INSTRUCTIONS}")

    monkeypatch.setattr(wiring, "session", broken)
    client = await visit(start={})
    assert (await client.ending())["reason"] == "internal_error"
    sentry_sdk.flush(5)
    reports.wait(1)
    assert [e["exception"]["values"][-1]["type"] for e in events(reports)] == ["ZeroDivisionError"], "and once"
    silent_about(reports.text)
    silent_about(printed.getvalue())


async def test_a_page_that_fails_is_reported_without_its_request(
    staff: Any, reports: Sink, printed: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(hours: int) -> Any:
        raise RuntimeError(f"{KEY} {PASSAGE}")

    monkeypatch.setattr(stats, "_document", broken)
    token = access_token(staff)
    headers = {"authorization": f"Bearer {token}", "cookie": "sessionid=canary-cookie", "referer": "https://canary"}
    response = await AsyncClient(raise_request_exception=False).get("/v1/voice/stats?token=canary", headers=headers)
    sentry_sdk.flush(5)
    reports.wait(1)
    assert response.status_code == 500
    assert {e["exception"]["values"][-1]["type"] for e in events(reports)} == {"RuntimeError"}
    assert "builtins.RuntimeError" in printed.getvalue()
    for told in (response.content.decode(), reports.text, printed.getvalue()):
        silent_about(told, token)


def events(sink: Sink) -> list[dict[str, Any]]:
    """The events among all that was sent."""
    lines = [line for _, body in sink.taken for line in body.decode().splitlines()]
    return [
        found
        for line in lines
        if isinstance(found := json.loads(line), dict) and "event_id" in found and "level" in found
    ]


def test_an_event_keeps_what_locates_the_error_and_nothing_else() -> None:
    secret = "canary"
    event = {
        "event_id": "1",
        "level": "error",
        "logentry": {"message": "failed with sk-canary1234 %s", "params": [secret], "formatted": secret},
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": secret,
                    "stacktrace": {"frames": [{"function": "f", "lineno": 1, "vars": {"x": secret}}]},
                }
            ]
        },
        "breadcrumbs": {"values": [{"category": "httplib", "message": secret, "data": {"url": secret}}]},
        "request": {
            "url": f"https://example.org/a?token={secret}#{secret}",
            "query_string": secret,
            "cookies": {"sessionid": secret},
            "data": {"password": secret},
            "env": {"X": secret},
            "headers": {
                "Host": "example.org",
                "Authorization": secret,
                "Cookie": secret,
                "Sec-WebSocket-Protocol": secret,
                "Referer": secret,
                "X-CSRFToken": secret,
            },
        },
        "user": {"email": secret},
        "extra": {"sys.argv": [secret]},
        "contexts": {"runtime": {"name": "CPython"}, "response": {"body": secret}},
        "modules": {secret: "1"},
    }
    scrubbed = scrub(event)
    assert secret not in json.dumps(scrubbed)
    assert scrubbed["request"] == {"method": None, "url": "https://example.org/a", "headers": {"Host": "example.org"}}
    assert scrubbed["exception"]["values"][0]["type"] == "ValueError"
    assert scrubbed["exception"]["values"][0]["stacktrace"]["frames"] == [{"function": "f", "lineno": 1}]


def test_djangos_page_for_developers_hides_the_keys(settings: Any) -> None:
    settings.DEBUG = True
    settings.OPENAI_API_KEY = settings.JWT_SIGNING_KEY = settings.WEAVIATE_API_KEY = KEY
    settings.VOICE = {"OPENAI": {"api_key": KEY}, "SIGNING_KEY": KEY}
    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {KEY}")
    try:
        exec("raise ValueError", {})  # noqa: S102  # the page shows source lines, and these here name the key
    except ValueError:
        page = technical_500_response(request, *sys.exc_info()).content.decode()
    assert "VOICE" in page
    assert KEY not in page


METRICS = """
import sys
from django.conf import settings
from project import observability
observability.start()
from voice import metrics
from voice.protocol.outcomes import EndReason
metrics.refused(EndReason.RATE_LIMITED)
from opentelemetry.metrics import get_meter_provider
get_meter_provider().shutdown()
"""


def test_metrics_go_where_the_variable_says(sink: Sink) -> None:
    """In a process of its own: a process has one meter provider, for ever."""
    variables = {"DJANGO_DEBUG": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{sink.address}"}
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", **variables}
    subprocess.run([sys.executable, "-c", METRICS], env=environment, check=True, timeout=60)
    assert [path for path, _ in sink.taken] == ["/v1/metrics"]
    body = sink.taken[0][1]
    assert b"voice.refusals" in body
    assert b"rate_limited" in body
    assert b"service.name" in body


@pytest.mark.parametrize("variable", ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_missing_package_is_a_failed_check_and_no_crash(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    setattr(settings, variable, "http://localhost:9/1")
    monkeypatch.setattr(observability, "_installed", lambda name: False)
    with pytest.raises(SystemCheckError, match=r"project\.E001"):
        call_command("check")
    observability.start()
    assert "requirements-observability.txt" in caplog.text

    async def application(scope: Any, receive: Any, send: Any) -> None:
        """Nothing."""

    assert observability.reported(application) is application
