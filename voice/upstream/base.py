"""The port to a realtime model: audio and commands go in, events of the core come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Self

from voice.protocol.commands import ToUpstream
from voice.protocol.events import AudioDelta, UpstreamEvent
from voice.protocol.outcomes import EndReason


@dataclass(frozen=True, slots=True)
class UpstreamSession:
    """What one conversation asks of its upstream, whatever the provider."""

    language: str
    """Language tag of the visitor's page (``en``, ``fr``, ``fr-CA``)."""
    instructions: str = field(repr=False, default="")
    push_to_talk: bool = False
    """Turn detection is off: the visitor's own commit ends their turn."""
    voice: str = ""
    """Who speaks the answers, where the provider has several voices; empty for the site's own."""


class UpstreamError(Exception):
    """The upstream cannot serve this session. Do not raise directly."""

    reason: EndReason = EndReason.UPSTREAM_UNAVAILABLE
    retry_after: float | None = None
    """Seconds that the service asks us to stay away; ``None`` where it does not say."""


class UpstreamUnavailable(UpstreamError):
    """It cannot be reached, or answers with a server error."""


class UpstreamRefused(UpstreamError):
    """It does not accept us: key, permission or model."""

    reason = EndReason.UPSTREAM_AUTH


class UpstreamRateLimited(UpstreamError):
    """It has too much to do, or the account's quota is used up."""

    reason = EndReason.UPSTREAM_RATE_LIMITED

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class UpstreamTimeout(UpstreamError):
    """It did not answer in time."""

    reason = EndReason.UPSTREAM_TIMEOUT


class UpstreamProtocolError(UpstreamError):
    """It said something that cannot be understood, or refused our settings."""

    reason = EndReason.UPSTREAM_PROTOCOL


class UpstreamClosed(UpstreamError):
    """It was there, and went away."""

    reason = EndReason.UPSTREAM_CLOSED


TakeAudio = Callable[[AudioDelta], bool]
"""Takes a piece of an answer's audio the moment it comes, or says that it cannot now. Raises nothing."""


class Upstream(ABC):
    """One connection to a realtime model, entered once. A conversation that goes on from another connection, or from
    another session, is told by :class:`~voice.protocol.commands.Recall`, which comes before all other commands::

        async with upstream:            # dials; at most ``open_timeout`` of the provider's own settings
            await upstream.send_audio(pcm)
            await upstream.send(command)
            async for event in upstream.events(): ...

    ``send_audio`` and ``send`` are called from one task each; ``events`` is iterated once, by one task. Leaving the
    context closes the connection within a second, also when it is broken. Every method may raise an
    :class:`UpstreamError`; nothing else.
    """

    provider: str
    """Name in settings, records and statistics: ``openai``, ``local``."""
    model: str = ""
    metered: bool = True
    """Somebody is paid for it. Then an answer that says nothing of its usage makes the session's cost an estimate."""
    limits: tuple[str, ...] = ()
    """Codes of what does not work in this session, known once it is entered; each becomes a ``notice``:
    ``speech_unavailable`` (spoken questions are not heard), ``voice_unavailable`` (answers are only written)."""
    partials: str = ""
    """How the visitor's words came in this session so far: ``streaming`` (while they spoke), ``second_socket`` (the
    same, thanks to a second connection that only transcribes), ``late`` (only after they had spoken, so that nothing
    could be searched for in advance). Empty until words have come, and where the provider does not observe it."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Dial and configure. Returns when audio may be sent."""

    @abstractmethod
    async def __aexit__(self, *exc: object) -> None:
        """Close, within a second, whatever the state."""

    @abstractmethod
    async def send_audio(self, pcm: bytes) -> None:
        """Pass a piece of the visitor's audio on (PCM, even length, at most a second)."""

    def send_audio_at_once(self, pcm: bytes) -> bool:
        """The same, if nobody has to wait for it; whether it was passed on. Raises nothing."""
        return False

    @abstractmethod
    async def send(self, command: ToUpstream) -> None:
        """Do what the conversation wants. ``SendSilence`` and ``Reconnect`` never come here: one is fed as audio, the
        other is for whoever holds the connection."""

    @abstractmethod
    def events(self, take: TakeAudio | None = None) -> AsyncIterator[UpstreamEvent]:
        """What the upstream says, until it goes away (then :class:`UpstreamClosed`).

        Where nothing that came before waits to be iterated, an upstream may offer ``take`` the audio of answers first.
        What that takes is not iterated.
        """
