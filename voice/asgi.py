"""The whole of it around a site's ASGI application, for a site without sockets of its own."""

from __future__ import annotations

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter

from voice.health import HealthCheck
from voice.middleware import JWTAuthMiddleware
from voice.routing import websocket_urlpatterns


def with_voice(application: Any) -> HealthCheck:
    """``application`` for pages, conversations beside it, and the probes before both::

        application = with_voice(get_asgi_application())

    Django's apps must be loaded, as ``get_asgi_application()`` does. A site that has WebSockets already puts the same
    three parts where they belong in its own router.
    """
    sockets = JWTAuthMiddleware(URLRouter(websocket_urlpatterns))  # type: ignore[arg-type]  # stubs want one exact scope
    return HealthCheck(ProtocolTypeRouter({"http": application, "websocket": sockets}))
