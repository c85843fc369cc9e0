"""The app is put into the site: its addresses, its socket, and what its tag and its ticket need around them.

Once the switch is on, what is missing is an error. Until then a site may be set up step by step, so it is said by
``check --deploy`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter, get_default_application
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004
from django.core.handlers.asgi import ASGIHandler
from django.urls import NoReverseMatch, Resolver404, reverse
from django.utils.module_loading import import_string

from voice.conf import enabled
from voice.middleware import JWTAuthMiddleware
from voice.routing import PATH, conversation

E008 = Error(
    "The addresses of voice are not among the site's: every page with the widget would fail.",
    hint='Add path("v1/", include("voice.urls")) to the urlpatterns of ROOT_URLCONF.',
    id="voice.E008",
)
E009 = Error(
    f"ASGI_APPLICATION has no WebSocket route to /{PATH}: no visitor could connect.",
    hint="Have JWTAuthMiddleware(URLRouter(voice.routing.websocket_urlpatterns)) under 'websocket' in its "
    "ProtocolTypeRouter.",
    id="voice.E009",
)
E010 = Error(
    f"The WebSocket route to /{PATH} has no JWTAuthMiddleware around it: every conversation would end as it begins.",
    hint="Put voice.middleware.JWTAuthMiddleware around the URLRouter in ASGI_APPLICATION.",
    id="voice.E010",
)
E011 = Error(
    "Templates do not get the request: every page with the widget would fail.",
    hint="Add 'django.template.context_processors.request' to the context_processors of TEMPLATES.",
    id="voice.E011",
)
W003 = Warning(
    "'daphne' is not in INSTALLED_APPS, so manage.py runserver serves no WebSocket: the microphone would not connect.",
    hint="Put 'daphne' before 'django.contrib.staticfiles', or start an ASGI server yourself.",
    id="voice.W003",
)

MIDDLEWARE = {
    "django.contrib.sessions.middleware.SessionMiddleware": "nobody would be logged in",
    "django.middleware.csrf.CsrfViewMiddleware": "no page would get the cookie without which its ticket is refused",
    "django.contrib.auth.middleware.AuthenticationMiddleware": "every page with the widget would fail",
}
"""What must be there, and what would happen to visitors without it."""


@register("voice")
def check_site(**_: Any) -> list[CheckMessage]:
    """Pages with the widget work, and they get their tickets."""
    return [*_missing()] if enabled() else []


@register("voice", deploy=True)
def check_site_before_it_is_switched_on(**_: Any) -> list[CheckMessage]:
    """The same for a site that is switched off."""
    return [] if enabled() else [*_missing()]


@register("voice", deploy=True)
def check_socket(**_: Any) -> list[CheckMessage]:
    """``ASGI_APPLICATION``, loaded as a server loads it, leads to the consumer; by way of what can be looked into."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        return []  # the server is told another way
    try:
        application = get_default_application()
    except Exception as error:  # the site's code: whatever it raises, it raises when the server starts
        return [_not_loaded(error)]
    return [*_wrong_on_the_way(application)]


@register("voice")
def check_development_server(**_: Any) -> list[CheckMessage]:
    """Django's own development server does not speak WebSocket."""
    return [W003] if settings.DEBUG and enabled() and "daphne" not in map(_package, settings.INSTALLED_APPS) else []


def _missing() -> Iterator[CheckMessage]:
    try:
        reverse("voice:ticket")
    except NoReverseMatch:
        yield E008
    if not any(_gives_the_request(engine) for engine in settings.TEMPLATES):
        yield E011
    present = [_imported(path) for path in settings.MIDDLEWARE]
    for path, consequence in MIDDLEWARE.items():
        wanted = import_string(path)
        if not any(isinstance(one, type) and issubclass(one, wanted) for one in present):
            yield _no_middleware(path, consequence)


def _gives_the_request(engine: dict[str, Any]) -> bool:
    return "django.template.context_processors.request" in engine.get("OPTIONS", {}).get("context_processors", ())


def _imported(path: str) -> object:
    try:
        return import_string(path)
    except ImportError:  # Django itself says so, at the first request
        return None


def _package(app: str) -> str:
    return app.partition(".")[0]


def _no_middleware(path: str, consequence: str) -> Error:
    name = path.rpartition(".")[2]
    return Error(f"{name} is not in MIDDLEWARE: {consequence}.", hint=f"Add {path!r} to it.", id="voice.E012")


def _not_loaded(error: Exception) -> Error:
    return Error(
        f"ASGI_APPLICATION cannot be loaded ({type(error).__name__}: {error}): no server would start.",
        hint="It is the dotted path of an ASGI application, such as 'project.asgi.application'.",
        id="voice.E013",
    )


def _wrong_on_the_way(application: object) -> Iterator[CheckMessage]:
    way = [*_way(application, PATH)]
    if isinstance(way[-1], ProtocolTypeRouter | URLRouter | ASGIHandler):
        yield E009
    elif way[-1] is conversation and not any(isinstance(one, JWTAuthMiddleware) for one in way):
        yield E010


def _way(application: Any, path: str) -> Iterator[object]:
    """The applications that a WebSocket to ``path`` passes, to the last that says what is within it."""
    while application is not None:
        yield application
        if isinstance(application, ProtocolTypeRouter):
            application = application.application_mapping.get("websocket")
        elif isinstance(application, URLRouter):
            application, path = _routed(application.routes, path)
        else:  # a middleware, by the names that Channels' own and ours give to what they wrap
            application = next(
                (getattr(application, name) for name in ("inner", "application", "app") if hasattr(application, name)),
                None,
            )


def _routed(routes: Iterable[Any], path: str) -> tuple[Any, str]:
    for route in routes:
        try:
            if match := route.pattern.match(path):
                return route.callback, match[0]
        except Resolver404:
            continue
    return None, path
