"""Pages are what they are under Django's own handler, computed in one go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from voice.pages import get_pages_application


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} {request.GET.get('q')} {request.body.decode()}")


async def coroutine(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("from a coroutine")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> Any:
        for part in ("one ", "two"):
            await asyncio.sleep(0)
            yield part

    return StreamingHttpResponse(parts())


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path(f"{view.__name__}/", view) for view in (plain, coroutine, streamed, missing, broken)]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


async def got(application: Any, path: str, *, method: str = "GET", query: str = "", body: bytes = b"") -> Any:
    """Status, headers and body of a page."""
    scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": query.encode()}
    visitor = ApplicationCommunicator(application, {**scope, "headers": [(b"host", b"testserver")], "root_path": ""})
    await visitor.send_input({"type": "http.request", "body": body})
    begin, text = await visitor.receive_output(5), b""
    while True:
        piece = await visitor.receive_output(5)
        text += piece.get("body", b"")
        if not piece.get("more_body"):
            await visitor.wait()
            return begin["status"], sorted(begin["headers"]), text


@pytest.mark.parametrize(
    "asked",
    [
        {"path": "/plain/", "query": "q=1"},
        {"path": "/coroutine/"},
        {"path": "/streamed/"},
        {"path": "/missing/"},
        {"path": "/broken/"},
        {"path": "/nowhere/"},
        {"path": "/plain/", "method": "POST", "body": b"a form without its token"},
    ],
    ids=lambda asked: asked.get("method", "GET") + asked["path"],
)
async def test_a_page_is_the_same_as_with_djangos_own(asked: dict[str, Any]) -> None:
    assert await got(get_pages_application(), **asked) == await got(get_asgi_application(), **asked)


async def test_it_is_computed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = []
    to_the_thread = SyncToAsync.__call__

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        ways.append(self.func.__qualname__)
        return await to_the_thread(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    await got(get_pages_application(), "/plain/")
    assert len([way for way in ways if "Signal" not in way]) == 2, "the page, and the closing of its response"
    ways.clear()
    await got(get_asgi_application(), "/plain/")
    assert len(ways) > 10
