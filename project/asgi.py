"""The application that an ASGI server runs: pages over HTTP, conversations over WebSocket."""

import os

from django.core.asgi import get_asgi_application

from project import observability

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
observability.start()
pages = get_asgi_application()  # loads the apps, which the imports below need

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from voice.health import HealthCheck  # noqa: E402
from voice.middleware import JWTAuthMiddleware  # noqa: E402
from voice.routing import websocket_urlpatterns  # noqa: E402

sockets = JWTAuthMiddleware(observability.reported(URLRouter(websocket_urlpatterns)))  # type: ignore[arg-type]  # stubs want one exact scope
application = HealthCheck(ProtocolTypeRouter({"http": pages, "websocket": sockets}))
