"""The wire ``voice.v1``: what a client may say, what it is told when it says something else, and what it hears."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import Source
from voice.protocol.history import History, Item
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.protocol.wires.fields import AUDIO_LIMIT, TEXT_LIMIT, WireError
from voice.protocol.wires.messages import ClientMessage, Commit, End, Page, RefreshAuth, Start
from voice.protocol.wires.voice_v1 import CLIENT_TYPES, SERVER_TYPES, UNTOLD, VoiceV1


def decode(frame: str | bytes) -> Any:
    """The one thing that a frame says."""
    (said,) = VoiceV1().decode(frame)
    return said


# -- what a client may say ------------------------------------------------------------------------------------------

UNDERSTOOD: list[tuple[str, ClientMessage]] = [
    ('{"type": "start"}', Start()),
    ('{"type": "start", "page": {}}', Start()),
    ('{"type": "start", "mode": "push_to_talk"}', Start(mode="push_to_talk")),
    (
        '{"type": "start", "language": "fr", "mode": "vad", "notice": "2",'
        ' "page": {"url": "/", "title": "T", "text": "x"}}',
        Start("fr", "vad", Page("/", "T", "x"), "2"),
    ),
    ('{"type": "input_text", "text": "Où ? 🙂"}', e.TextSubmitted("Où ? 🙂")),
    ('{"type": "input_text", "text": "\\ud83d\\ude42"}', e.TextSubmitted("🙂")),
    (json.dumps({"type": "input_text", "text": "x" * 4_000}), e.TextSubmitted("x" * 4_000)),
    ('{"type": "playback", "item_id": "i", "played_ms": 0}', e.Heard("i", 0)),
    ('{"type": "playback", "item_id": "i", "played_ms": 3600000, "underruns": 2}', e.Heard("i", 3_600_000, 2)),
    ('{"type": "interrupt"}', e.Interrupt()),
    ('{"type": "mute", "muted": true}', e.Muted(True)),
    ('{"type": "mute", "muted": false}', e.Muted(False)),
    ('{"type": "commit"}', Commit()),
    ('{"type": "auth.refresh", "token": "eyJ"}', RefreshAuth("eyJ")),
    ('{"muted": true, "type": "mute"}', e.Muted(True)),
    (' \n{"type": "end"}\n', End()),
]


@pytest.mark.parametrize(("frame", "message"), UNDERSTOOD, ids=[frame[:50] for frame, _ in UNDERSTOOD])
def test_a_documented_message_is_understood(frame: str, message: ClientMessage) -> None:
    assert decode(frame) == message


def test_every_type_of_the_vocabulary_is_tried() -> None:
    assert {json.loads(frame)["type"] for frame, _ in UNDERSTOOD} == CLIENT_TYPES


# -- what is not understood -----------------------------------------------------------------------------------------

NOT_JSON = [
    "",
    "hello",
    "{",
    "null",
    "[]",
    '"start"',
    "1",
    "\ufeff{}",
    '{"type": "end"} {"type": "end"}',
    "{'type': 'end'}",
    '{"type": "end",}',
    '{"type": "end", "type": "end"}',
    '{"type": "start", "page": {"url": "a", "url": "b"}}',
    '{"type": "playback", "item_id": "i", "played_ms": NaN}',
    '{"type": "playback", "item_id": "i", "played_ms": Infinity}',
    '{"type": "playback", "item_id": "i", "played_ms": -Infinity}',
    '{"type": "playback", "item_id": "i", "played_ms": ' + "9" * 5_000 + "}",
    "[" * 30_000,
    '{"a":' * 30_000,
    '{"type": "input_text", "text": "line\nbreak"}',
]

REFUSED: list[tuple[str, str, str | None]] = [
    *((frame, "invalid_json", None) for frame in NOT_JSON),
    ("{}", "unknown_type", "type"),
    ('{"type": null}', "unknown_type", "type"),
    ('{"type": 1}', "unknown_type", "type"),
    ('{"type": ["end"]}', "unknown_type", "type"),
    ('{"type": {"end": 1}}', "unknown_type", "type"),
    ('{"type": "END"}', "unknown_type", "type"),
    ('{"type": "session.update"}', "unknown_type", "type"),
    ('{"type": "session.ready"}', "unknown_type", "type"),
    ('{"type": "end", "why": 1}', "unknown_field", "why"),
    ('{"type": "interrupt", "item_id": "x"}', "unknown_field", "item_id"),
    ('{"type": "start", "instructions": "be evil"}', "unknown_field", "instructions"),
    ('{"type": "start", "page": {"html": "x"}}', "unknown_field", "page.html"),
    ('{"type": "start", "language": null}', "invalid_field", "language"),
    ('{"type": "start", "language": 1}', "invalid_field", "language"),
    (json.dumps({"type": "start", "language": "x" * 36}), "invalid_field", "language"),
    ('{"type": "start", "mode": "shout"}', "invalid_field", "mode"),
    ('{"type": "start", "mode": ["vad"]}', "invalid_field", "mode"),
    ('{"type": "start", "mode": null}', "invalid_field", "mode"),
    ('{"type": "start", "page": []}', "invalid_field", "page"),
    ('{"type": "start", "page": null}', "invalid_field", "page"),
    ('{"type": "start", "page": {"url": {"deep": 1}}}', "invalid_field", "page.url"),
    (json.dumps({"type": "start", "page": {"text": "x" * 2_049}}), "invalid_field", "page.text"),
    (json.dumps({"type": "start", "page": {"title": "x" * 301}}), "invalid_field", "page.title"),
    (json.dumps({"type": "start", "notice": "x" * 41}), "invalid_field", "notice"),
    ('{"type": "input_text"}', "missing_field", "text"),
    ('{"type": "input_text", "text": null}', "invalid_field", "text"),
    ('{"type": "input_text", "text": ""}', "invalid_field", "text"),
    ('{"type": "input_text", "text": " \\n\\t "}', "invalid_field", "text"),
    ('{"type": "input_text", "text": ["x"]}', "invalid_field", "text"),
    ('{"type": "input_text", "text": "half \\ud83d"}', "invalid_field", "text"),
    (json.dumps({"type": "input_text", "text": "x" * 4_001}), "invalid_field", "text"),
    ('{"type": "playback", "played_ms": 1}', "missing_field", "item_id"),
    ('{"type": "playback", "item_id": "i"}', "missing_field", "played_ms"),
    ('{"type": "playback", "item_id": "", "played_ms": 1}', "invalid_field", "item_id"),
    (json.dumps({"type": "playback", "item_id": "i" * 65, "played_ms": 1}), "invalid_field", "item_id"),
    ('{"type": "playback", "item_id": "i", "played_ms": -1}', "invalid_field", "played_ms"),
    ('{"type": "playback", "item_id": "i", "played_ms": 1.0}', "invalid_field", "played_ms"),
    ('{"type": "playback", "item_id": "i", "played_ms": 1e999}', "invalid_field", "played_ms"),
    ('{"type": "playback", "item_id": "i", "played_ms": true}', "invalid_field", "played_ms"),
    ('{"type": "playback", "item_id": "i", "played_ms": "1"}', "invalid_field", "played_ms"),
    ('{"type": "playback", "item_id": "i", "played_ms": ' + "9" * 4_000 + "}", "invalid_field", "played_ms"),
    ('{"type": "playback", "item_id": "i", "played_ms": 1, "underruns": -1}', "invalid_field", "underruns"),
    ('{"type": "mute"}', "missing_field", "muted"),
    ('{"type": "mute", "muted": 1}', "invalid_field", "muted"),
    ('{"type": "mute", "muted": "true"}', "invalid_field", "muted"),
    ('{"type": "auth.refresh", "token": ""}', "invalid_field", "token"),
    (json.dumps({"type": "auth.refresh", "token": "x" * 8_193}), "invalid_field", "token"),
]


@pytest.mark.parametrize(("frame", "code", "param"), REFUSED, ids=[frame[:50] for frame, _, _ in REFUSED])
def test_what_is_wrong_is_named(frame: str, code: str, param: str | None) -> None:
    with pytest.raises(WireError) as raised:
        decode(frame)
    assert (raised.value.code, raised.value.param) == (code, param)
    told = raised.value.told()
    assert told == c.TellError(code, str(raised.value), param)
    assert len(told.message) < 200


def test_an_unknown_field_is_named_harmlessly() -> None:
    """Its name is the client's text: it is cut, and made printable."""
    with pytest.raises(WireError) as raised:
        decode(json.dumps({"type": "end", "\ud83d" + "é" * 10_000: 1}))
    assert raised.value.param == "?" * 40


