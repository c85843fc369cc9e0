"""How the app is put into the site: each check, by what is left out."""

from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.test import override_settings
from django.urls import path
from django.utils.module_loading import import_string

from tests.unit.checks.said import ids
from voice.middleware import JWTAuthMiddleware
from voice.routing import websocket_urlpatterns

SERVER: dict[str, Any] = {"VOICE": {"PROVIDER": "local"}}
SESSION, CSRF, AUTHENTICATION = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)

urlpatterns: list[Any] = []  # of a site that has forgotten the app's


class Sessions(import_string(SESSION)):  # type: ignore[misc]
    """A site's own, which does what Django's does, and more."""


def without(middleware: str) -> list[str]:
    return [name for name in django_settings.MIDDLEWARE if name != middleware]


@pytest.mark.parametrize("enabled", [True, False])
def test_this_project_is_in_order(enabled: bool) -> None:
    with override_settings(**SERVER, ENABLE_VOICE_REALTIME=enabled):
        assert ids(deploy=True) == []


def test_e008_the_addresses_are_not_included() -> None:
    with override_settings(**SERVER, ENABLE_VOICE_REALTIME=True, ROOT_URLCONF=__name__):
        assert ids() == ids(deploy=True) == ["voice.E008"]


@pytest.mark.parametrize("missing", ["urls", "request", "middleware"])
def test_a_site_that_is_switched_off_is_told_by_a_check_for_deployment_alone(missing: str) -> None:
    wrong: dict[str, Any] = {
        "urls": {"ROOT_URLCONF": __name__},
        "request": {"TEMPLATES": []},
        "middleware": {"MIDDLEWARE": without(CSRF)},
    }[missing]
    with override_settings(**SERVER, **wrong, ENABLE_VOICE_REALTIME=False):
        assert ids() == []
        assert len(ids(deploy=True)) == 1


def templates(*processors: str) -> dict[str, Any]:
    django = "django.template.backends.django.DjangoTemplates"
    return {"BACKEND": django, "OPTIONS": {"context_processors": [*processors]}}


def test_e011_no_template_gets_the_request() -> None:
    with override_settings(**SERVER, ENABLE_VOICE_REALTIME=True, TEMPLATES=[templates()]):
        assert ids() == ["voice.E011"]


def test_one_engine_whose_templates_get_the_request_is_enough() -> None:
    engines = [templates(), templates("django.template.context_processors.request") | {"NAME": "second"}]
    with override_settings(**SERVER, ENABLE_VOICE_REALTIME=True, TEMPLATES=engines):
        assert ids() == []


@pytest.mark.parametrize("middleware", [SESSION, CSRF, AUTHENTICATION])
def test_e012_a_middleware_is_missing(middleware: str) -> None:
    with override_settings(**SERVER, ENABLE_VOICE_REALTIME=True, MIDDLEWARE=without(middleware)):
        assert ids() == ["voice.E012"]


def test_a_middleware_of_the_sites_own_may_stand_for_djangos() -> None:
    with override_settings(
        **SERVER, ENABLE_VOICE_REALTIME=True, MIDDLEWARE=[f"{__name__}.Sessions", *without(SESSION)]
    ):
        assert ids() == []


@pytest.mark.parametrize(
    ("debug", "enabled", "said"), [(True, True, ["voice.W003"]), (False, True, []), (True, False, [])]
)
def test_w003_the_development_server_would_not_speak_websocket(debug: bool, enabled: bool, said: list[str]) -> None:
    apps = [name for name in django_settings.INSTALLED_APPS if name != "daphne"]
    with override_settings(**SERVER, DEBUG=debug, ENABLE_VOICE_REALTIME=enabled):
        with override_settings(INSTALLED_APPS=apps):
            assert ids() == said
        assert ids() == []


# -- the socket

PAGES = get_asgi_application()
OURS = URLRouter(websocket_urlpatterns)


async def another(scope: Any, receive: Any, send: Any) -> None:
    """A consumer of the site's own."""


async def opaque(scope: Any, receive: Any, send: Any) -> None:
    """A wrapper of which nobody can see what is in it."""


def sockets(websocket: Any) -> Any:
    return ProtocolTypeRouter({"http": PAGES, "websocket": websocket})


@pytest.mark.parametrize(
    "application",
    [
        PAGES,
        ProtocolTypeRouter({"http": PAGES}),
        sockets(URLRouter([path("chat", another)])),
        sockets(JWTAuthMiddleware(URLRouter([path("chat", another)]))),
        sockets(AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([])))),
        sockets(URLRouter([path("voice/", URLRouter(websocket_urlpatterns))])),
    ],
)
def test_e009_the_socket_has_no_route(application: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_application(application, monkeypatch) == ["voice.E009"]


@pytest.mark.parametrize("application", [sockets(OURS), sockets(AuthMiddlewareStack(OURS))])
def test_e010_the_socket_has_no_middleware(application: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_application(application, monkeypatch) == ["voice.E010"]


@pytest.mark.parametrize(
    "application",
    [
        sockets(JWTAuthMiddleware(OURS)),
        sockets(AllowedHostsOriginValidator(JWTAuthMiddleware(AuthMiddlewareStack(OURS)))),
        sockets(JWTAuthMiddleware(URLRouter([path("chat", another), path("", OURS)]))),
        sockets(opaque),
        opaque,
        sockets(URLRouter([path("v1/ws/voice", another)])),
    ],
)
def test_a_socket_that_is_there_or_cannot_be_looked_into_is_in_order(
    application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_application(application, monkeypatch) == []


def test_e013_an_application_that_cannot_be_loaded() -> None:
    with override_settings(**SERVER, ASGI_APPLICATION="project.no_such_module.application"):
        assert ids(deploy=True) == ["voice.E013"]


def test_a_server_that_is_told_its_application_another_way_is_in_order() -> None:
    with override_settings(**SERVER, ASGI_APPLICATION=None):
        assert ids(deploy=True) == []


def of_application(application: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setitem(globals(), "application", application)
    with override_settings(**SERVER, ASGI_APPLICATION=f"{__name__}.application"):
        return ids(deploy=True)
