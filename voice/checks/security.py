"""Who gets in: keys, tokens, hosts and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from channels.routing import get_default_application
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004
from rest_framework_simplejwt import settings as simplejwt

from voice.conf import conf, problems
from voice.health import HealthCheck

KEY_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""A key is at least as long as its hash (RFC 7518, section 3.2)."""
LONGEST_ACCESS = timedelta(hours=1)
HEALTH = "v1/voice/health"

W002_HINT = "python -c 'import secrets; print(secrets.token_urlsafe(64))' makes one."
W007 = Warning(
    "ALLOWED_HOSTS allows every host, so that the site cannot tell its own pages from others': an access token would "
    "be refused on every page, except on those of VOICE['ORIGINS'].",
    hint="Name the site's hosts.",
    id="voice.W007",
)
W008 = Warning(
    f"SECURE_SSL_REDIRECT redirects /{HEALTH} as well: a load balancer that asks without TLS would see no healthy "
    "server, and send visitors nowhere.",
    hint="Put voice.health.HealthCheck around ASGI_APPLICATION, so that health is answered before any middleware, or "
    rf"add r'^{HEALTH}$' to SECURE_REDIRECT_EXEMPT.",
    id="voice.W008",
)
W009 = Warning(
    "Access tokens live for more than an hour: who finds one talks at its owner's expense for as long.",
    hint="Set ACCESS_TOKEN_LIFETIME in SIMPLE_JWT to some minutes: programs get a new one by their refresh token.",
    id="voice.W009",
)
W010 = Warning(
    "SIMPLE_JWT has no LEEWAY, and several machines may serve the site: one whose clock is a moment behind would "
    "refuse the tickets that another has just given.",
    hint="Set LEEWAY in SIMPLE_JWT to some seconds.",
    id="voice.W010",
)
W011 = Warning(
    "The site is behind a proxy, and VOICE['TRUSTED_PROXIES'] is 0: all visitors would count as one address, so that "
    "one of them can use up what all may do.",
    hint="Say how many proxies append to X-Forwarded-For, in this project by VOICE_TRUSTED_PROXIES.",
    id="voice.W011",
)


@register("voice", Tags.security, deploy=True)
def check_signing_keys(**_: Any) -> list[CheckMessage]:
    """Tickets and access tokens are signed with long keys, which are nothing else's."""
    if problems():
        return []
    keys = {"SIMPLE_JWT['SIGNING_KEY']": (simplejwt.api_settings.SIGNING_KEY, simplejwt.api_settings.ALGORITHM)}
    if conf().signing_key != simplejwt.api_settings.SIGNING_KEY:
        keys["VOICE['SIGNING_KEY']"] = conf().signing_key, "HS256"
    return [_weak(name, wrong) for name, key in keys.items() if (wrong := _weakness(*key))]


@register("voice", Tags.security, deploy=True)
def check_tokens(**_: Any) -> list[CheckMessage]:
    """Tokens live as long as they should, on every machine of the site."""
    return [] if problems() else [*_about_tokens()]


@register("voice", Tags.security, deploy=True)
def check_addresses(**_: Any) -> list[CheckMessage]:
    """The site knows its own hosts, and visitors' addresses; and its health can be asked for."""
    return [] if problems() else [*_about_addresses()]


def _about_tokens() -> Iterator[CheckMessage]:
    if simplejwt.api_settings.ACCESS_TOKEN_LIFETIME > LONGEST_ACCESS:
        yield W009
    if conf().redis_url and not simplejwt.api_settings.LEEWAY:
        yield W010


def _about_addresses() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield W007
    exempt = settings.SECURE_REDIRECT_EXEMPT
    exempted = any(re.search(pattern, HEALTH) for pattern in exempt)
    if settings.SECURE_SSL_REDIRECT and not exempted and not _answers_probes_first():
        yield W008
    if settings.SECURE_PROXY_SSL_HEADER and not conf().trusted_proxies:
        yield W011


def _answers_probes_first() -> bool:
    try:
        return isinstance(get_default_application(), HealthCheck)
    except Exception:  # the site's code; that it cannot be loaded is another check's matter
        return False


def _weakness(key: str, algorithm: str) -> str:
    if key == settings.SECRET_KEY:
        return "is the SECRET_KEY: who learns either can forge the logins of all visitors"
    least = KEY_BYTES.get(algorithm, 0)  # the others' keys are pairs, which PyJWT looks at
    if len(key.encode()) < least:
        return f"is shorter than the {least} bytes of {algorithm}: who guesses it talks as any visitor"
    return ""


def _weak(name: str, wrong: str) -> Warning:
    return Warning(f"{name} {wrong}.", hint=f"Give it a key of its own. {W002_HINT}", id="voice.W002")
