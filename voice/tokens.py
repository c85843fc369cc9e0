"""Credentials: who is it that wants to talk? The one module that knows simplejwt.

Pages get a *ticket*: single use, seconds long, bound to the user and to the page's origin, signed with a key of its
own if the site sets one. Programs bring an ordinary simplejwt access token, with all that the site configured for it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from voice import database
from voice.conf import conf
from voice.protocol.outcomes import EndReason

LONGEST = 4096
"""Characters of a token at most. Proxies hold a request's headers in buffers of 4 or 8 kB."""
LOOKUP_SECONDS = 2.0
"""How long a user's row may take. Daphne gives the whole handshake five seconds."""

Spend = Callable[[str, float], Awaitable[bool]]
"""Whether a ticket's id is shown for the first time; it is remembered for so many seconds."""


class Unauthenticated(Exception):
    """The credential is refused. The text says why, for the log: it holds nothing of the credential."""

    reason = EndReason.UNAUTHENTICATED


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody proved to be."""

    user: AbstractBaseUser
    kind: Literal["ticket", "access"]
    expires_at: float | None = None
    """When the proof ends, in seconds since 1970. A ticket's does not: it is spent on one session."""
    origin: str | None = None
    """The origin that a ticket was minted for; none for an access token."""
    browser: str = field(repr=False, default="")
    """A digest of the Django session that a ticket was minted for; empty for an access token."""


@dataclass(frozen=True, slots=True)
class _Verified:
    identity: Identity
    jti: str = field(repr=False, default="")


class VoiceTicket(Token):
    """``user``, ``origin``, ``browser`` and 128 random bits."""

    token_type = "voice_ticket"  # noqa: S105
    lifetime = timedelta(seconds=30)

    def get_token_backend(self) -> TokenBackend:
        """The site's own, unless tickets have a key of their own: that is a secret, so HS256."""
        key = conf().signing_key
        if key == api_settings.SIGNING_KEY:
            return super().get_token_backend()
        return TokenBackend("HS256", key)

    def verify(self) -> None:
        """As simplejwt's, which a site can set to check neither type nor id: a ticket has both, and an origin.

        A site's leeway is for the access tokens of issuers whose clock is ahead. A ticket's seconds are its own.
        """
        super().verify()
        if self["exp"] <= time.time():
            raise TokenError("The ticket has expired")
        self.verify_token_type()
        if not all(isinstance(self.get(claim), str) for claim in ("jti", "origin", "browser")):
            raise TokenError("A ticket needs jti, origin and browser")


def mint(user: AbstractBaseUser, origin: str, browser: str = "") -> str:
    """A ticket for ``user``, good for ``TICKET_SECONDS`` on pages of ``origin``; of which ``browser``, is noted."""
    ticket = VoiceTicket.for_user(user)
    ticket.set_exp(lifetime=timedelta(seconds=conf().ticket_seconds))
    ticket["jti"] = secrets.token_hex(16)
    ticket["origin"] = origin
    ticket["browser"] = browser
    del ticket["iat"]  # nobody needs it, and a server whose clock is a moment behind would refuse it
    return str(ticket)


async def authenticate(raw: str, *, spend: Spend) -> Identity:
    """Who brings the credential ``raw``.

    Raises:
        Unauthenticated: Whatever is wrong with it, or a ticket that was shown before.
        TimeoutError, django.db.Error: The user cannot be looked up.
        Whatever ``spend`` raises.
    """
    verified = await database.call(_verify, _plausible(raw), limit=LOOKUP_SECONDS)
    if verified.identity.kind == "ticket" and not await spend(verified.jti, _ticket_memory()):
        raise Unauthenticated("ticket shown before")
    return verified.identity


def bearer(raw: str) -> AbstractBaseUser:
    """Whose access token ``raw`` is. Blocking. A ticket is none: it opens a conversation, and nothing else.

    Raises:
        Unauthenticated: Whatever is wrong with it, or with its user.
        django.db.Error: The user cannot be looked up.
    """
    token = _decode(_plausible(raw))
    if isinstance(token, VoiceTicket):
        raise Unauthenticated("a ticket")
    return _user_of(token)


def refresher(raw: str) -> AbstractBaseUser:
    """Whose refresh token ``raw`` is. Blocking.

    Raises:
        Unauthenticated: Whatever is wrong with it, or with its user.
        django.db.Error: The user cannot be looked up.
    """
    try:
        token = RefreshToken(_plausible(raw))  # type: ignore[arg-type]
    except Exception as error:
        raise Unauthenticated(type(error).__name__) from None
    return _user_of(token)


def _plausible(raw: str) -> str:
    if not raw.isascii() or len(raw) > LONGEST:
        raise Unauthenticated("not a token")
    return raw


def _ticket_memory() -> float:
    """Seconds after which a spent ticket has surely expired, with a minute for clocks that differ."""
    return conf().ticket_seconds + 60.0


def _verify(raw: str) -> _Verified:
    token = _decode(raw)
    user = _user_of(token)
    if isinstance(token, VoiceTicket):
        return _Verified(Identity(user, "ticket", origin=token["origin"], browser=token["browser"]), jti=token["jti"])
    return _Verified(Identity(user, "access", expires_at=float(token["exp"])))


def _decode(raw: str) -> Token:
    # Widely, twice: a lone surrogate raises UnicodeEncodeError, an exp of 1e30 OverflowError, neither a TokenError.
    try:
        return VoiceTicket(raw)  # type: ignore[arg-type]
    except Exception:  # noqa: S110
        pass
    try:
        return JWTAuthentication().get_validated_token(raw.encode())
    except Exception as error:
        raise Unauthenticated(type(error).__name__) from None


def _user_of(token: Token) -> AbstractBaseUser:
    claim = token.get(api_settings.USER_ID_CLAIM)
    if isinstance(claim, bool) or not isinstance(claim, int | str):
        raise Unauthenticated("not a user id")
    try:
        user: AbstractBaseUser = JWTAuthentication().get_user(token)
    except (AuthenticationFailed, InvalidToken, ValidationError, ValueError, OverflowError, DataError) as error:
        raise Unauthenticated(type(error).__name__) from None
    if not user.is_active:  # also where the site told simplejwt not to look
        raise Unauthenticated("inactive")
    return user


def access_token(user: AbstractBaseUser) -> str:
    """An ordinary access token of ``user``, as the site's own token endpoint would give."""
    return str(AccessToken.for_user(user))
