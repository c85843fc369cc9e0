"""A conversation with the OpenAI Realtime API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

from voice.protocol.commands import ToUpstream
from voice.protocol.events import Fault, UpstreamEvent
from voice.upstream.base import (
    Upstream,
    UpstreamClosed,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamSession,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from voice.upstream.openai import configuration, wire
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.server_events import fault
from voice.upstream.openai.transport import Transport, TransportFactory

logger = logging.getLogger(__name__)

MALFORMED_LIMIT = 50
"""Frames in a session that may be garbage before it is given up."""

SETTINGS_RETRIES = 3
"""How many optional fields may be given up, one after the other, to have the others accepted."""

_FATAL: dict[str, type[UpstreamError]] = {
    "session_expired": UpstreamClosed,
    "insufficient_quota": UpstreamRateLimited,
    "invalid_api_key": UpstreamRefused,
}
"""Errors that end a session, by their code. All others are about one request."""

_FATAL_AT_FIRST: dict[str, type[UpstreamError]] = {
    **_FATAL,
    "rate_limit_exceeded": UpstreamRateLimited,
    "model_not_found": UpstreamRefused,
    "server_error": UpstreamUnavailable,
}
"""Errors that say more than "not understood" when they come instead of a configured session."""


class OpenAIUpstream(Upstream):
    """The port's :class:`~voice.upstream.base.Upstream`. Entering it takes ``open_timeout`` plus
    ``settings_timeout`` at most.

    ``decoder`` counts what was not understood.
    """

    provider = "openai"

    def __init__(
        self, session: UpstreamSession, options: OpenAIOptions, transport: TransportFactory = Transport
    ) -> None:
        self.model = options.model
        self.decoder = wire.Decoder()
        self._session = session
        self._options = options
        self._transport = transport(options)

    async def __aenter__(self) -> Self:
        """Dial, and have the service confirm the settings."""
        try:
            await self._transport.open(endpoint(self._options), _headers(self._options))
            async with asyncio.timeout(self._options.settings_timeout):
                await self._configure()
        except TimeoutError:
            await self._transport.close()
            raise UpstreamTimeout("no session in time") from None
        except BaseException:
            await self._transport.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close."""
        await self._transport.close()

    async def send_audio(self, pcm: bytes) -> None:
        """Append to the service's input buffer."""
        await self._transport.send(wire.append(pcm))

    async def send(self, command: ToUpstream) -> None:
        """Send the client event of this command."""
        await self._transport.send(wire.encode(command))

    async def events(self) -> AsyncIterator[UpstreamEvent]:
        """Decode what arrives."""
        receive, decoder = self._transport.receive, self.decoder
        while True:
            event = decoder.decode(await receive())
            if event is None:
                self._give_up_on_garbage()
                continue
            if isinstance(event, Fault) and event.code in _FATAL:
                raise _FATAL[event.code](event.code)
            yield event

    def _give_up_on_garbage(self) -> None:
        if self.decoder.malformed > MALFORMED_LIMIT:
            raise UpstreamProtocolError(f"more than {MALFORMED_LIMIT} malformed frames")

    # -- settings, before the conversation -------------------------------------------------------------------

    async def _configure(self) -> None:
        await self._answer_of_type("session.created")
        update = configuration.session_update(self._options, self._session)
        for _ in range(1 + SETTINGS_RETRIES):
            await self._transport.send(wire.dump(update))
            answer = await self._answer_of_type("session.updated", "error")
            if answer["type"] == "session.updated":
                return self._compare(update["session"], answer.get("session"))
            update = _relaxed(update, fault(answer))
        raise UpstreamProtocolError("settings refused again and again")

    async def _answer_of_type(self, *types: str) -> dict[str, Any]:
        """The next event of one of these types. An error that is not asked for ends the attempt."""
        while True:
            event = wire.parse(await self._transport.receive())
            if event is None:
                self.decoder.malformed += 1
                self._give_up_on_garbage()
            elif event["type"] in types:
                return event
            elif event["type"] == "error":
                raise _failure(fault(event))

    def _compare(self, asked: dict[str, Any], given: Any) -> None:
        if not isinstance(given, dict):
            raise UpstreamProtocolError("session.updated without a session")
        essential, other = configuration.differences(asked, given, self._options.model)
        if essential:
            raise UpstreamProtocolError(f"session differs in {', '.join(essential)}")
        if other:
            logger.warning("OpenAI session differs from its settings in %s", ", ".join(other))


def endpoint(options: OpenAIOptions) -> str:
    """Where to dial: ``base_url`` as a WebSocket address, plus ``/realtime`` and the model."""
    url = urlsplit(options.base_url)
    scheme = {"http": "ws", "https": "wss"}.get(url.scheme, url.scheme)
    query = "&".join(filter(None, [url.query, f"model={quote(options.model, safe='')}"]))
    return urlunsplit((scheme, url.netloc, url.path.rstrip("/") + "/realtime", query, ""))


def _headers(options: OpenAIOptions) -> dict[str, str]:
    # No OpenAI-Beta header: with it the service closes the connection.
    key = {"Authorization": f"Bearer {options.api_key}"} if options.api_key else {}
    return {**key, **options.headers}


def _relaxed(update: dict[str, Any], refused: Fault) -> dict[str, Any]:
    """``update`` without the optional field that was refused."""
    field = configuration.optional_field(refused.param or "")
    if field is None or not configuration.has(update, field):
        raise _failure(refused)
    logger.warning("OpenAI refuses the setting %s (%s); going on without it", ".".join(field), refused.code)
    return configuration.without(update, field)


def _failure(refused: Fault) -> UpstreamError:
    """Named by code and field only: the message may quote the instructions."""
    about = f" in {refused.param}" if refused.param else ""
    return _FATAL_AT_FIRST.get(refused.code, UpstreamProtocolError)(f"{refused.code}{about}")
