"""The session that is asked of the service, and whether it was given.

The service rejects a whole ``session.update`` for one field that the model does not know. So each model is
told only what it is known to take (the two tables), and what is merely nice to have (:data:`OPTIONAL`) is
left out on refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voice.protocol.audio import SAMPLE_RATE
from voice.upstream.base import UpstreamSession
from voice.upstream.openai.options import OpenAIOptions

UPDATE_ID = "settings"
"""``event_id`` of our ``session.update``, echoed in the error that refuses it."""

RETURN_ID = "transcription"
"""The same for the one that makes the conversation write its own transcripts again."""

PCM = {"type": "audio/pcm", "rate": SAMPLE_RATE}

Path = tuple[str, ...]

OPTIONAL: tuple[Path, ...] = (
    ("reasoning",),
    ("audio", "output", "speed"),
    ("audio", "input", "noise_reduction"),
    ("audio", "input", "transcription", "language"),
    ("audio", "input", "transcription", "languages"),
    ("audio", "input", "transcription", "delay"),
    ("audio", "input", "transcription", "keywords"),
)
"""Fields without which the conversation is the same, only a little worse."""

_COMPARED: tuple[Path, ...] = (
    ("model",),
    ("audio", "output", "voice"),
    ("audio", "input", "transcription", "model"),
)

_ESSENTIAL: tuple[Path, ...] = (
    ("audio", "input", "format", "type"),
    ("audio", "input", "format", "rate"),
    ("audio", "output", "format", "type"),
    ("audio", "output", "format", "rate"),
    ("audio", "input", "turn_detection", "type"),
    ("audio", "input", "turn_detection", "create_response"),
)


@dataclass(frozen=True, slots=True)
class _Transcriber:
    """Which fields of ``transcription`` a model takes besides ``model``."""

    language: str = "language"
    """Name of the language hint: ``languages`` takes a list, ``language`` one code."""
    delay: bool = False
    keywords: bool = False
    streams: bool = False
    """Whether it writes while the visitor speaks; the others begin when the audio is committed."""


_TRANSCRIBERS = {
    "gpt-live-transcribe": _Transcriber(language="languages", delay=True, keywords=True, streams=True),
    "gpt-realtime-whisper": _Transcriber(delay=True, streams=True),
}

_STREAMING = "gpt-live-transcribe"
"""Writes in the second session where the site's own transcription model does not stream."""

_REASONING = "gpt-realtime-2"
"""Models of this family and later reason; to the others the field is an error."""


def session_update(options: OpenAIOptions, session: UpstreamSession, *, transcribes: bool = True) -> dict[str, Any]:
    """The ``session.update`` for this conversation; without ``transcribes`` what the visitor says is not written.

    Responses are never created by the service itself (``create_response`` false: context goes in first), but
    it does interrupt its own answer when the visitor begins to speak.
    """
    output: dict[str, Any] = {"format": PCM, "voice": session.voice or options.voice}
    if options.speed is not None:
        output["speed"] = options.speed
    settings: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": session.instructions,
        "max_output_tokens": options.max_output_tokens,
        "audio": {"input": _input(options, session, transcribes), "output": output},
    }
    if options.reasoning_effort and options.model.startswith(_REASONING):
        settings["reasoning"] = {"effort": options.reasoning_effort}
    return {"type": "session.update", "event_id": UPDATE_ID, "session": settings}


def second_session_update(options: OpenAIOptions, session: UpstreamSession) -> dict[str, Any]:
    """The ``session.update`` for a second session beside the conversation, which only transcribes.

    Models that stream refuse turn detection there; it is committed when the conversation's turn detection says so.
    """
    audio = _heard(options, session.language, streaming_model(options), None)
    settings = {"type": "transcription", "audio": {"input": audio}}
    return {"type": "session.update", "event_id": UPDATE_ID, "session": settings}


def streaming_model(options: OpenAIOptions) -> str:
    """The site's transcription model if it writes while somebody speaks, else one that does."""
    model = options.transcription_model
    return model if _TRANSCRIBERS.get(model, _Transcriber()).streams else _STREAMING


