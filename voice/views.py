"""The door for pages: a ticket for the socket, for whoever is logged in."""

from __future__ import annotations

import logging
import math
import re
import time

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser
from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from voice import addresses, gate, origins, resumption
from voice.admission.store import Refused, StoreUnavailable
from voice.admission.throttle import Throttle
from voice.conf import conf
from voice.messages import MESSAGES
from voice.protocol.outcomes import EndReason
from voice.refusals import not_understood, refusal, unsuitable
from voice.resuming.store import Holder
from voice.tokens import mint

security = logging.getLogger("django.security.csrf")

SOCKET_URL = "/v1/ws/voice"

minting = Throttle(limit=30, seconds=60)
"""Tickets per user. In each process alone: it bounds work, while what costs money is counted at the socket."""

INTERRUPTED = "X-Voice-Session"
"""Header in which a page names the session whose conversation it wants to go on with."""
_SESSION_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

_STATUS = {
    EndReason.UNAUTHENTICATED: 401,
    EndReason.DISABLED: 403,
    EndReason.NOT_IN_ROLLOUT: 403,
    EndReason.FORBIDDEN_ORIGIN: 403,
    EndReason.RATE_LIMITED: 429,
    EndReason.OVERLOADED: 503,
}


@csrf_exempt  # from the site's middleware, which answers with a page; the check below answers in JSON
@never_cache
async def ticket(request: HttpRequest) -> HttpResponse:
    """A single-use ticket, or why there is none; both as ``voice.v1`` documents it."""
    unfit = unsuitable(request, "POST")
    if unfit is not None:
        return unfit
    if not gate.flag().master():  # before the session is touched: switched off, it costs no query
        return _refusal(Refused(EndReason.DISABLED))
    forged = await sync_to_async(_forged)(request)
    if forged is not None:
        return forged
    user = await request.auser()
    if not user.is_authenticated:
        return _refusal(Refused(EndReason.UNAUTHENTICATED))
    origin = origins.of_request(request)
    if origin is None:
        return _refusal(Refused(EndReason.FORBIDDEN_ORIGIN))
    interrupted = request.headers.get(INTERRUPTED, "")
    if interrupted and not _SESSION_ID.fullmatch(interrupted):
        return not_understood()
    try:
        return await _answer(request, user, Holder(str(user.pk), origin, resumption.browser(request)), interrupted)
    except (StoreUnavailable, DatabaseFault, TimeoutError):
        return _refusal(Refused(EndReason.OVERLOADED))


async def _answer(request: HttpRequest, user: AbstractBaseUser, holder: Holder, interrupted: str) -> JsonResponse:
    limits = await gate.decision(user)
    if isinstance(limits, EndReason):
        return _refusal(Refused(limits))
    early = minting.wait(holder.user_id, time.monotonic())
    if early:
        return _refusal(Refused(EndReason.RATE_LIMITED, math.ceil(early * 1000)))
    resume = await resumption.reissue(interrupted, holder) if interrupted else None
    if resume is None:  # who goes on with a conversation makes no start
        address = addresses.of_request(request) if limits.sessions_per_address_per_hour else ""
        refused = await gate.store().peek(holder.user_id, limits, address)
        if refused:
            return _refusal(refused)
    ticket = mint(user, holder.origin, holder.browser)
    return JsonResponse({"ticket": ticket, "url": SOCKET_URL, "expires_in": conf().ticket_seconds, "resume": resume})


def _refusal(refused: Refused) -> JsonResponse:
    gate.refused(refused.reason)
    return refusal(_STATUS[refused.reason], refused.reason.value, _message(refused), refused.retry_after_ms)


def _message(refused: Refused) -> str:
    message = str(MESSAGES[refused.reason])
    if refused.retry_after_ms is None:
        return message
    minutes = math.ceil(refused.retry_after_ms / 60_000)
    # In minutes, not as a time of day: the server does not know the visitor's time zone.
    again = ngettext(
        "The next one is possible in %(minutes)d minute.", "The next one is possible in %(minutes)d minutes.", minutes
    )
    return f"{message} {again % {'minutes': minutes}}"


class _Csrf(CsrfViewMiddleware):
    """Django's check. What it refuses is, for all that a visitor can do about it, a page older than its token."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        security.warning("Forbidden (%s): %s", reason, request.path, extra={"status_code": 403, "request": request})
        return refusal(403, "stale_page", gettext("This page has been open for too long. Reload it to go on."))


def _forged(request: HttpRequest) -> HttpResponse | None:
    """Blocking: a site may keep the secret in the session."""
    check = _Csrf(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, None, (), {})  # type: ignore[arg-type]  # the view is exempt for others only
