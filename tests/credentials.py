"""Tokens that must open nothing, made from the claims of one that is good."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
from rest_framework_simplejwt.settings import api_settings

Claims = dict[str, Any]

ORIGIN = "https://example.org"


def signed(claims: Claims, key: str = "", algorithm: str = "HS256", **changed: Any) -> str:
    """A good token, but for these claims (``None``: without) or for how it is signed."""
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jwt.encode(kept, key or api_settings.SIGNING_KEY, algorithm)


def unsigned(claims: Claims, algorithm: str) -> str:
    """One that says itself that nobody signed it."""

    def part(value: Claims) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}."


REFUSED: dict[str, Callable[[Claims], str]] = {
    "nothing": lambda good: "",
    "no token": lambda good: "visitor:visitor",
    "three dots": lambda good: "a.b.c",
    "a lone surrogate": lambda good: "eyJ\udc80.e.e",
    "null characters": lambda good: "\0" * 20,
    "a novel": lambda good: "x" * 100_000,
    "tampered": lambda good: signed(good)[:-4] + "AAAA",
    "expired": lambda good: signed(good, exp=1_000_000_000),
    "no expiry": lambda good: signed(good, exp=None),
    "an expiry beyond all calendars": lambda good: signed(good, exp=1e30),
    "an infinite expiry": lambda good: signed(good, exp=float("inf")),
    "an expiry in words": lambda good: signed(good, exp="tomorrow"),
    "another key": lambda good: signed(good, "another key, which is long enough for HS256"),
    "another algorithm": lambda good: signed(good, algorithm="HS512"),
    "no algorithm": lambda good: unsigned(good, "none"),
    "no algorithm, spelt otherwise": lambda good: unsigned(good, "nOnE"),
    "a refresh token": lambda good: signed(good, token_type="refresh"),
    "an unknown type": lambda good: signed(good, token_type="sliding"),
    "no user": lambda good: signed(good, user_id=None),
    "a list of users": lambda good: signed(good, user_id=[good["user_id"]]),
    "a mapping for a user": lambda good: signed(good, user_id={"pk": good["user_id"]}),
    "true for a user": lambda good: signed(good, user_id=True),
    "a fraction for a user": lambda good: signed(good, user_id=1.0),
    "a name for a user": lambda good: signed(good, user_id="visitor"),
    "a null character for a user": lambda good: signed(good, user_id="\0"),
    "an enormous user": lambda good: signed(good, user_id=10**40),
    "a user who is no more": lambda good: signed(good, user_id="987654321"),
    "a ticket without an origin": lambda good: signed(good, token_type="voice_ticket"),
    "a ticket with a list of origins": lambda good: signed(good, token_type="voice_ticket", origin=[ORIGIN]),
    "a ticket with a number as its id": lambda good: signed(good, token_type="voice_ticket", origin=ORIGIN, jti=7),
}