def transcription_change(transcription: Mapping[str, Any] | None) -> dict[str, Any]:
    """The ``session.update`` that switches the conversation's own transcripts on or, with ``None``, off."""
    event_id = UPDATE_ID if transcription is None else RETURN_ID
    settings = {"type": "realtime", "audio": {"input": {"transcription": transcription}}}
    return {"type": "session.update", "event_id": event_id, "session": settings}


def optional_field(param: str) -> Path | None:
    """The optional field that an error's ``param`` names (itself or something inside it), if it is one."""
    path = tuple(param.replace("[", ".").split("."))
    path = path[1:] if path[:1] == ("session",) else path
    return next((optional for optional in OPTIONAL if path[: len(optional)] == optional), None)


def without(update: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """``update`` without the field of its session at ``path``."""
    return {**update, "session": _without(update["session"], path)}


def has(update: Mapping[str, Any], path: Path) -> bool:
    """Whether the session of ``update`` asks for the field at ``path``."""
    return _at(update["session"], path) is not _ABSENT


def differences(asked: Mapping[str, Any], given: Mapping[str, Any], model: str) -> tuple[list[str], list[str]]:
    """Names of the fields in which the session ``given`` is not the one ``asked`` for: essential ones, and
    others.

    A field that ``given`` does not tell is taken on trust: not every compatible server tells everything.
    Names of models may be given with a date behind.
    """
    wanted = {**asked, "model": model}
    return list(_differing(_ESSENTIAL, wanted, given)), list(_differing(_COMPARED, wanted, given))


# -- the parts of a session ----------------------------------------------------------------------------------


def _input(options: OpenAIOptions, session: UpstreamSession, transcribes: bool) -> dict[str, Any]:
    model = options.transcription_model if transcribes else None
    detection = None if session.push_to_talk else _turn_detection(options)
    return _heard(options, session.language, model, detection)


def _heard(
    options: OpenAIOptions, language: str, model: str | None, turn_detection: dict[str, Any] | None
) -> dict[str, Any]:
    audio: dict[str, Any] = {
        "format": PCM,
        "transcription": transcription(options, language, model) if model else None,
        "turn_detection": turn_detection,
    }
    if options.noise_reduction:
        audio["noise_reduction"] = {"type": options.noise_reduction}
    return audio


def transcription(options: OpenAIOptions, language: str, model: str) -> dict[str, Any]:
    """What ``model`` is told about the transcripts that it writes."""
    transcriber = _TRANSCRIBERS.get(model, _Transcriber())
    fields: dict[str, Any] = {"model": model}
    if code := language.partition("-")[0].lower():
        fields[transcriber.language] = [code] if transcriber.language == "languages" else code
    if transcriber.delay and options.transcription_delay:
        fields["delay"] = options.transcription_delay
    if transcriber.keywords and options.transcription_keywords:
        fields["keywords"] = list(options.transcription_keywords)
    return fields


def _turn_detection(options: OpenAIOptions) -> dict[str, Any]:
    # idle_timeout_ms stays unset: it makes the model speak, and bill, on an abandoned microphone.
    common = {"type": options.vad_type, "create_response": False, "interrupt_response": True}
    if options.vad_type == "semantic_vad":
        return {**common, "eagerness": options.vad_eagerness}
    return {
        **common,
        "threshold": options.vad_threshold,
        "prefix_padding_ms": options.vad_prefix_padding_ms,
        "silence_duration_ms": options.vad_silence_duration_ms,
    }


# -- paths into nested objects -------------------------------------------------------------------------------

_ABSENT = object()


def _at(value: Any, path: Path) -> Any:
    """What stands at ``path``. Inside of a ``null`` everything is ``null``; what cannot be reached is absent."""
    for name in path:
        if value is None:
            return None
        if not isinstance(value, Mapping) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _without(value: Mapping[str, Any], path: Path) -> dict[str, Any]:
    name, *rest = path
    if not rest:
        return {key: kept for key, kept in value.items() if key != name}
    return {**value, name: _without(value[name], tuple(rest))}


def _differing(paths: tuple[Path, ...], asked: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    for path in paths:
        want, got = _at(asked, path), _at(given, path)
        if want is not _ABSENT and got is not _ABSENT and not _same(want, got, path[-1]):
            yield ".".join(path)


def _same(want: Any, got: Any, name: str) -> bool:
    if name == "model" and isinstance(want, str) and isinstance(got, str):
        return got.startswith(want)
    return bool(want == got)
