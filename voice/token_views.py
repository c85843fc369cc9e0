"""simplejwt's views, behind a door of ours: throttled, closed while voice is switched off, and answering in one form.

What a token is good for, and for how long, is the site's own ``SIMPLE_JWT``.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from rest_framework import exceptions as drf
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView, TokenViewBase

from voice import addresses, gate
from voice.admission.throttle import Throttle
from voice.messages import MESSAGES
from voice.protocol.outcomes import EndReason
from voice.refusals import refusal
from voice.tokens import Unauthenticated, refresher

LONGEST_BODY = 16 * 1024
"""Bytes. Far more than a password or a token; far less than what makes a JSON parser work."""
LONGEST_NAME = 150
"""Characters of a user name that are counted, as many as Django's own users have; it bounds what is remembered."""

by_address = Throttle(limit=30, seconds=60)
"""Requests of one address, in each process alone."""
by_name = Throttle(limit=10, seconds=300)
"""Requests with one user name, whoever sends them and whether or not anybody has it; in each process alone."""

_UNKNOWN = _("The request is not understood.")
_TOLD: dict[type[Exception], tuple[int, str, Any]] = {
    drf.ParseError: (400, "invalid_request", _UNKNOWN),
    drf.ValidationError: (400, "invalid_request", _UNKNOWN),
    InvalidToken: (401, "unauthenticated", _("The token is not accepted.")),
    drf.AuthenticationFailed: (401, "unauthenticated", _("The user name or the password is not right.")),
    drf.MethodNotAllowed: (405, "method_not_allowed", _("Only POST is possible here.")),
    drf.NotAcceptable: (406, "not_acceptable", _("The answer is JSON.")),
    drf.UnsupportedMediaType: (415, "unsupported_media_type", _("The request must be JSON.")),
    drf.Throttled: (429, "rate_limited", _("Too many requests.")),
}
"""What is told of each error: the first that fits."""


class SmallJSON(JSONParser):
    """JSON that cannot be made to cost anything. DRF reads a body whatever its size, and nesting ends in a 500."""

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        """As DRF's. Raises ``ParseError``."""
        body = stream.read(LONGEST_BODY + 1)
        if len(body) > LONGEST_BODY:
            raise drf.ParseError
        try:
            return super().parse(BytesIO(body), *args, **kwargs)
        except RecursionError:
            raise drf.ParseError from None


class Door(ABC, TokenViewBase):
    """What both views do before simplejwt is asked. Nothing of it depends on the site's ``REST_FRAMEWORK``."""

    http_method_names = ["post"]
    parser_classes = (SmallJSON,)
    renderer_classes = (JSONRenderer,)
    versioning_class = None

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    @sensitive_variables()  # of all that is called from here: an error page or mail shows no password
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Closed while voice is switched off, before anything is read."""
        try:
            if gate.flag().enabled():
                return super().dispatch(request, *args, **kwargs)
            return refusal(403, EndReason.DISABLED.value, MESSAGES[EndReason.DISABLED])
        except DatabaseFault:
            return refusal(503, EndReason.OVERLOADED.value, MESSAGES[EndReason.OVERLOADED])

    def check_throttles(self, request: Request) -> None:
        """At most so many of an address, and so many of a user."""
        _count(by_address, addresses.of_request(request._request))
        if isinstance(request.data, Mapping) and (name := self.name(request.data)) is not None:
            _count(by_name, name.strip().casefold()[:LONGEST_NAME])

    @abstractmethod
    def name(self, data: Mapping[str, Any]) -> str | None:
        """Who it is about, if that can be said; what is wrong with the request is found later."""

    def get_exception_handler(self) -> Any:
        """Ours, whatever the site has for its own API."""
        return _told


class Obtain(Door, TokenObtainPairView):
    """``POST /v1/token/``: user name and password for an access token and a refresh token."""

    def name(self, data: Mapping[str, Any]) -> str | None:
        """The user name. DRF takes a number for its digits."""
        name = data.get(get_user_model().USERNAME_FIELD)
        return str(name) if isinstance(name, str | int | float) else None


class Refresh(Door, TokenRefreshView):
    """``POST /v1/token/refresh/``: a refresh token for a new access token."""

    def name(self, data: Mapping[str, Any]) -> str | None:
        """The token's user, who must still be there. simplejwt itself fails over one who was deleted."""
        raw = data.get("refresh")
        if not isinstance(raw, str):
            return None
        try:
            return f"pk {refresher(raw).pk}"
        except Unauthenticated:
            raise InvalidToken from None


def _count(throttle: Throttle, key: str) -> None:
    early = throttle.wait(key, time.monotonic())
    if early:
        raise drf.Throttled(wait=early)


def _told(error: Exception, context: Any) -> JsonResponse | None:
    """The answer to ``error``; ``None``: it is a bug, and nobody's to be told."""
    for kind, (status, code, message) in _TOLD.items():
        if isinstance(error, kind):
            wait = getattr(error, "wait", None)
            response = refusal(status, code, message, None if wait is None else math.ceil(wait * 1000))
            if status == 401:
                response["WWW-Authenticate"] = 'Bearer realm="api"'
            return response
    return None
