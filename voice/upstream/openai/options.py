"""What a site may set about the OpenAI Realtime API. Cheap to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

VadType = Literal["server_vad", "semantic_vad"]
Eagerness = Literal["auto", "low", "medium", "high"]
NoiseReduction = Literal["near_field", "far_field"]
ReasoningEffort = Literal["minimal", "low", "medium", "high", "xhigh"]
TranscriptionDelay = Literal["minimal", "low", "medium", "high", "xhigh"]
Partials = Literal["session", "second_socket", "auto"]


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """Where the service is, how it is reached, and what is asked of it.

    Raises:
        ValueError: a value that no service could accept; the message names the field, never a secret.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.openai.com/v1"
    """``http``, ``https``, ``ws`` or ``wss``; ``/realtime`` and the model are added. Any server that speaks
    GA Realtime."""
    model: str = "gpt-realtime-2.1-mini"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with the handshake besides the key (a gateway's own credentials, a safety identifier)."""
    proxy: str | None = None
    """Address of an HTTP proxy. ``None`` dials directly, whatever the environment says: what visitors say
    goes through nobody whom the site has not named."""

    voice: str = "marin"
    voices: tuple[str, ...] = ()
    """Others, that programs may choose by the wire ``realtime``."""
    speed: float | None = None
    """Of the speaking voice, 0.25 to 1.5. ``None`` leaves it to the service (1.0)."""
    reasoning_effort: ReasoningEffort | None = None
    """More effort, later first audio. ``None`` leaves it to the service; models without reasoning are not told."""
    max_output_tokens: int = 1024
    """Ceiling of one answer, text and audio tokens together (1 audio token is 50 ms). The service's own is infinite."""

    context_role: Literal["system", "tool"] = "system"
    """As what the site's texts stand in the conversation: as a message of the system, or as what a tool has brought,
    which models are trained to trust less. Either way they are delimited, and said to be data."""

    transcription_model: str = "gpt-live-transcribe"
    """``gpt-live-transcribe`` and ``gpt-realtime-whisper`` write while the visitor speaks, which prefetching
    needs; the others begin after the end of speech."""
    transcription_delay: TranscriptionDelay | None = None
    """How long a streaming model may wait before it writes; the service does not say how many milliseconds a
    level is."""
    transcription_keywords: tuple[str, ...] = ()
    """Names and words of the site that the transcript should get right, for the models that take some."""
    partials: Partials = "auto"
    """Where the words come from while the visitor still speaks. ``session``: from the conversation itself, and where
    it writes only after the end of speech, nothing is searched for in advance. ``second_socket``: from a second
    connection that hears the same audio and only transcribes, with a model that streams; it is billed as a second
    transcription of all audio, silence included. ``auto``: from the second one as soon as the first turn with words
    has shown that the conversation writes too late."""
    noise_reduction: NoiseReduction | None = "near_field"

    vad_type: VadType = "server_vad"
    vad_threshold: float = 0.5
    """``server_vad``: 0 to 1, higher wants louder speech."""
    vad_prefix_padding_ms: int = 300
    """``server_vad``: audio kept from before the onset. Costs no latency."""
    vad_silence_duration_ms: int = 500
    """``server_vad``: silence that ends a turn. Adds to every answer's latency, and is time to search in."""
    vad_eagerness: Eagerness = "auto"
    """``semantic_vad``: how soon a pause counts as the end (at most 8, 4 or 2 s for low, medium, high)."""

    open_timeout: float = 5.0
    """Seconds for the TCP, TLS and WebSocket handshakes together."""
    settings_timeout: float = 5.0
    """Seconds from the open socket to settings that the service has confirmed."""
    send_timeout: float = 5.0
    """Seconds that a service which does not read may hold up one send."""
    close_timeout: float = 1.0
    """Seconds for the closing handshake; then the connection is aborted."""
    ping_interval: float = 5.0
    """Seconds of silence after which the service is pinged."""
    ping_timeout: float = 5.0
    """Seconds without a pong after which the service counts as gone."""

    def __post_init__(self) -> None:
        """Refuse what no service could accept."""
        url = urlsplit(self.base_url)
        if url.scheme not in {"http", "https", "ws", "wss"} or not url.netloc:
            raise ValueError("base_url must be an absolute http, https, ws or wss address")
        if any(c.isspace() or not c.isascii() for c in self.api_key):
            raise ValueError("api_key must be ASCII without white space")
        if self.proxy is not None and not self.proxy.startswith(("http://", "https://")):
            raise ValueError("proxy must be an http or https address")
        if self.ping_timeout > self.ping_interval:
            raise ValueError("ping_timeout must be at most ping_interval")
        if not 1 <= self.max_output_tokens <= 32_000:
            raise ValueError("max_output_tokens must be from 1 to 32000")
        if not 0 <= self.vad_threshold <= 1:
            raise ValueError("vad_threshold must be from 0 to 1")
        if self.speed is not None and not 0.25 <= self.speed <= 1.5:
            raise ValueError("speed must be from 0.25 to 1.5")
        if any(set("<>\r\n") & set(keyword) for keyword in self.transcription_keywords):
            raise ValueError("transcription_keywords must not contain <, > or line breaks")
