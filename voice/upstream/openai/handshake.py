"""From an address to a session with the settings that were asked for, over a transport that is not open yet.

The conversation and the second session for transcripts begin alike: dial, be greeted, ask, be confirmed. A refused
field without which the session is the same is left out, and the rest is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from voice.protocol.events import Fault
from voice.upstream.base import (
    UpstreamClosed,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from voice.upstream.openai import configuration, wire
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.server_events import fault
from voice.upstream.openai.transport import Transport

logger = logging.getLogger(__name__)

MALFORMED_LIMIT = 50
"""Frames in a session that may be garbage before it is given up."""

SETTINGS_RETRIES = 3
"""How many optional fields may be given up, one after the other, to have the others accepted."""

FATAL: dict[str, type[UpstreamError]] = {
    "session_expired": UpstreamClosed,
    "insufficient_quota": UpstreamRateLimited,
    "invalid_api_key": UpstreamRefused,
}
"""Errors that end a session, by their code. All others are about one request."""

_FATAL_AT_FIRST: dict[str, type[UpstreamError]] = {
    **FATAL,
    "rate_limit_exceeded": UpstreamRateLimited,
    "model_not_found": UpstreamRefused,
    "server_error": UpstreamUnavailable,
}
"""Errors that say more than "not understood" when they come instead of a configured session."""

Agreed = tuple[dict[str, Any], dict[str, Any]]
"""The session as it was asked for in the end, and as the service says it is."""


async def begin(
    transport: Transport, decoder: wire.Decoder, options: OpenAIOptions, url: str, update: dict[str, Any]
) -> Agreed:
    """Dial ``url`` and have the service confirm ``update``, in ``open_timeout`` plus ``settings_timeout`` at most.

    Raises:
        UpstreamError: no session; the transport is closed.
    """
    try:
        await transport.open(url, _headers(options))
        async with asyncio.timeout(options.settings_timeout):
            return await _agree(transport, decoder, update)
    except TimeoutError:
        await transport.close()
        raise UpstreamTimeout("no session in time") from None
    except BaseException:
        await transport.close()
        raise


def conversation_url(options: OpenAIOptions) -> str:
    """Where to dial: ``base_url`` as a WebSocket address, plus ``/realtime`` and the model."""
    return _endpoint(options, f"model={quote(options.model, safe='')}")


def transcription_url(options: OpenAIOptions) -> str:
    """The same for a session that only transcribes: one with a model in its address would be a conversation."""
    return _endpoint(options, "intent=transcription")


def check_garbage(decoder: wire.Decoder) -> None:
    """Give a session up in which hardly anything is understood.

    Raises:
        UpstreamProtocolError: too much of it is garbage.
    """
    if decoder.malformed > MALFORMED_LIMIT:
        raise UpstreamProtocolError(f"more than {MALFORMED_LIMIT} malformed frames")


def check_fatal(code: str) -> None:
    """End a session for an error that no other session of this account is spared either, or that says it is over.

    Raises:
        UpstreamError: it is one of :data:`FATAL`.
    """
    if code in FATAL:
        raise FATAL[code](code)


def relaxed(update: dict[str, Any], refused: Fault) -> dict[str, Any]:
    """``update`` without the optional field that was refused.

    Raises:
        UpstreamError: it was none that one could do without.
    """
    field = configuration.optional_field(refused.param or "")
    if field is None or not configuration.has(update, field):
        raise _failure(refused)
    logger.warning("OpenAI refuses the setting %s (%s); going on without it", ".".join(field), refused.code)
    return configuration.without(update, field)


async def _agree(transport: Transport, decoder: wire.Decoder, update: dict[str, Any]) -> Agreed:
    await _answer_of_type(transport, decoder, "session.created")
    for _ in range(1 + SETTINGS_RETRIES):
        await transport.send(wire.dump(update))
        answer = await _answer_of_type(transport, decoder, "session.updated", "error")
        if answer["type"] == "session.updated":
            return update["session"], _session_in(answer)
        update = relaxed(update, fault(answer))
    raise UpstreamProtocolError("settings refused again and again")


async def _answer_of_type(transport: Transport, decoder: wire.Decoder, *types: str) -> dict[str, Any]:
    """The next event of one of these types. An error that is not asked for ends the attempt."""
    while True:
        event = wire.parse(await transport.receive())
        if event is None:
            decoder.malformed += 1
            check_garbage(decoder)
        elif event["type"] in types:
            return event
        elif event["type"] == "error":
            raise _failure(fault(event))


def _session_in(answer: dict[str, Any]) -> dict[str, Any]:
    given = answer.get("session")
    if not isinstance(given, dict):
        raise UpstreamProtocolError("session.updated without a session")
    return given


def _endpoint(options: OpenAIOptions, query: str) -> str:
    url = urlsplit(options.base_url)
    scheme = {"http": "ws", "https": "wss"}.get(url.scheme, url.scheme)
    query = "&".join(filter(None, [url.query, query]))
    return urlunsplit((scheme, url.netloc, url.path.rstrip("/") + "/realtime", query, ""))


def _headers(options: OpenAIOptions) -> dict[str, str]:
    # No OpenAI-Beta header: with it the service closes the connection.
    key = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
    return {**key, **options.headers}


def _failure(refused: Fault) -> UpstreamError:
    """Named by code and field only: the message may quote the instructions."""
    about = f" in {refused.param}" if refused.param else ""
    return _FATAL_AT_FIRST.get(refused.code, UpstreamProtocolError)(f"{refused.code}{about}")
