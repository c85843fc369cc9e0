"""The wire ``voice.v1``: text frames to client messages, commands to text frames. See ``voice/docs/protocol.md``.

The vocabulary is closed. What a client sends is parsed once, checked field by field against one table, and built anew;
nothing of it is passed on as it came. What is wrong raises :class:`WireError`, which names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.wires.base import Frame, Said, Wire
from voice.protocol.wires.fields import (
    PLAYED_LIMIT_MS,
    TYPED_LIMIT,
    Fields,
    WireError,
    check_audio,
    json_object,
    json_text,
)
from voice.protocol.wires.messages import ClientMessage, Commit, End, Page, RefreshAuth, Start

PAGE_TEXT_LIMIT = 2_048
"""Characters of the page's text."""


class VoiceV1(Wire):
    """It remembers which item the binary frames belong to, and says so when that changes."""

    subprotocol = "voice.v1"
    resumes = True
    reports = True
    binary = True

    def __init__(self) -> None:
        self._item_id = ""

    def decode(self, frame: Frame) -> tuple[Said, ...]:
        """The message in a text frame, the audio in a binary one."""
        if isinstance(frame, str):
            return (message(frame),)
        check_audio(frame)
        return (frame,)

    def encode(self, command: c.ToBrowser) -> list[Frame]:
        """The message of a command; of an answer's audio, the binary frame."""
        if isinstance(command, c.Play):
            return self._audio(command)
        return [] if isinstance(command, UNTOLD) else [_ENCODERS[type(command)](command)]

    def _audio(self, command: c.Play) -> list[Frame]:
        if command.item_id == self._item_id:
            return [command.pcm]
        self._item_id = command.item_id
        return [_frame("audio.item", item_id=command.item_id), command.pcm]


# -- client to server ----------------------------------------------------------------------------------------------


def message(frame: str) -> ClientMessage:
    """The message in a text frame.

    Raises:
        WireError: the frame is not JSON, or not of the vocabulary.
    """
    said = json_object(frame)
    kind = said.pop("type", None)
    decoder = _DECODERS.get(kind) if isinstance(kind, str) else None
    if decoder is None:
        raise WireError("unknown_type", "type must be one of the documented message types.", "type")
    fields = Fields(said)
    decoded = decoder(fields)
    fields.done()
    return decoded


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
        waiting=fields.truth("waiting", default=False),
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


def _frame(kind: str, **fields: Any) -> str:
    return json_text({"type": kind, **fields})


def _ending(command: c.TellEnding) -> str:
    end = command.reason.ending
    return _frame(
        "session.ending",
        code=end.code,
        reason=command.reason.value,
        retry=end.retry.value,
        retry_after_ms=command.retry_after_ms,
        message=command.message,
    )


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
    c.TellEnding: _ending,
    c.TellError: lambda m: _frame("error", code=m.code, message=m.message, param=m.param),
}

UNTOLD = (c.TellAdmitted, c.TellCommitted, c.TellAnswerStarted, c.TellAnswerDone)
"""What this wire has no word for: its clients need not know of the upstream's bookkeeping."""

SERVER_TYPES = frozenset(
    {
        "session.ready", "history", "speech.started", "speech.stopped", "transcript.user", "transcript.assistant",
        "audio.item", "audio.done", "playback.stop", "context", "turn.done", "notice",
        "session.expiring", "session.ending", "error",
    }
)  # fmt: skip
