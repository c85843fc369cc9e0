"""A refusal over HTTP, in the one form that ``voice/docs/protocol.md`` gives it."""

from __future__ import annotations

import math

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext


def refusal(status: int, code: str, message: object, retry_after_ms: int | None = None) -> JsonResponse:
    """``code`` is for programs, ``message`` (translated as late as here) for people; both say why."""
    error = {"code": code, "message": str(message), "retry_after_ms": retry_after_ms}
    response = JsonResponse({"error": error}, status=status)
    if retry_after_ms is not None:
        response["Retry-After"] = str(math.ceil(retry_after_ms / 1000))
    return response


def method_not_allowed(*allowed: str) -> JsonResponse:
    """Whatever the request's method is, it is none of ``allowed``."""
    methods = ", ".join(allowed)
    message = gettext("Possible here: %(methods)s.") % {"methods": methods}
    response = refusal(405, "method_not_allowed", message)
    response["Allow"] = methods
    return response


def not_understood() -> JsonResponse:
    """Some part of the request cannot be what it should be."""
    return refusal(400, "invalid_request", gettext("The request is not understood."))


def unsuitable(request: HttpRequest, *allowed: str) -> JsonResponse | None:
    """The refusal of a request with another method than those ``allowed``, or that takes no JSON."""
    if request.method not in allowed:
        return method_not_allowed(*allowed)
    if not request.accepts("application/json"):
        return refusal(406, "not_acceptable", gettext("The answer is JSON."))
    return None