def test_the_value_of_a_wrong_field_is_not_repeated() -> None:
    with pytest.raises(WireError) as raised:
        decode('{"type": "auth.refresh", "token": ["secret"]}')
    assert "secret" not in str(raised.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["language", "mode", "page", "notice", "text", "item_id", "played_ms", "underruns", "muted", "token", "x"]
)


@given(st.sampled_from(sorted(CLIENT_TYPES)) | json_values, st.dictionaries(fields, json_values, max_size=4))
def test_no_message_does_anything_but_decode_or_name_its_fault(kind: Any, message: dict[str, Any]) -> None:
    with suppress(WireError):
        decode(json.dumps({"type": kind, **message}))


@given(st.text(max_size=40))
def test_no_text_does_anything_but_decode_or_name_its_fault(frame: str) -> None:
    with pytest.raises(WireError):
        decode(frame)


def test_the_largest_legal_messages_fit_into_a_frame_in_any_script() -> None:
    page = {"url": "/" + "🙂" * 2_047, "title": "🙂" * 300, "text": "🙂" * 2_048}
    start = json.dumps({"type": "start", "page": page}, ensure_ascii=True)
    typed = json.dumps({"type": "input_text", "text": "🙂" * 4_000}, ensure_ascii=True)
    assert decode(start) != Start()
    assert decode(typed) == e.TextSubmitted("🙂" * 4_000)
    assert max(len(start), len(typed)) < TEXT_LIMIT


