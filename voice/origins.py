"""Which pages may talk to this site? Exact by scheme, host and port.

Browsers send the origin of the page with every socket, and pages cannot forge it. Programs send what they like, or
nothing: it protects visitors from foreign pages, not the site from programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from voice.conf import conf
from voice.tokens import Identity

_DEFAULT_PORTS = {"http": 80, "https": 443}


def normal(origin: str) -> str | None:
    """``scheme://host[:port]`` in lower case without a default port; ``None`` if it is no such thing.

    The opaque origin ``null``, which every sandboxed frame shares, is none.
    """
    try:
        parts = urlsplit(origin.lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or origin.lower() != f"{parts.scheme}://{parts.netloc}":
        return None
    if "@" in parts.netloc or not parts.netloc.isascii() or any(c.isspace() for c in parts.netloc):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, _DEFAULT_PORTS[parts.scheme]} else "")


def origin_allowed(origin: str, own: str | None, extra: Iterable[str]) -> bool:
    """Whether ``origin`` is ``own``, that of the site itself, or one of ``extra``."""
    mine = normal(origin)
    return mine is not None and (mine == own or mine in {normal(allowed) for allowed in extra})


def of_request(request: HttpRequest) -> str | None:
    """The origin of the page that asks: as the browser says, or else that of the address it asked."""
    origin = request.headers.get("Origin")
    return _own(request) if origin is None else normal(origin)


def of_scope(scope: Mapping[str, Any]) -> str:
    """The origin of the page that opened this WebSocket; empty for a program that names none."""
    return normal(_as_request(scope).headers.get("Origin", "")) or ""


def admits(scope: Mapping[str, Any], identity: Identity) -> bool:
    """Whether this WebSocket's page may use this credential.

    A ticket is good only with the very origin that it was minted for. An access token may come without any; with one,
    it must be the site's own or one of ``VOICE["ORIGINS"]``. The site's own is what ``ALLOWED_HOSTS`` says it is: where
    that lets any host through, a foreign page could name itself, so only the list counts.
    """
    request = _as_request(scope)
    origin = request.headers.get("Origin")
    if identity.kind == "ticket":
        return origin is not None and normal(origin) is not None and normal(origin) == identity.origin
    if origin is None:
        return True
    own = None if "*" in settings.ALLOWED_HOSTS else _own(request)
    return origin_allowed(origin, own, conf().origins)


def _own(request: HttpRequest) -> str | None:
    """The origin of the address that was asked; ``None`` if that is no host of ours."""
    try:
        return normal(f"{request.scheme}://{request.get_host()}")
    except DisallowedHost:
        return None


def _as_request(scope: Mapping[str, Any]) -> ASGIRequest:
    # So that proxies are trusted here as in the site's pages: SECURE_PROXY_SSL_HEADER, USE_X_FORWARDED_HOST.
    scheme = "https" if scope.get("scheme") in {"wss", "https"} else "http"
    return ASGIRequest({**scope, "type": "http", "method": "GET", "scheme": scheme, "query_string": b""}, BytesIO())
