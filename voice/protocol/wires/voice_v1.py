"""The wire ``voice.v1``: text frames to client messages, commands to text frames. See ``voice/docs/protocol.md``.

The vocabulary is closed. What a client sends is parsed once, checked field by field against one table, and built anew;
nothing of it is passed on as it came. What is wrong raises :class:`WireError`, which names the field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import BYTES_PER_MS, BYTES_PER_SAMPLE
from voice.protocol.outcomes import EndReason

SUBPROTOCOL = "voice.v1"
TEXT_LIMIT = 64 * 1024
"""Bytes of a text frame; several times the largest legal message, ``start`` with its page."""
AUDIO_LIMIT = 1000 * BYTES_PER_MS
"""Bytes of a binary frame: a second."""
TYPED_LIMIT = 4_000
PAGE_TEXT_LIMIT = 2_048
PLAYED_LIMIT_MS = 3_600_000

Mode = Literal["vad", "push_to_talk"]


class WireError(ValueError):
    """A frame that is not understood. ``code`` and ``param`` are those of the ``error`` message."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param = code, param

    def told(self) -> c.TellError:
        """What the client is told."""
        return c.TellError(self.code, str(self), self.param)


@dataclass(frozen=True, slots=True)
class Page:
    """The page that the visitor looks at. Untrusted data, like any passage."""

    url: str = ""
    title: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Start:
    """How this conversation is to be. Without it, these defaults hold."""

    language: str = ""
    """Language tag; empty for the site's default."""
    mode: Mode = "vad"
    page: Page = Page()
    notice: str = ""
    """Version of the consent notice that the visitor was shown."""
    resume: str = field(default="", repr=False)
    """The token of the conversation to go on with; empty: a new one."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Push-to-talk: the visitor let go. How much audio there was is the session's to know."""