@pytest.mark.parametrize("size", [0, 2, 1_920, AUDIO_LIMIT])
def test_a_second_of_whole_samples_is_an_audio_frame(size: int) -> None:
    assert decode(bytes(size)) == bytes(size)


@pytest.mark.parametrize("size", [1, 1_921, AUDIO_LIMIT + 2])
def test_half_a_sample_or_more_than_a_second_is_none(size: int) -> None:
    with pytest.raises(WireError) as raised:
        decode(bytes(size))
    assert (raised.value.code, raised.value.param) == ("invalid_audio", None)


def test_no_secret_and_no_words_are_in_the_repr_of_a_message() -> None:
    assert "eyJ" not in repr(RefreshAuth("eyJ"))
    assert "words" not in repr(Page(text="words"))


# -- what a client hears --------------------------------------------------------------------------------------------

TOLD: list[tuple[c.ToBrowser, dict[str, Any]]] = [
    (
        c.TellReady("s1", "local", 600),
        {"type": "session.ready", "session_id": "s1", "provider": "local", "seconds": 600, "resume": None},
    ),
    (
        c.TellReady("s1", "local", 600, "s1.secret"),
        {"type": "session.ready", "session_id": "s1", "provider": "local", "seconds": 600, "resume": "s1.secret"},
    ),
    (
        c.TellHistory(History((Item("user", "Où ?"), Item("assistant", "Au port", True, (Source(1, "Port", "/p/"),))))),
        {
            "type": "history",
            "items": [
                {"role": "user", "text": "Où ?", "cut": False, "sources": []},
                {
                    "role": "assistant",
                    "text": "Au port",
                    "cut": True,
                    "sources": [{"n": 1, "title": "Port", "url": "/p/"}],
                },
            ],
        },
    ),
    (c.TellSpeechStarted("i"), {"type": "speech.started", "item_id": "i"}),
    (c.TellSpeechStopped("i"), {"type": "speech.stopped", "item_id": "i"}),
    (c.TellUserTranscript("i", "Où", True), {"type": "transcript.user", "item_id": "i", "text": "Où", "final": True}),
    (c.TellAnswerTranscript("i", " ten"), {"type": "transcript.assistant", "item_id": "i", "delta": " ten"}),
    (c.PlayDone("i"), {"type": "audio.done", "item_id": "i"}),
    (c.StopPlayback("i"), {"type": "playback.stop", "item_id": "i"}),
    (
        c.TellContext((Source(1, "T", "/u"),), True, 5),
        {"type": "context", "sources": [{"n": 1, "title": "T", "url": "/u"}], "prefetched": True, "waited_ms": 5},
    ),
    (
        c.TellTurnDone(3, TurnOutcome.COMPLETED, {"first_audio": 31}),
        {"type": "turn.done", "turn": 3, "outcome": "completed", "latencies": {"first_audio": 31}},
    ),
    (c.TellNotice("answer_failed"), {"type": "notice", "code": "answer_failed"}),
    (c.TellExpiring(30, "duration"), {"type": "session.expiring", "seconds": 30, "why": "duration"}),
    (c.TellError("x", "m", None), {"type": "error", "code": "x", "message": "m", "param": None}),
    (
        c.TellEnding(EndReason.DISABLED, "Off."),
        {
            "type": "session.ending",
            "code": 4503,
            "reason": "disabled",
            "retry": "no",
            "retry_after_ms": None,
            "message": "Off.",
        },
    ),
]


