"""``{% load voice %}{% voice_widget %}``: the widget's place in a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from django import template
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.translation import get_language

from voice import database, gate
from voice.conf import conf
from voice.protocol.wires.voice_v1 import PAGE_TEXT_LIMIT
from voice.views import SOCKET_URL

register = template.Library()

DECISION_LIMIT = 0.25
"""Seconds for the database to say whether somebody may talk, where an event loop waits for it."""


@register.inclusion_tag("voice/widget.html", takes_context=True)
def voice_widget(
    context: RequestContext,
    *,
    title: str = "",
    text: str = "",
    position: Literal["floating", "inline"] = "floating",
    accent: str = "",
    push_to_talk: bool = False,
) -> dict[str, Any]:
    """The widget, for visitors who are logged in; a link to log in, for others; nothing where voice is off.

    ``title`` and ``text`` tell the assistant what the page is about; without them, the browser's own title does.
    ``accent`` is a colour, ``#rgb`` or ``#rrggbb``. With ``push_to_talk`` the visitor holds a button while they speak.
    """
    if not gate.flag().master():  # before the session is touched: switched off, it costs no query
        return {"enabled": False}
    request = _request(context)
    user = request.user
    return {
        "enabled": _may_talk(user),
        "authenticated": user.is_authenticated,
        "login_url": _login_url(request),
        "language": get_language() or conf().languages[0],
        "ticket_url": reverse("voice:ticket"),
        "socket_url": SOCKET_URL,
        "position": position,
        "accent": accent,
        "push_to_talk": push_to_talk,
        "warm": conf().warm_upstream,
        # The path alone: a query string may hold what is nobody's business.
        "page": {"url": request.path, "title": title, "text": text[:PAGE_TEXT_LIMIT]},
        "consent": _consent(get_language() or ""),
        "resumable": conf().resume,
        "csp_nonce": _nonce(context, request),
    }


def _may_talk(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this user may; of somebody unknown, whether anybody may. A page never fails for not knowing."""
    flag = gate.flag()
    try:
        if user.is_authenticated:
            return database.ask(lambda: flag.decide(user), limit=DECISION_LIMIT) is None
        return database.ask(flag.enabled, limit=DECISION_LIMIT)
    except (DatabaseFault, TimeoutError):
        return False


def _request(context: RequestContext) -> HttpRequest:
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        raise ImproperlyConfigured(
            "{% voice_widget %} needs the request in its context: render the template with it, and have "
            "django.template.context_processors.request in TEMPLATES."
        )
    return request


def _login_url(request: HttpRequest) -> str:
    url = resolve_url(conf().login_url)
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'next': request.get_full_path()})}"


def _consent(language: str) -> Mapping[str, str]:
    """The site's notice in the page's language, as ``text`` (empty: the widget's own), and its ``version``.

    The widget's own notice names the ``processor``, so another one makes it a new notice.
    """
    notice = conf().consent
    candidates = (language, language.partition("-")[0], conf().languages[0])
    text = next((notice[tag] for tag in candidates if notice.get(tag)), "")
    version, processor = notice.get("version", ""), str(conf().provider)
    return {"text": text, "processor": processor, "version": version if text else f"{version}.{processor}"}


def _nonce(context: RequestContext, request: HttpRequest) -> str:
    # Django 6 has it in the context, django-csp on the request.
    return str(context.get("csp_nonce") or getattr(request, "csp_nonce", None) or "")
