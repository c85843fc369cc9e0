"""A policy of the strictest kind, for a page that is asked for with ``?policy=nonce``: a nonce, no source by name."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class NoncePolicy:
    """Offers the nonce as django-csp does; the host's own stylesheets and pictures keep their folder."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.GET.get("policy") != "nonce":
            return self.get_response(request)
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        own, folder = request.get_host(), f"{request.get_host()}/static/demo/"
        response.headers["Content-Security-Policy"] = "; ".join(
            (
                "default-src 'none'",
                f"script-src 'nonce-{nonce}' 'strict-dynamic'",
                f"style-src 'nonce-{nonce}' {folder}",
                f"img-src {folder}",
                f"connect-src http://{own} ws://{own}",
                "base-uri 'none'",
                "require-trusted-types-for 'script'",
            )
        )
        return response
