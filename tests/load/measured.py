"""The application, in a process whose event loop is watched."""

from typing import Any

from project.asgi import application as site
from tests.load.lag import Lag

_watching: list[Lag] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    """As the site's own."""
    if not _watching:
        _watching.append(Lag())
    await site(scope, receive, send)
