"""``GET /v1/voice/health``: does this process live, and with ``?probe=ready``, may it be sent visitors?

Alive is answered without any I/O, so that no outage elsewhere has a whole fleet restarted: 200 for as long as the event
loop turns, with what was last seen of each part. Ready asks the database, and Redis where the site counts there, and
minds whether the event loop has stood still. Neither ever asks the provider, which would cost money.

Probes come by address, without TLS and without a known ``Host``. :class:`HealthCheck` therefore answers before Django:
no middleware redirects or refuses them, and no page that is slow holds them up. A site without it has the same answers
from its ``voice.urls``, behind its middleware.

What the parts look like is for staff only. The one look-up that their session costs is made where there is a session
cookie, which no probe has, one at a time and within a second; whoever it fails for sees what everybody sees.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import Error as DatabaseFault
from django.db import connections, router
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.cookie import parse_cookie
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from voice import __version__, condition, database, finishing, gate
from voice.admission.store import StoreUnavailable
from voice.condition import Part
from voice.models import VoiceSession
from voice.refusals import method_not_allowed, refusal

log = logging.getLogger("voice.health")

PATH = "/v1/voice/health"
CHECK_LIMIT = 1.0
"""Seconds that a part may take to show that it is there, and the look-up of who asks."""
FRESH_SECONDS = 2.0
"""How long an answer about readiness is given again. With both limits it is at most four seconds old."""

Application = Callable[[Any, Any, Any], Awaitable[Any]]


class HealthCheck:
    """Answers the probes; everything else goes on to ``app``::

    application = HealthCheck(ProtocolTypeRouter({...}))
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """An ASGI application, around another."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope.get("root_path", "")) != PATH:
            return await self.app(scope, receive, send)
        response = await _response(scope["method"], _probe(scope), _session_key(scope))
        headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
        headers.append((b"content-length", str(len(response.content)).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.content
        return await send({"type": "http.response.body", "body": body})


@csrf_exempt  # another method is answered as everywhere here, in JSON
async def health(request: HttpRequest) -> HttpResponse:
    """The same, as a view."""
    return await _response(
        request.method or "", request.GET.get("probe", ""), request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    )


async def _response(method: str, probe: str, session_key: str) -> HttpResponse:
    if method not in {"GET", "HEAD"}:
        response: HttpResponse = method_not_allowed("GET", "HEAD")
    elif probe not in {"", "live", "ready"}:
        response = refusal(400, "invalid_request", _("probe is live or ready."))
    else:
        status, document = await _document(probe == "ready", session_key)
        response = HttpResponse(json.dumps(document), content_type="application/json", status=status)
    response["Cache-Control"] = "no-store"
    return response


async def _document(ready: bool, session_key: str) -> tuple[int, dict[str, Any]]:
    missing = await readiness.missing() if ready else ()
    parts = condition.known()
    if condition.draining():
        status = "draining"
    elif missing or (ready and condition.lagging()):
        status = "unavailable"
    else:
        failing = any(noted and not noted.ok for noted in parts.values())
        status = "degraded" if failing or condition.lagging() else "ok"
    document = {
        "status": status,
        "enabled": not gate.is_off(),
        "version": __version__,
        "checks": _details(parts) if session_key and await _is_staff(session_key) else {},
    }
    return (503 if ready and status in {"draining", "unavailable"} else 200), document


def _details(parts: Mapping[Part, condition.Noted | None]) -> dict[str, Any]:
    return {
        part.value: {"ok": noted and noted.ok, "age_seconds": noted and round(noted.age, 1)}
        for part, noted in parts.items()
    }


async def _is_staff(session_key: str) -> bool:
    # One at a time: anybody can send a cookie, and conversations need these threads.
    if not _looking_up.acquire(blocking=False):
        return False
    try:
        return await database.call(_session_is_staffs, session_key, limit=CHECK_LIMIT)
    except Exception as error:  # whatever a site's session store raises: to be alive does not depend on it
        log.debug("who asks for the details cannot be looked up: %s", type(error).__name__)
        return False
    finally:
        _looking_up.release()


def _session_is_staffs(session_key: str) -> bool:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user.is_active and bool(getattr(user, "is_staff", False))


# -- ready --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    missing: tuple[Part, ...]


class Readiness:
    """What is missing for a visitor to be served, asked at most once in two seconds, however many probes come."""

    def __init__(self) -> None:
        self._last: _Answer | None = None
        self._asking: asyncio.Task[_Answer] | None = None

    async def missing(self) -> tuple[Part, ...]:
        """The parts that are needed and out of reach."""
        if self._last is None or monotonic() >= self._last.at + FRESH_SECONDS:
            self._last = await self._asked()
        return self._last.missing

    async def _asked(self) -> _Answer:
        asking = self._asking
        if asking is None or asking.done() or asking.get_loop() is not asyncio.get_running_loop():
            asking = self._asking = finishing.begin(_ask())
        return await asyncio.shield(asking)  # a probe that hangs up takes the answer from no other


async def _ask() -> _Answer:
    missing = tuple(
        [part for part, is_there in ((Part.DATABASE, _database), (Part.REDIS, _store)) if not await is_there()]
    )
    if missing:
        log.warning("not ready: out of reach are %s", ", ".join(missing))
    return _Answer(monotonic(), missing)


async def _database() -> bool:
    try:
        await database.call(gate.look if gate.flag().master() else _select, limit=CHECK_LIMIT)
    except (DatabaseFault, TimeoutError):
        return False
    return True


def _select() -> None:
    with connections[router.db_for_read(VoiceSession)].cursor() as cursor:
        cursor.execute("SELECT 1")


async def _store() -> bool:
    if gate.is_off():  # then nobody is counted, and Redis is not even dialled
        return True
    try:
        async with asyncio.timeout(CHECK_LIMIT):
            await gate.store().ping()
    except (StoreUnavailable, TimeoutError):
        return False
    return True


readiness = Readiness()
_looking_up = Lock()


# -- the request, without Django's ---------------------------------------------------------------------------------


def _probe(scope: Any) -> str:
    try:
        return QueryDict(scope.get("query_string", b"")).get("probe", "") or ""
    except Exception:  # more fields than Django reads, or no text
        return "?"


def _session_key(scope: Any) -> str:
    cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie")
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
