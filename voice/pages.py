"""Pages beside conversations: each is computed in one go, in a thread of its own.

Under ASGI, Django goes to that thread and back for each half of most middlewares: 18 times for a login form, with the
middlewares of a new project. Each way back waits for its turn on the event loop, which a hundred conversations keep
half busy; and the ways themselves are a third of what such a page costs without any. Here it goes there three times:
for the page, and for what Django does when a request begins and when it ends.

For sites whose views are functions and classes of the ordinary kind. Views that are coroutines work, but each keeps a
thread waiting: a site of those is better off with Django's own.
"""

from __future__ import annotations

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def get_pages_application() -> ASGIHandler:
    """As Django's ``get_asgi_application()``: loads the apps, and returns an ASGI application."""
    django.setup(set_prefix=False)
    return _Pages()


class _Pages(ASGIHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        """Put the middlewares together, as under WSGI."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """All of it, in the request's thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
