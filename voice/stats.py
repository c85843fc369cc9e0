"""``GET /v1/voice/stats``: the figures of the last hours, for staff and for programs that may see the sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from voice import database, figures, gate
from voice.figures import Window
from voice.messages import MESSAGES
from voice.protocol.outcomes import EndReason
from voice.refusals import refusal, unsuitable
from voice.tokens import Unauthenticated, bearer

PERMISSION = "voice.view_voicesession"
HOURS = 24
LONGEST_HOURS = 24 * 31
LIMIT = 5.0
"""Seconds that the database may take."""


@csrf_exempt  # another method is answered as everywhere here, in JSON
@never_cache
async def stats(request: HttpRequest) -> HttpResponse:
    """The figures, as ``voice/docs/openapi.yaml`` describes them."""
    unfit = unsuitable(request, "GET", "HEAD")
    if unfit is not None:
        return unfit
    try:
        return await database.call(_answer, request, await request.auser(), limit=LIMIT)
    except (DatabaseFault, TimeoutError):
        return refusal(503, EndReason.OVERLOADED.value, MESSAGES[EndReason.OVERLOADED])


def _answer(request: HttpRequest, user: AbstractBaseUser | AnonymousUser) -> HttpResponse:
    refused = _refused(request.headers.get("Authorization", ""), user)
    if refused is not None:
        return refused
    hours = _hours(request.GET.get("hours", str(HOURS)))
    if hours is None:
        message = _("hours is a whole number from 1 to %(most)d.") % {"most": LONGEST_HOURS}
        return refusal(400, "invalid_request", message)
    return JsonResponse(_document(hours))


def _refused(authorization: str, user: Any) -> HttpResponse | None:
    """Why these figures are not for whoever asks. A program's token counts, or else the session's user."""
    scheme, _space, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        try:
            permitted = bearer(token.strip()).has_perm(PERMISSION)  # type: ignore[attr-defined]
        except Unauthenticated:
            return _unauthenticated(_("The token is not accepted."))
    elif user.is_authenticated:
        permitted = getattr(user, "is_staff", False) or user.has_perm(PERMISSION)
    else:
        return _unauthenticated(_("Log in, or bring an access token."))
    return None if permitted else refusal(403, "forbidden", _("You may not see these figures."))


def _unauthenticated(message: str) -> HttpResponse:
    response = refusal(401, EndReason.UNAUTHENTICATED.value, message)
    response["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def _hours(given: str) -> int | None:
    hours = int(given) if given.isascii() and given.isdigit() and len(given) <= 4 else 0
    return hours if 1 <= hours <= LONGEST_HOURS else None


def _document(hours: int) -> dict[str, Any]:
    now = timezone.now()
    window = Window(now - timedelta(hours=hours), now)
    return {
        "enabled": not gate.is_off(),
        "window": {"hours": hours, "from": window.since, "to": window.until},
        "live": figures.live(),
        "sessions": figures.sessions(window),
        "cost": figures.cost(window),
        "turns": figures.turns(window),
        "first_audio_ms": figures.first_audio(window),
        "refusals": figures.refusals(window),
    }
