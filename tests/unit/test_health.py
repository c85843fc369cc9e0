"""Probes: alive without any I/O, ready when database and Redis are there, and details for staff alone."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

import voice
from project.asgi import application
from tests.redis_server import RedisServer
from voice import condition, database, gate, health, live
from voice.admission.memory import MemoryStore
from voice.admission.redis.store import RedisStore
from voice.admission.store import StoreUnavailable
from voice.condition import Part
from voice.models import VoiceLiveSettings

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/v1/voice/health"


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Store(MemoryStore):
    """A store that counts who asks whether it is there, and is not when :attr:`away`."""

    def __init__(self) -> None:
        super().__init__()
        self.pings, self.away = 0, False

    async def ping(self) -> None:
        self.pings += 1
        if self.away:
            raise StoreUnavailable("away")


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Nothing is known yet, and nothing is asked for."""
    monkeypatch.setattr(health, "readiness", health.Readiness())
    store = Store()
    monkeypatch.setattr(gate, "store", lambda: store)
    condition.forget()
    yield store
    condition.forget()


async def ask(query: str = "", *, method: str = "GET", path: str = URL, **headers: str) -> Response:
    """What the site's application answers to a probe that knows neither its name nor TLS."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    said = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return said.pop() if said else await asyncio.Event().wait()

    named = {"host": "10.0.0.7:8000"} | headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    await application(scope, receive, send)
    start, *bodies = sent
    return Response(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in bodies),
    )


async def test_alive_in_one_form_switched_off_or_on(settings):
    off = await ask()
    settings.ENABLE_VOICE_REALTIME = True
    on = await ask()
    assert off.status == on.status == 200
    assert off.json == {"status": "ok", "enabled": False, "version": voice.__version__, "checks": {}}
    assert on.json == {"status": "ok", "enabled": True, "version": voice.__version__, "checks": {}}
    assert on.headers["content-type"] == "application/json"
    assert on.headers["cache-control"] == "no-store"


async def test_a_probe_needs_neither_the_sites_name_nor_tls(settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["www.example.org"], True
    assert (await ask(host="10.0.0.7:8000")).status == 200
    assert (await ask(host="not a host at all")).status == 200
    assert (await ask("probe=ready", host="10.0.0.7:8000")).status == 200
    assert (await ask(path="/accounts/login/", host="10.0.0.7:8000")).status == 400, "only probes are let through"


async def test_alive_asks_nobody(voice_on, monkeypatch, store):
    async def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a database call")

    monkeypatch.setattr(database, "call", never)
    assert (await ask()).status == 200
    assert store.pings == 0


async def test_a_site_without_the_wrapper_answers_by_its_addresses():
    response = await AsyncClient().get(URL)
    assert response.status_code == 200
    assert set(response.json()) == {"status", "enabled", "version", "checks"}
    assert response["Cache-Control"] == "no-store"
    assert (await AsyncClient().post(URL)).status_code == 405


async def test_what_was_seen_last_is_told_with_its_age_to_staff(staff, visitor):
    condition.note(Part.UPSTREAM, ok=False)
    staffs, visitors = AsyncClient(), AsyncClient()
    await staffs.aforce_login(staff)
    await visitors.aforce_login(visitor)

    def cookie(client: AsyncClient) -> str:
        return f"sessionid={client.cookies['sessionid'].value}"

    told = (await ask(cookie=cookie(staffs))).json
    assert told["status"] == "degraded"
    assert told["checks"]["upstream"]["ok"] is False
    assert 0 <= told["checks"]["upstream"]["age_seconds"] < 5
    assert told["checks"]["redis"] == {"ok": None, "age_seconds": None}
    assert set(told["checks"]) == {"database", "redis", "upstream", "knowledge"}
    for other in (cookie(visitors), "sessionid=forged", "sessionid=", "nonsense"):
        seen = await ask(cookie=other)
        assert (seen.status, seen.json["status"], seen.json["checks"]) == (200, "degraded", {})
    assert (await AsyncClient().get(URL)).json()["checks"] == {}
    assert (await staffs.get(URL)).json()["checks"]["upstream"]["ok"] is False


async def test_cookies_by_the_hundred_take_one_thread_of_the_database(monkeypatch):
    asked, going_on = [], asyncio.Event()

    async def slow(function: Any, key: str, *, limit: float) -> bool:
        asked.append(key)
        await going_on.wait()
        return True

    monkeypatch.setattr(database, "call", slow)
    first = asyncio.create_task(ask(cookie="sessionid=first"))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        others = await asyncio.gather(*(ask(cookie=f"sessionid={n}") for n in range(100)))
    going_on.set()
    assert {(other.status, len(other.json["checks"])) for other in others} == {(200, 0)}
    assert (await first).json["checks"] != {}
    assert asked == ["first"]


async def test_alive_without_the_database_whoever_asks(staff, monkeypatch):
    async def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    client = AsyncClient()
    await client.aforce_login(staff)
    monkeypatch.setattr(database, "call", gone)
    response = await ask(cookie=f"sessionid={client.cookies['sessionid'].value}")
    assert (response.status, response.json["checks"]) == (200, {})


async def test_ready_where_database_and_redis_answer(voice_on, store):
    assert (await ask("probe=ready")).status == 200
    assert store.pings == 1
    assert condition.known()[Part.DATABASE].ok


@pytest.mark.parametrize("on", [True, False])
async def test_not_ready_without_the_database(settings, monkeypatch, on):
    settings.ENABLE_VOICE_REALTIME = on

    def gone(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(live, "refresh", gone)
    monkeypatch.setattr(health, "_select", gone)
    response = await ask("probe=ready")
    assert response.status == 503
    assert response.json == {"status": "unavailable", "enabled": on, "version": voice.__version__, "checks": {}}
    assert (await ask()).status == 200, "and yet alive"


async def test_not_ready_without_redis(voice_on, store):
    store.away = True
    assert (await ask("probe=ready")).status == 503


async def test_switched_off_redis_is_left_alone(settings, store):
    store.away = True
    assert (await ask("probe=ready")).status == 200
    settings.ENABLE_VOICE_REALTIME = True
    await database.call(live.save, VoiceLiveSettings(enabled=False), by="a test", limit=5)
    health.readiness = health.Readiness()
    response = await ask("probe=ready")
    assert (response.status, response.json["enabled"]) == (200, False)
    assert store.pings == 0


async def test_many_probes_ask_once(voice_on, store, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(health, "monotonic", lambda: now[0])
    answers = await asyncio.gather(*(ask("probe=ready") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    store.away = True
    assert (await ask("probe=ready")).status == 200
    assert store.pings == 1
    now[0] += health.FRESH_SECONDS
    assert (await ask("probe=ready")).status == 503
    assert store.pings == 2


def test_no_answer_about_readiness_is_older_than_five_seconds():
    assert health.FRESH_SECONDS + 2 * health.CHECK_LIMIT <= 5


async def test_a_part_that_hangs_is_not_waited_for(voice_on, store, monkeypatch):
    monkeypatch.setattr(health, "CHECK_LIMIT", 0.05)
    store.ping = asyncio.Event().wait  # type: ignore[assignment]
    assert (await ask("probe=ready")).status == 503


async def test_a_process_that_is_being_stopped_is_alive_and_not_ready(voice_on):
    condition.drain()
    alive, ready = await ask(), await ask("probe=ready")
    assert (alive.status, alive.json["status"]) == (200, "draining")
    assert (ready.status, ready.json["status"]) == (503, "draining")


async def test_a_process_that_stood_still_is_not_ready_for_ten_seconds(voice_on, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(condition, "monotonic", lambda: now[0])
    condition.stood_still(condition.STILL_LIMIT)
    assert (await ask("probe=ready")).json["status"] == "ok"
    condition.stood_still(condition.STILL_LIMIT + 0.1)
    condition.stood_still(0.0)
    alive, ready = await ask(), await ask("probe=ready")
    assert (alive.status, alive.json["status"]) == (200, "degraded")
    assert (ready.status, ready.json["status"]) == (503, "unavailable")
    now[0] += 10
    assert (await ask("probe=ready")).status == 200


async def test_other_methods_and_probes_are_refused_in_the_documented_form():
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        response = await ask(method=method)
        assert response.status == 405
        assert response.headers["allow"] == "GET, HEAD"
        assert response.headers["cache-control"] == "no-store"
        assert response.json["error"]["code"] == "method_not_allowed"
    response = await ask("probe=nonsense")
    assert (response.status, response.json["error"]["code"]) == (400, "invalid_request")
    assert (await ask("&".join(f"x{n}" for n in range(2000)))).status == 400


async def test_a_head_is_a_get_without_its_body():
    head, get = await ask(method="HEAD"), await ask()
    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers


def test_switched_off_and_unknown_nothing_is_looked_up(client):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(URL).status_code == 200
    assert len(queries) == 0


async def test_redis_itself_is_asked_frozen_gone_and_back(voice_on, monkeypatch):
    with RedisServer() as redis:
        store = RedisStore(redis.url, "voice", no_history)
        monkeypatch.setattr(gate, "store", lambda: store)
        monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
        assert (await ask("probe=ready")).status == 200
        assert condition.known()[Part.REDIS].ok
        redis.freeze()
        assert (await ask("probe=ready")).status == 503
        redis.thaw()
        redis.kill()
        assert (await ask("probe=ready")).status == 503
        assert not condition.known()[Part.REDIS].ok
        redis.start()
        assert (await ask("probe=ready")).status == 200
        await store.close()


async def no_history(user_id: str) -> list[tuple[str, float]]:
    return []


def test_one_version_is_told_everywhere():
    folder = Path(voice.__file__).parent
    assert json.loads((folder / "static/voice/package.json").read_text())["version"] == voice.__version__
    assert f"\n  version: {voice.__version__}\n" in (folder / "docs/openapi.yaml").read_text()


async def test_what_is_used_is_noted():
    await database.call(lambda: None, limit=1)
    assert condition.known()[Part.DATABASE].ok

    def gone() -> None:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        await database.call(gone, limit=1)
    assert not condition.known()[Part.DATABASE].ok
