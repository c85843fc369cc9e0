"""Takes the credential of a WebSocket out of its request, and says who it is.

It never refuses by itself: a handshake that fails reaches a browser as a bare 1006. What was wrong is noted in the
scope, and the consumer tells it after the accept.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseFault

from voice import condition, database, door, gate
from voice.admission.store import StoreUnavailable
from voice.protocol.outcomes import EndReason
from voice.tokens import Identity, Unauthenticated, authenticate

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[Any]]

BEARERS = ("voice.bearer.", "openai-insecure-api-key.")
"""A subprotocol that begins so carries the credential: the one thing that a page's script can add to the handshake. The
second is how OpenAI's own clients do it in a browser."""
_SECRET_HEADERS = frozenset({b"authorization", b"sec-websocket-protocol"})
_SECRET_PARAMETERS = frozenset({"token", "access_token", "access", "ticket", "jwt", "bearer", "auth", "authorization"})


class JWTAuthMiddleware:
    """Fills the scope of a WebSocket for what is inside:

    - ``user``: the user, or ``AnonymousUser``;
    - ``voice_identity``: an :class:`~voice.tokens.Identity`, or ``None``;
    - ``voice_refusal``: the :class:`~voice.protocol.outcomes.EndReason` to refuse with, or ``None``;
    - ``voice_parameters``: the names of the query's parameters;
    - ``voice_place``: its :class:`~voice.door.Place` among the sockets of this process;
    - ``subprotocols``: those offered, without the credential.

    No credential is left in the scope: inside are error reporters, which send it home.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        with door.at_the_door(scope) as place:
            identity, refusal = await _identify(scope) if place.allowed else (None, EndReason.OVERLOADED)
            inner = {
                **scope,
                "headers": [pair for pair in scope["headers"] if pair[0].lower() not in _SECRET_HEADERS],
                "query_string": b"",  # nothing in it is for this socket
                "subprotocols": [name for name in _offered(scope) if not name.startswith(BEARERS)],
                "user": identity.user if identity else AnonymousUser(),
                "voice_identity": identity,
                "voice_refusal": refusal,
                "voice_parameters": frozenset() if refusal else _parameters(scope),
                "voice_place": place,
            }
            return await self.app(inner, receive, send)


async def _identify(scope: Scope) -> tuple[Identity | None, EndReason | None]:
    try:
        # Before anything is decoded, looked up or spent. The site's own setting is asked without I/O.
        if not gate.flag().master() or not await database.call(gate.flag().enabled, limit=gate.DECISION_LIMIT):
            return None, EndReason.DISABLED
        if condition.draining():
            return None, EndReason.SERVER_DRAIN
        return await authenticate(_credential(scope), spend=gate.store().spend), None
    except Unauthenticated as error:
        logger.info("socket refused: %s", error)
        return None, error.reason
    except (StoreUnavailable, DatabaseFault, TimeoutError) as error:
        logger.warning("socket refused, its user cannot be looked up: %s", type(error).__name__)
        return None, EndReason.OVERLOADED


def _credential(scope: Scope) -> str:
    """The one credential that was brought. Raises :class:`Unauthenticated`."""
    if _is_secret_in_url(scope.get("query_string", b"")):
        raise Unauthenticated("token in the URL")
    brought = {*_in_subprotocols(_offered(scope)), *_in_headers(scope["headers"])}
    if len(brought) != 1:
        raise Unauthenticated("several credentials" if brought else "no credential")
    return brought.pop()


def _offered(scope: Scope) -> list[str]:
    return list(scope.get("subprotocols") or ())


def _in_subprotocols(offered: Iterable[str]) -> list[str]:
    return [name.removeprefix(bearer) for name in offered for bearer in BEARERS if name.startswith(bearer)]


def _in_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = [value.decode("latin-1").split() for name, value in headers if name.lower() == b"authorization"]
    # Other schemes are not for us: a test site behind a password gets Basic with every request.
    return ["".join(value[1:]) for value in values if value and value[0].lower() == "bearer"]


def _parameters(scope: Scope) -> frozenset[str]:
    query = scope.get("query_string", b"").decode("latin-1")
    return frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True))


def _is_secret_in_url(query: bytes) -> bool:
    """Whether the query string seems to carry a credential, which by now stands in the logs on the way."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return True
    return any(
        name.lower() in _SECRET_PARAMETERS or _looks_secret(name) or _looks_secret(value) for name, value in pairs
    )


def _looks_secret(text: str) -> bool:
    # Every JWT begins so: the base64 of '{"'.
    return text.startswith((*BEARERS, "eyJ"))
