"""The application, in a process that is looked into."""

from typing import Any

from project.asgi import application as site
from tests.load.inside import Inside
from tests.load.lag import Lag

_watching: list[Lag | Inside] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    """As the site's own."""
    if not _watching:
        _watching.extend((Lag(), Inside()))
    await site(scope, receive, send)