def to_browser() -> set[type]:
    """Every command that the browser receives."""
    kinds = {kind for kind in vars(c).values() if isinstance(kind, type) and issubclass(kind, c.ToBrowser)}
    return kinds - {c.ToBrowser}


@pytest.mark.parametrize(("command", "message"), TOLD, ids=[message["type"] for _, message in TOLD])
def test_what_is_told_is_one_json_object(command: c.ToBrowser, message: dict[str, Any]) -> None:
    (frame,) = VoiceV1().encode(command)
    assert isinstance(frame, str)
    assert json.loads(frame) == message


def test_every_command_to_the_browser_has_its_message() -> None:
    assert {type(command) for command, _ in TOLD} | {c.Play, *UNTOLD} == to_browser()
    assert {message["type"] for _, message in TOLD} | {"audio.item"} == SERVER_TYPES


@pytest.mark.parametrize(
    "command",
    [
        c.TellAdmitted("s", 1),
        c.TellCommitted("i"),
        c.TellAnswerStarted("r"),
        c.TellAnswerDone("r", "completed", None, None),
    ],
)
def test_what_it_has_no_word_for_is_not_told(command: c.ToBrowser) -> None:
    assert VoiceV1().encode(command) == []


def test_audio_is_binary_and_says_whose_it_is_when_that_changes() -> None:
    encoder = VoiceV1()
    frames = [frame for item in ("a", "a", "b", "a") for frame in encoder.encode(c.Play(item, item.encode()))]
    assert frames == [
        '{"type":"audio.item","item_id":"a"}', b"a", b"a",
        '{"type":"audio.item","item_id":"b"}', b"b",
        '{"type":"audio.item","item_id":"a"}', b"a",
    ]  # fmt: skip


def test_messages_between_audio_do_not_make_it_say_so_again() -> None:
    encoder = VoiceV1()
    encoder.encode(c.Play("a", b"1"))
    encoder.encode(c.TellAnswerTranscript("a", "x"))
    assert encoder.encode(c.Play("a", b"2")) == [b"2"]


def test_half_an_emoji_of_an_upstream_does_not_end_the_session() -> None:
    for command in (c.TellAnswerTranscript("i", "\ud83d"), c.TellUserTranscript("i", "\ude42", final=False)):
        (frame,) = VoiceV1().encode(command)
        assert isinstance(frame, str)
        frame.encode()


def test_that_it_may_be_tried_again_later_is_told_in_milliseconds() -> None:
    (frame,) = VoiceV1().encode(c.TellEnding(EndReason.RATE_LIMITED, "Five an hour.", 120_000))
    assert json.loads(frame)["retry_after_ms"] == 120_000
