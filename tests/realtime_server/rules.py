"""What the GA Realtime API accepts from a client, as strictly as it does: unknown fields are errors that name them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Literal

SessionType = Literal["realtime", "transcription"]
Check = Callable[[Any, str], None]

ITEM_ID_MAX = 32
EVENT_ID_MAX = 512
APPEND_MAX = 15 * 2**20
STREAMING = {"gpt-live-transcribe", "gpt-realtime-whisper"}


class RefusedError(Exception):
    """The service answers with an ``error`` event."""

    def __init__(self, code: str, param: str | None = None, message: str = "Refused.") -> None:
        super().__init__(code)
        self.error = {"type": "invalid_request_error", "code": code, "message": message, "param": param}


def check_event(event: Any, model: str, session_type: SessionType = "realtime") -> None:
    """Raise :class:`RefusedError` unless ``event`` is a client event that such a session of this model understands."""
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise RefusedError("invalid_event")
    fields = _EVENTS[session_type].get(event["type"])
    if fields is None:
        raise RefusedError("invalid_value", "type", "Unknown event type.")
    if event["type"] == "session.update":
        _check_type(event.get("session"), session_type)
    _object(**fields, type=_string, event_id_=_short(EVENT_ID_MAX))(event, "")
    if event["type"] == "session.update":
        _check_models(event["session"], model)


def check_turn_detection(settings: dict[str, Any]) -> None:
    """Raise :class:`RefusedError` if a transcription session would have a streaming model detect turns."""
    audio = settings["audio"]["input"]
    streams = (audio["transcription"] or {}).get("model") in STREAMING
    if settings["type"] == "transcription" and audio["turn_detection"] and streams:
        message = "Turn detection is not supported for this transcription model."
        raise RefusedError("invalid_value", "session.audio.input.turn_detection", message)


def decode_audio(audio: str) -> bytes:
    """The PCM of an ``append``."""
    try:
        pcm = base64.b64decode(audio, validate=True)
    except binascii.Error:
        raise RefusedError("invalid_value", "audio", "Not base64.") from None
    if len(audio) > APPEND_MAX or len(pcm) % 2:
        raise RefusedError("invalid_value", "audio", "Too long, or half a sample.")
    return pcm


def _check_type(session: Any, session_type: SessionType) -> None:
    """A session stays what its address made it."""
    other = "transcription" if session_type == "realtime" else "realtime"
    if isinstance(session, dict) and session.get("type") == other:
        message = f"Passing a {other} session update to a {session_type} session is not allowed."
        raise RefusedError("invalid_value", "session.type", message)


def _check_models(session: dict[str, Any], model: str) -> None:
    if "reasoning" in session and not model.startswith("gpt-realtime-2"):
        raise RefusedError("unsupported_parameter", "session.reasoning")
    transcription = session.get("audio", {}).get("input", {}).get("transcription") or {}
    takes = {
        "gpt-live-transcribe": {"prompt", "keywords", "languages", "delay"},
        "gpt-realtime-whisper": {"language", "delay"},
    }.get(transcription.get("model", ""), {"language", "prompt"})
    for name in set(transcription) - takes - {"model"}:
        raise RefusedError("unsupported_parameter", f"session.audio.input.transcription.{name}")


# -- a small language for the shapes of objects --------------------------------------------------------------


def _is(kinds: type | tuple[type, ...]) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise RefusedError("invalid_type", path)

    return check


def _one_of(*choices: Any) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in choices:
            raise RefusedError("invalid_value", path)

    return check


def _between(low: float, high: float) -> Check:
    def check(value: Any, path: str) -> None:
        _number(value, path)
        if not low <= value <= high:
            raise RefusedError("invalid_value", path)

    return check


def _short(limit: int) -> Check:
    def check(value: Any, path: str) -> None:
        _string(value, path)
        if not 0 < len(value) <= limit:
            raise RefusedError("string_above_max_length", path, f"Expected a maximum length of {limit}.")

    return check


def _list(check_each: Check) -> Check:
    def check(value: Any, path: str) -> None:
        _is(list)(value, path)
        for n, element in enumerate(value):
            check_each(element, f"{path}[{n}]")

    return check


def _or_null(check_value: Check) -> Check:
    return lambda value, path: None if value is None else check_value(value, path)


def _either(first: Check, second: Check) -> Check:
    def check(value: Any, path: str) -> None:
        try:
            first(value, path)
        except RefusedError:
            second(value, path)

    return check


def _object(**fields: Check) -> Check:
    """An object of these fields and no others. A name that ends in ``_`` may be absent."""
    checks = {name.removesuffix("_"): check for name, check in fields.items()}
    required = {name for name in fields if not name.endswith("_")}

    def check(value: Any, path: str) -> None:
        _is(dict)(value, path)
        inside = f"{path}." if path else ""
        for name in sorted(required - set(value)):
            raise RefusedError("missing_required_parameter", inside + name)
        for name, element in value.items():
            if name not in checks:
                raise RefusedError("unknown_parameter", inside + name)
            checks[name](element, inside + name)

    return check


def _by(name: str, variants: dict[str, Check]) -> Check:
    """An object whose field ``name`` says which of the ``variants`` it is."""

    def check(value: Any, path: str) -> None:
        _is(dict)(value, path)
        _one_of(*variants)(value.get(name), f"{path}.{name}")
        variants[value[name]](value, path)

    return check


_string, _number, _integer, _boolean = _is(str), _is((int, float)), _is(int), _is(bool)
_item_id = _short(ITEM_ID_MAX)
_format = _by("type", {"audio/pcm": _object(type=_string, rate=_one_of(24_000)), "audio/pcmu": _object(type=_string)})

_vad = {"type": _string, "create_response_": _boolean, "interrupt_response_": _boolean}
_turn_detection = _by(
    "type",
    {
        "server_vad": _object(
            **_vad,
            threshold_=_between(0, 1),
            prefix_padding_ms_=_integer,
            silence_duration_ms_=_integer,
            idle_timeout_ms_=_or_null(_integer),
        ),
        "semantic_vad": _object(**_vad, eagerness_=_one_of("auto", "low", "medium", "high")),
    },
)

_audio_input = _object(
    format_=_format,
    noise_reduction_=_or_null(_object(type=_one_of("near_field", "far_field"))),
    transcription_=_or_null(
        _object(
            model_=_string,
            language_=_string,
            languages_=_list(_string),
            prompt_=_string,
            keywords_=_list(_string),
            delay_=_one_of("minimal", "low", "medium", "high", "xhigh"),
        )
    ),
    turn_detection_=_or_null(_turn_detection),
)

_session = _object(
    type=_one_of("realtime"),
    model_=_string,
    output_modalities_=_either(_one_of(["audio"]), _one_of(["text"])),
    instructions_=_string,
    max_output_tokens_=_either(_between(1, 32_000), _one_of("inf")),
    reasoning_=_object(effort_=_one_of("minimal", "low", "medium", "high", "xhigh")),
    audio_=_object(
        input_=_audio_input,
        output_=_object(format_=_format, voice_=_string, speed_=_between(0.25, 1.5)),
    ),
)
_transcription_session = _object(
    type=_one_of("transcription"), audio_=_object(input_=_audio_input), include_=_list(_string)
)

_message = {"id_": _item_id, "type": _one_of("message"), "role": _string, "status_": _string}
_input = _object(**_message, content=_list(_object(type=_one_of("input_text"), text=_string)))
_output = _object(**_message, content=_list(_object(type=_one_of("output_text"), text=_string)))
_said = _by("role", {"system": _input, "user": _input, "assistant": _output})
_called = {"id_": _item_id, "call_id": _string, "status_": _string}
_item = _by(
    "type",
    {
        "message": _said,
        "function_call": _object(type=_string, name=_string, arguments=_string, **_called),
        "function_call_output": _object(type=_string, output=_string, **_called),
    },
)

_listening: dict[str, dict[str, Check]] = {
    "input_audio_buffer.append": {"audio": _string},
    "input_audio_buffer.commit": {},
    "input_audio_buffer.clear": {},
}
_conversing: dict[str, dict[str, Check]] = {
    "conversation.item.create": {"item": _item, "previous_item_id_": _or_null(_string)},
    "conversation.item.delete": {"item_id": _string},
    "conversation.item.truncate": {
        "item_id": _string,
        "content_index": _one_of(0),
        "audio_end_ms": _between(0, 2**31),
    },
    "response.create": {
        "response_": _object(
            metadata_=_or_null(_is(dict)),
            instructions_=_string,
            output_modalities_=_list(_string),
            max_output_tokens_=_either(_between(1, 32_000), _one_of("inf")),
        )
    },
    "response.cancel": {"response_id_": _string},
}
_EVENTS: dict[SessionType, dict[str, dict[str, Check]]] = {
    "realtime": {"session.update": {"session": _session}, **_listening, **_conversing},
    "transcription": {"session.update": {"session": _transcription_session}, **_listening},
}
