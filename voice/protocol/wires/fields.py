"""JSON in text frames: read field by field, with distrust, and written; and the sizes that hold on every wire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from voice.protocol.audio import BYTES_PER_MS, BYTES_PER_SAMPLE
from voice.protocol.commands import TellError

TEXT_LIMIT = 64 * 1024
"""Bytes of a text frame; several times the largest legal message, ``start`` with its page."""
AUDIO_LIMIT = 1000 * BYTES_PER_MS
"""Bytes of audio in one frame: a second."""
TYPED_LIMIT = 4_000
"""Characters of a typed question."""
PLAYED_LIMIT_MS = 3_600_000


class WireError(ValueError):
    """A frame that is not understood. ``code`` and ``param`` are those of the ``error`` message; ``event_id`` is the
    client's name for the frame, where it has one."""

    def __init__(self, code: str, message: str, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param, self.event_id = code, param, event_id

    def told(self) -> TellError:
        """What the client is told."""
        return TellError(self.code, str(self), self.param, self.event_id)


def check_audio(frame: bytes) -> None:
    """Refuse a binary frame that is too long or not made of whole samples.

    Raises:
        WireError: ``invalid_audio``.
    """
    if len(frame) > AUDIO_LIMIT:
        raise WireError("invalid_audio", f"An audio frame holds at most {AUDIO_LIMIT} bytes.")
    if len(frame) % BYTES_PER_SAMPLE:
        raise WireError("invalid_audio", "An audio frame holds whole 16 bit samples, so an even number of bytes.")


class Fields:
    """The fields of one message, taken out one by one; what is left at the end was never documented."""

    def __init__(self, message: dict[str, Any], path: str = "") -> None:
        self._message, self.path = message, path

    def text(self, name: str, limit: int, *, default: str | None = None, least: int = 0) -> str:
        """A string of ``least`` to ``limit`` characters without lone surrogates."""
        value = self._take(name, default)
        if not isinstance(value, str) or not least <= len(value) <= limit or not _encodable(value):
            self._refuse(name, f"must be a string of {least} to {limit} characters")
        return value

    def choice(self, name: str, choices: tuple[str, ...], *, default: str) -> str:
        """One of a few words."""
        value = self._take(name, default)
        if value not in choices:
            self._refuse(name, f"must be one of {', '.join(choices)}")
        return str(value)

    def whole(self, name: str, limit: int, *, default: int | None = None) -> int:
        """A whole number from 0 to ``limit``."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            self._refuse(name, f"must be a whole number from 0 to {limit}")
        return value

    def truth(self, name: str, *, default: bool | None = None) -> bool:
        """``true`` or ``false``."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            self._refuse(name, "must be true or false")
        return value

    def nested(self, name: str) -> Fields:
        """An object; empty where it is absent."""
        value = self._take(name, {})
        if not isinstance(value, dict):
            self._refuse(name, "must be an object")
        return Fields(value, f"{self.path}{name}.")

    def texts(self, most: int, name_limit: int, limit: int) -> dict[str, str]:
        """All that is left: ``most`` strings of ``limit`` characters, under whatever names."""
        names = list(self._message)
        if len(names) > most or any(len(name) > name_limit or not _encodable(name) for name in names):
            raise WireError("invalid_field", f"{self.path} has at most {most} short names.", self.path.rstrip("."))
        return {name: self.text(name, limit) for name in names}

    def anything(self, name: str, default: object = None) -> Any:
        """Whatever stands there, for who looks at it closer."""
        return self._message.pop(name, default)

    def ignore(self, names: Iterable[str]) -> None:
        """These may be there, and change nothing."""
        for name in names:
            self._message.pop(name, None)

    def done(self) -> None:
        """Nothing else may be there."""
        for name in self._message:
            shown = name[:40].encode("ascii", "replace").decode()
            raise WireError("unknown_field", f"{self.path}{shown} is not a field of this message.", self.path + shown)

    def _take(self, name: str, default: Any) -> Any:
        if name not in self._message and default is None:
            raise WireError("missing_field", f"{self.path}{name} is required.", self.path + name)
        return self._message.pop(name, default)

    def _refuse(self, name: str, must: str) -> NoReturn:
        raise WireError("invalid_field", f"{self.path}{name} {must}.", self.path + name)


def json_object(frame: str) -> dict[str, Any]:
    try:
        message = _DECODER.decode(frame)
    except (ValueError, RecursionError):  # JSONDecodeError, integers of 4,300 digits, deep nesting
        raise WireError("invalid_json", "A text frame holds one JSON object.") from None
    if not isinstance(message, dict):
        raise WireError("invalid_json", "A text frame holds one JSON object.")
    return message


def json_text(message: Mapping[str, Any]) -> str:
    """``message`` as the text of a frame."""
    text = _ENCODER.encode(message)
    return text.encode("utf-8", "replace").decode()  # an upstream may cut an emoji in two; half of one is no text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    message = dict(pairs)
    if len(message) != len(pairs):
        raise ValueError("duplicate key")
    return message


# To make them, as json.loads and json.dumps do for each call, costs as much as their use.
_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
