"""The session as its client sees it. It is the site's: asked for anything else, it answers with what it is.

What a client may choose, in its first ``session.update``: whether turns are detected or pushed (``turn_detection``
null), the language (that of ``transcription``), and a voice of the site's list. What would change the bytes on the
wire, another audio format or answers in text, is refused, since such a client would not understand what it gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voice.protocol.wires.fields import Fields, WireError
from voice.protocol.wires.messages import Start
from voice.protocol.wires.realtime.server_events import PCM

_SITES_OWN = (
    "id", "object", "model", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens",
    "reasoning", "tracing", "truncation", "prompt", "include", "expires_at",
)  # fmt: skip
"""Fields of a session that may be asked for, and stay what they are."""

_ABSENT = object()
_LANGUAGE_LIMIT = 35
"""Characters of a language tag."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the site gives to every client, whatever it asks for."""

    model: str
    transcription_model: str
    voices: tuple[str, ...]
    """The site's own, then those that may be chosen."""


class Settings:
    """The session in force."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._id, self._expires_at = "", 0
        self._start = Start()
        self.fixed = False
        """Whether it has begun, so that nothing can be chosen any more."""

    @property
    def push_to_talk(self) -> bool:
        """Whether the client says itself when somebody has finished."""
        return self._start.mode == "push_to_talk"

    @property
    def conversation_id(self) -> str:
        """The id of the one conversation."""
        return f"conv_{self._id}"

    @property
    def voice(self) -> str:
        """Who speaks."""
        return self._start.voice or self._offer.voices[0]

    def admit(self, session_id: str, expires_at: int) -> None:
        """The session has a name, and an end."""
        self._id, self._expires_at = session_id, expires_at

    def begin(self) -> Start:
        """How the conversation is to be; from now on that stands."""
        self.fixed = True
        return self._start

    def update(self, fields: Fields) -> None:
        """Take what a ``session.update`` may choose from its ``session``.

        Raises:
            WireError: it names what no session has, or asks for other bytes.
        """
        _choose(fields, "type", "realtime")
        _choose(fields, "output_modalities", ["audio"])
        audio = fields.nested("audio")
        heard, spoken = audio.nested("input"), audio.nested("output")
        for side in (heard, spoken):
            _check_format(side)
        detection = heard.anything("turn_detection", _ABSENT)
        language = _language(heard.anything("transcription"))
        voice = spoken.anything("voice")
        heard.ignore(["noise_reduction"])
        spoken.ignore(["speed"])
        fields.ignore(_SITES_OWN)
        for level in (heard, spoken, audio, fields):
            level.done()
        if not self.fixed:
            self._start = Start(
                language=language or self._start.language,
                mode=self._start.mode if detection is _ABSENT else "push_to_talk" if detection is None else "vad",
                voice=voice if voice in self._offer.voices else self._start.voice,
            )

    def shown(self) -> dict[str, Any]:
        """The ``session`` of ``session.created`` and ``session.updated``. What the site told the model is its own."""
        detection = {"type": "server_vad", "create_response": True, "interrupt_response": True}
        transcription = {"model": self._offer.transcription_model, "language": self._start.language or None}
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": self._id,
            "model": self._offer.model,
            "expires_at": self._expires_at,
            "output_modalities": ["audio"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "truncation": "auto",
            "tracing": None,
            "prompt": None,
            "include": None,
            "audio": {
                "input": {
                    "format": PCM,
                    "noise_reduction": None,
                    "transcription": transcription,
                    "turn_detection": None if self.push_to_talk else detection,
                },
                "output": {"format": PCM, "voice": self.voice, "speed": 1.0},
            },
        }


def _choose(fields: Fields, name: str, only: object) -> None:
    if fields.anything(name, only) != only:
        raise WireError("invalid_field", f"{fields.path}{name} can only be {only!r}.", fields.path + name)


def _check_format(side: Fields) -> None:
    wanted = side.anything("format")
    if wanted is not None and not (isinstance(wanted, Mapping) and {**PCM, **wanted} == PCM):
        raise WireError("invalid_field", f"{side.path}format can only be audio/pcm at 24000.", f"{side.path}format")


def _language(transcription: object) -> str:
    """The language that a transcription is asked to be in; empty if none, or none that can be."""
    if not isinstance(transcription, Mapping):
        return ""
    several = transcription.get("languages")
    first = several[0] if isinstance(several, list) and several else None
    tag = transcription.get("language") or first
    return tag if isinstance(tag, str) and tag.isascii() and len(tag) <= _LANGUAGE_LIMIT else ""
