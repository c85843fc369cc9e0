"""Sites to talk with: whole ones in a process of their own, and the bare application in this one."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sentry_sdk
from channels.routing import URLRouter
from django.contrib.auth.models import User

from project import asgi, observability
from tests import server
from tests.integration.visitor import Message, Visitor
from tests.realtime_server import RealtimeServer
from tests.server import Site
from tests.sink import Sink
from voice import database, finishing, gate, logs, wiring
from voice.admission.limits import Limits
from voice.middleware import JWTAuthMiddleware
from voice.models import VoiceSession
from voice.protocol import pace
from voice.routing import websocket_urlpatterns
from voice.tokens import access_token

# -- in a process of their own ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenAISite:
    """A site that converses through a scripted upstream."""

    site: Site
    upstream: RealtimeServer


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the one database of all sites, so that the knowledge is indexed once."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def local_site(folder: Path) -> Iterator[Site]:
    """A site with the embedded provider."""
    with server.running(folder) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def openai_site(folder: Path) -> AsyncIterator[OpenAISite]:
    """A site with a key, and an address at which the key is good."""
    async with RealtimeServer() as upstream:
        with server.running(folder, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=upstream.url) as site:
            yield OpenAISite(site, upstream)


# -- in this process --------------------------------------------------------------------------------------------

Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """Whatever a test has started in this process is over at its end: every task, and every socket."""
    tasks, sockets = asyncio.all_tasks(), _sockets()
    yield
    left = asyncio.all_tasks() - tasks - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=2)
    assert not left
    assert not _sockets() - sockets


@pytest.fixture
async def upstream(nothing_left: None) -> AsyncIterator[RealtimeServer]:
    """The scripted upstream that the application dials. It outlives each visit, so none is ended by its end."""
    async with RealtimeServer() as server:
        yield server


@pytest.fixture
async def visit(
    upstream: RealtimeServer,
    visitor: User,
    voice_on: None,
    settings: Any,
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Visit]:
    """``await visit()``: a new connection of the user ``visitor``; ``start={}`` says ``start``, too.

    They may speak faster than time passes. At the end, neither a connection to the upstream nor a place among the live
    sessions may be left of any of them.
    """
    settings.VOICE = {
        "PROVIDER": "openai",
        "OPENAI": {"api_key": "sk-test", "base_url": upstream.url},
        "KNOWLEDGE": {"backend": "none"},
    }
    for seconds in ("AUDIO_BURST", "AUDIO_HELD"):
        monkeypatch.setattr(pace, seconds, 3_600.0)
    known = wiring.knowledge
    known.cache_clear()
    gate.store.cache_clear()
    visitors: list[Visitor] = []
    token = access_token(visitor)

    async def visiting(
        *, path: str = "/v1/ws/voice", offer: list[str] | None = None, start: Message | None = None, **headers: str
    ) -> Visitor:
        offered = ["voice.v1", f"voice.bearer.{token}"] if offer is None else offer
        visitors.append(Visitor(asgi.sockets, path, headers, offered))
        await visitors[-1].connect()
        if start is not None:
            await visitors[-1].tell(type="start", **start)
        return visitors[-1]

    yield visiting
    for each in visitors:
        if not each.is_over:
            await each.vanish()
    assert await finishing.settled(5)
    await upstream.until(lambda: upstream.open == 0)
    assert await gate.store().peek("0", Limits(sessions=1)) is None, "a place is still taken"
    await gate.store().close()
    known.cache_clear()


@pytest.fixture
def sessions(visit: Visit) -> Callable[[], Awaitable[list[VoiceSession]]]:
    """``await sessions()``: the records, oldest first, each with its ``turns`` at hand."""

    async def read() -> list[VoiceSession]:
        rows = VoiceSession.objects.order_by("started_at").prefetch_related("turns")
        return await database.call(lambda: list(rows.all()), limit=5)

    return read


# -- the ways out -----------------------------------------------------------------------------------------------


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def reports(sink: Sink, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Sentry points at the sink, as it would with the variable set before the start."""
    settings.SENTRY_DSN = f"http://public@{sink.address}/1"
    observability.start()
    sockets = JWTAuthMiddleware(observability.reported(URLRouter(websocket_urlpatterns)))
    monkeypatch.setattr(asgi, "sockets", sockets)
    yield sink
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def printed() -> Iterator[StringIO]:
    """What the log prints, in both of its formats, down to debug."""
    written = StringIO()
    handlers = []
    for formatter in (logs.LineFormatter(), logs.JSONFormatter()):
        handler = logging.StreamHandler(written)
        handler.setFormatter(formatter)
        handler.addFilter(logs.SessionFilter())
        handlers.append(handler)
    root, ours = logging.getLogger(), logging.getLogger("voice")
    level = ours.level
    ours.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    ours.propagate, propagated = True, ours.propagate
    yield written
    ours.setLevel(level)
    ours.propagate = propagated
    for handler in handlers:
        root.removeHandler(handler)


def _sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            continue  # that of the listing itself
        if target.startswith("socket:"):
            found.add(target)
    return found
