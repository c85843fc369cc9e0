"""A refusal over HTTP, in the one form that ``voice/docs/protocol.md`` gives it."""

from __future__ import annotations

import math

from django.http import JsonResponse


def refusal(status: int, code: str, message: object, retry_after_ms: int | None = None) -> JsonResponse:
    """``code`` is for programs, ``message`` (translated as late as here) for people; both say why."""
    error = {"code": code, "message": str(message), "retry_after_ms": retry_after_ms}
    response = JsonResponse({"error": error}, status=status)
    if retry_after_ms is not None:
        response["Retry-After"] = str(math.ceil(retry_after_ms / 1000))
    return response