@dataclass(frozen=True, slots=True)
class RefreshAuth:
    """A new token of the same user."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """Goodbye."""


ClientMessage = Start | Commit | RefreshAuth | End | e.TextSubmitted | e.Heard | e.Interrupt | e.Muted


# -- client to server ----------------------------------------------------------------------------------------------


def decode(frame: str) -> ClientMessage:
    """The message in a text frame.

    Raises:
        WireError: the frame is not JSON, or not of the vocabulary.
    """
    message = _object(frame)
    kind = message.pop("type", None)
    decoder = _DECODERS.get(kind) if isinstance(kind, str) else None
    if decoder is None:
        raise WireError("unknown_type", "type must be one of the documented message types.", "type")
    fields = Fields(message)
    decoded = decoder(fields)
    fields.done()
    return decoded


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
        self._message, self._path = message, path

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

    def truth(self, name: str) -> bool:
        """``true`` or ``false``."""
        value = self._take(name, None)
        if not isinstance(value, bool):
            self._refuse(name, "must be true or false")
        return value

    def nested(self, name: str) -> Fields:
        """An object; empty where it is absent."""
        value = self._take(name, {})
        if not isinstance(value, dict):
            self._refuse(name, "must be an object")
        return Fields(value, f"{self._path}{name}.")

    def done(self) -> None:
        """Nothing else may be there."""
        for name in self._message:
            shown = name[:40].encode("ascii", "replace").decode()
            raise WireError("unknown_field", f"{self._path}{shown} is not a field of this message.", self._path + shown)

    def _take(self, name: str, default: Any) -> Any:
        if name not in self._message and default is None:
            raise WireError("missing_field", f"{self._path}{name} is required.", self._path + name)
        return self._message.pop(name, default)

    def _refuse(self, name: str, must: str) -> NoReturn:
        raise WireError("invalid_field", f"{self._path}{name} {must}.", self._path + name)


def _object(frame: str) -> dict[str, Any]:
    try:
        message = json.loads(frame, parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):  # JSONDecodeError, integers of 4,300 digits, deep nesting
        raise WireError("invalid_json", "A text frame holds one JSON object.") from None
    if not isinstance(message, dict):
        raise WireError("invalid_json", "A text frame holds one JSON object.")
    return message


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    message = dict(pairs)
    if len(message) != len(pairs):
        raise ValueError("duplicate key")
    return message


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _start(fields: Fields) -> Start:
    page = fields.nested("page")
    start = Start(
        language=fields.text("language", 35, default=""),
        mode="push_to_talk" if fields.choice("mode", ("vad", "push_to_talk"), default="vad") != "vad" else "vad",
        page=Page(
            page.text("url", 2_048, default=""),
            page.text("title", 300, default=""),
            page.text("text", PAGE_TEXT_LIMIT, default=""),
        ),
        notice=fields.text("notice", 40, default=""),
        resume=fields.text("resume", 128, default=""),
    )
    page.done()
    return start


_DECODERS: Mapping[str, Callable[[Fields], ClientMessage]] = {
    "start": _start,
    "input_text": lambda f: e.TextSubmitted(_question(f)),
    "playback": lambda f: e.Heard(
        f.text("item_id", 64, least=1), f.whole("played_ms", PLAYED_LIMIT_MS), f.whole("underruns", 10**6, default=0)
    ),
    "interrupt": lambda f: e.Interrupt(),
    "mute": lambda f: e.Muted(f.truth("muted")),
    "commit": lambda f: Commit(),
    "auth.refresh": lambda f: RefreshAuth(f.text("token", 8_192, least=1)),
    "end": lambda f: End(),
}

CLIENT_TYPES = frozenset(_DECODERS)


def _question(fields: Fields) -> str:
    text = fields.text("text", TYPED_LIMIT, least=1)
    if not text.strip():
        raise WireError("invalid_field", "text must hold more than white space.", "text")
    return text


# -- server to client ----------------------------------------------------------------------------------------------


def ending(reason: EndReason, message: str, retry_after_ms: int | None = None) -> str:
    """The last text frame of a session, before the close frame with the same code."""
    end = reason.ending
    return _frame(
        "session.ending",
        code=end.code,
        reason=reason.value,
        retry=end.retry.value,
        retry_after_ms=retry_after_ms,
        message=message,
    )


class Encoder:
    """Commands to frames. It remembers which item the binary frames belong to, and says so when that changes."""

    def __init__(self) -> None:
        self._item_id = ""

    def encode(self, command: c.ToBrowser) -> list[str | bytes]:
        """The frames that tell ``command``, in order."""
        if isinstance(command, c.Play):
            return self._audio(command)
        return [_ENCODERS[type(command)](command)]

    def _audio(self, command: c.Play) -> list[str | bytes]:
        if command.item_id == self._item_id:
            return [command.pcm]
        self._item_id = command.item_id
        return [_frame("audio.item", item_id=command.item_id), command.pcm]


def _frame(kind: str, **fields: Any) -> str:
    frame = json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
    return frame.encode("utf-8", "replace").decode()  # an upstream may cut an emoji in two; half of one is no text


def _context(command: c.TellContext) -> str:
    shown = [{"n": s.n, "title": s.title, "url": s.url} for s in command.sources]
    return _frame("context", sources=shown, prefetched=command.prefetched, waited_ms=command.waited_ms)


_ENCODERS: Mapping[type, Callable[[Any], str]] = {
    c.TellReady: lambda m: _frame(
        "session.ready",
        session_id=m.session_id,
        provider=m.provider,
        seconds=m.seconds,
        resume=m.resume or None,
    ),
    c.TellHistory: lambda m: _frame("history", items=m.history.dump()),
    c.TellSpeechStarted: lambda m: _frame("speech.started", item_id=m.item_id),
    c.TellSpeechStopped: lambda m: _frame("speech.stopped", item_id=m.item_id),
    c.TellUserTranscript: lambda m: _frame("transcript.user", item_id=m.item_id, text=m.text, final=m.final),
    c.TellAnswerTranscript: lambda m: _frame("transcript.assistant", item_id=m.item_id, delta=m.delta),
    c.PlayDone: lambda m: _frame("audio.done", item_id=m.item_id),
    c.StopPlayback: lambda m: _frame("playback.stop", item_id=m.item_id),
    c.TellContext: _context,
    c.TellTurnDone: lambda m: _frame("turn.done", turn=m.turn, outcome=m.outcome.value, latencies=dict(m.latencies)),
    c.TellNotice: lambda m: _frame("notice", code=m.code),
    c.TellExpiring: lambda m: _frame("session.expiring", seconds=m.seconds, why=m.why),
    c.TellError: lambda m: _frame("error", code=m.code, message=m.message, param=m.param),
}

SERVER_TYPES = frozenset(
    {
        "session.ready", "history", "speech.started", "speech.stopped", "transcript.user", "transcript.assistant",
        "audio.item", "audio.done", "playback.stop", "context", "turn.done", "notice",
        "session.expiring", "session.ending", "error",
    }
)  # fmt: skip
