"""The application that an ASGI server runs: pages over HTTP, conversations over WebSocket."""

import os

from project import observability
from voice.pages import get_pages_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
observability.start()
pages = get_pages_application()  # loads the apps, which the imports below need

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from voice.health import HealthCheck  # noqa: E402
from voice.middleware import JWTAuthMiddleware  # noqa: E402
from voice.routing import websocket_urlpatterns  # noqa: E402

sockets = JWTAuthMiddleware(observability.reported(URLRouter(websocket_urlpatterns)))  # type: ignore[arg-type]  # stubs want one exact scope
application = HealthCheck(ProtocolTypeRouter({"http": pages, "websocket": sockets}))
