"""The codec of the GA Realtime API."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.protocol import commands, events
from voice.protocol.context import Passage
from voice.upstream.openai.wire import HOUSEKEEPING, Decoder, append, encode

PCM = bytes(range(256)) * 4
AUDIO = base64.b64encode(PCM).decode()
WHERE = {"event_id": "e", "response_id": "resp_1", "item_id": "item_A", "output_index": 0, "content_index": 0}
TRANSCRIPTION = "conversation.item.input_audio_transcription"
USAGE = {"total_tokens": 253, "input_tokens": 132, "output_tokens": 121}


def decode(event: Any) -> events.UpstreamEvent | None:
    return Decoder().decode(json.dumps(event).encode())


# -- up -------------------------------------------------------------------------------------------------------


def test_audio_goes_up_as_base64_in_one_event() -> None:
    assert json.loads(append(PCM)) == {"type": "input_audio_buffer.append", "audio": AUDIO}


COMMANDS = [
    (
        commands.InjectContext("ctx_1_1", "<<<data", (Passage("title", "text"),)),
        {
            "type": "conversation.item.create",
            "event_id": "ctx_1_1",
            "item": {
                "id": "ctx_1_1",
                "type": "message",
                "role": "system",
                "content": [{"type": "input_text", "text": "<<<data"}],
            },
        },
    ),
    (
        commands.SubmitText("usr_2", "Où êtes-vous ?"),
        {
            "type": "conversation.item.create",
            "event_id": "usr_2",
            "item": {
                "id": "usr_2",
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Où êtes-vous ?"}],
            },
        },
    ),
    (
        commands.CreateResponse("req_1_1"),
        {"type": "response.create", "event_id": "req_1_1", "response": {"metadata": {"request": "req_1_1"}}},
    ),
    (
        commands.CancelResponse("resp_1"),
        {"type": "response.cancel", "event_id": f"{HOUSEKEEPING}resp_1", "response_id": "resp_1"},
    ),
    (
        commands.Truncate("item_A", 1500),
        {
            "type": "conversation.item.truncate",
            "event_id": f"{HOUSEKEEPING}item_A",
            "item_id": "item_A",
            "content_index": 0,
            "audio_end_ms": 1500,
        },
    ),
    (
        commands.DeleteItem("ctx_1_1"),
        {"type": "conversation.item.delete", "event_id": f"{HOUSEKEEPING}ctx_1_1", "item_id": "ctx_1_1"},
    ),
    (commands.CommitAudio(), {"type": "input_audio_buffer.commit", "event_id": "commit"}),
    (commands.ClearAudio(), {"type": "input_audio_buffer.clear", "event_id": "clear"}),
]


@pytest.mark.parametrize(("command", "event"), COMMANDS, ids=lambda value: type(value).__name__)
def test_each_command_is_one_client_event(command: commands.ToUpstream, event: dict[str, Any]) -> None:
    assert json.loads(encode(command)) == event


def test_silence_is_no_event_of_its_own() -> None:
    with pytest.raises(TypeError, match="SendSilence"):
        encode(commands.SendSilence(300))


def test_half_of_a_surrogate_pair_does_not_break_the_frame() -> None:
    assert encode(commands.SubmitText("usr_1", "\ud83d")).isascii()


# -- down -----------------------------------------------------------------------------------------------------


def done(status: str, details: Any = None, **fields: Any) -> dict[str, Any]:
    response = {"id": "resp_1", "status": status, "status_details": details, "metadata": {"request": "req_1"}, **fields}
    return {"type": "response.done", "event_id": "e", "response": response}


def error(code: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "code": code, "message": "m", **fields}}


EVENTS: list[tuple[dict[str, Any], events.UpstreamEvent]] = [
    (
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1000, "item_id": "item_U"},
        events.SpeechStarted("item_U"),
    ),
    (
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 4200, "item_id": "item_U"},
        events.SpeechStopped("item_U"),
    ),
    (
        {"type": "input_audio_buffer.committed", "item_id": "item_U", "previous_item_id": "item_P"},
        events.InputCommitted("item_U", "item_P"),
    ),
    (
        {"type": "input_audio_buffer.committed", "item_id": "item_U", "previous_item_id": None},
        events.InputCommitted("item_U", None),
    ),
    (
        {"type": f"{TRANSCRIPTION}.delta", "item_id": "item_U", "delta": " refund", "obfuscation": "aLxx0"},
        events.TranscriptDelta("item_U", " refund"),
    ),
    (
        {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": "item_U",
            "transcript": "Hello.",
            "usage": {"type": "duration", "seconds": 3.2},
        },
        events.TranscriptDone("item_U", "Hello.", {"type": "duration", "seconds": 3.2}),
    ),
    (
        {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": "item_U",
            "transcript": "",
            "usage": "a lot",
        },
        events.TranscriptDone("item_U", "", None),
    ),
    (
        {"type": f"{TRANSCRIPTION}.failed", "item_id": "item_U", "error": {"code": None}},
        events.TranscriptFailed("item_U"),
    ),
    (
        {"type": "response.created", "response": {"id": "resp_1", "metadata": {"request": "req_1"}}},
        events.ResponseStarted("resp_1", "req_1"),
    ),
    (
        {"type": "response.created", "response": {"id": "resp_1", "metadata": None}},
        events.ResponseStarted("resp_1", None),
    ),
    (
        {"type": "response.output_audio.delta", **WHERE, "delta": AUDIO},
        events.AudioDelta("resp_1", "item_A", PCM),
    ),
    ({"type": "response.output_audio.done", **WHERE}, events.AudioDone("resp_1", "item_A")),
    (
        {"type": "response.output_audio_transcript.delta", **WHERE, "delta": "Hel"},
        events.AnswerDelta("resp_1", "item_A", "Hel"),
    ),
    (done("completed", usage=USAGE), events.ResponseDone("resp_1", "completed", None, USAGE, "req_1")),
    (
        done("cancelled", {"type": "cancelled", "reason": "turn_detected"}, usage=None),
        events.ResponseDone("resp_1", "cancelled", "turn_detected", None, "req_1"),
    ),
    (
        done("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}),
        events.ResponseDone("resp_1", "incomplete", "max_output_tokens", None, "req_1"),
    ),
    (
        done("failed", {"type": "failed", "error": {"type": "server_error", "code": "inference_rate_limit_exceeded"}}),
        events.ResponseDone("resp_1", "failed", "inference_rate_limit_exceeded", None, "req_1"),
    ),
    (
        done("failed", {"type": "failed", "error": {"type": "server_error", "code": None}}),
        events.ResponseDone("resp_1", "failed", "server_error", None, "req_1"),
    ),
    (done("in_progress"), events.ResponseDone("resp_1", "failed", None, None, "req_1")),
    (
        error("conversation_already_has_active_response", event_id="req_7", param=None),
        events.Fault("conversation_already_has_active_response", "m", "req_7", None),
    ),
    (error(None, param="item.id"), events.Fault("invalid_request_error", "m", None, "item.id")),
    ({"type": "error"}, events.Fault("unknown")),
]


@pytest.mark.parametrize(("raw", "event"), EVENTS, ids=lambda value: value["type"] if isinstance(value, dict) else "")
def test_each_server_event_is_one_event_of_the_core(raw: dict[str, Any], event: events.UpstreamEvent) -> None:
    assert decode(raw) == event
    compact = json.dumps(dict(reversed(raw.items())), separators=(",", ":"))
    assert Decoder().decode(compact.encode()) == event, "neither the order of keys nor white space matters"
    assert Decoder().decode(compact) == event, "text frames are the same as bytes"


AUDIO_FIELDS = {"type": "response.output_audio.delta", **WHERE, "delta": AUDIO, "obfuscation": 'x"delta":"y'}


@given(st.permutations(list(AUDIO_FIELDS.items())), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_audio_is_the_same_in_whatever_order_its_fields_come(
    fields: list[tuple[str, Any]], separators: tuple[str, str]
) -> None:
    raw = json.dumps(dict(fields), separators=separators).encode()
    assert Decoder().decode(raw) == events.AudioDelta("resp_1", "item_A", PCM)


@pytest.mark.parametrize("other", [{"delta": "AAAA"}, {"item_id": "item_X"}, {"response_id": "resp_X"}])
def test_fields_of_other_objects_are_not_taken_for_those_of_the_audio(other: dict[str, str]) -> None:
    for event in (
        {"other": other, "type": "response.output_audio.delta", **WHERE, "delta": AUDIO},
        {"type": "response.output_audio.delta", **WHERE, "delta": AUDIO, "other": other},
    ):
        raw = json.dumps(event, separators=(",", ":")).encode()
        assert Decoder().decode(raw) == events.AudioDelta("resp_1", "item_A", PCM)


@pytest.mark.parametrize("escape", [("/", "\\/"), ("+", "\\u002b")])
def test_escapes_inside_of_audio_are_understood(escape: tuple[str, str]) -> None:
    assert escape[0] in AUDIO
    raw = json.dumps({"type": "response.output_audio.delta", **WHERE, "delta": AUDIO}, separators=(",", ":"))
    assert Decoder().decode(raw.replace(*escape).encode()) == events.AudioDelta("resp_1", "item_A", PCM)


@pytest.mark.parametrize("added", ["conversation.item.added", "conversation.item.created"])
def test_an_item_stands_in_for_a_commit_that_never_comes(added: str) -> None:
    """Some gateways leave input_audio_buffer.committed out; the item of the utterance says the same."""
    decoder = Decoder()
    item = {"type": added, "previous_item_id": "ctx_1", "item": {"id": "item_U", "role": "user"}}
    assert decoder.decode(json.dumps(item)) is None, "nobody has stopped speaking"
    decoder.decode('{"type":"input_audio_buffer.speech_stopped","item_id":"item_U"}')
    assert decoder.decode(json.dumps(item)) == events.InputCommitted("item_U", "ctx_1")
    assert decoder.decode(json.dumps(item)) is None
    assert decoder.decode('{"type":"input_audio_buffer.committed","item_id":"item_U"}') is None, "told once"


def test_a_transcript_that_is_complete_while_somebody_speaks_is_not_final() -> None:
    """Some servers complete it again and again, longer each time. That of an utterance before may still come."""
    decoder = Decoder()
    completed = "conversation.item.input_audio_transcription.completed"
    final = {"type": completed, "item_id": "item_U", "transcript": "When do"}
    decoder.decode('{"type":"input_audio_buffer.speech_started","item_id":"item_U"}')
    assert decoder.decode(json.dumps(final)) == events.TranscriptPartial("item_U", "When do")
    assert decoder.decode(json.dumps({**final, "item_id": "item_T"})) == events.TranscriptDone("item_T", "When do")
    decoder.decode('{"type":"input_audio_buffer.speech_stopped","item_id":"item_U"}')
    assert decoder.decode(json.dumps(final)) == events.TranscriptDone("item_U", "When do")


def test_the_betas_names_are_understood() -> None:
    for kind, expected in [
        ("response.audio.delta", events.AudioDelta("resp_1", "item_A", PCM)),
        ("response.audio.done", events.AudioDone("resp_1", "item_A")),
        ("response.audio_transcript.delta", events.AnswerDelta("resp_1", "item_A", AUDIO)),
    ]:
        decoder = Decoder()
        assert decoder.decode(json.dumps({"type": kind, **WHERE, "delta": AUDIO}).encode()) == expected
        assert (decoder.unknown, decoder.malformed) == (0, 0)


@pytest.mark.parametrize(
    "refused",
    [
        error("response_cancel_not_active"),
        error("invalid_value", event_id=f"{HOUSEKEEPING}item_A"),
        error("item_delete_invalid_item_id", event_id=f"{HOUSEKEEPING}ctx_1"),
    ],
)
def test_nothing_left_to_cancel_cut_or_delete_is_no_fault(refused: dict[str, Any]) -> None:
    decoder = Decoder()
    assert decoder.decode(json.dumps(refused)) is None
    assert decoder.refused_housekeeping == 1


def test_unknown_types_are_counted_and_skipped() -> None:
    decoder = Decoder()
    assert decoder.decode(b'{"type":"response.brand_new"}') is None
    assert decoder.decode(b'{"type":"rate_limits.updated"}') is None
    assert (decoder.unknown, decoder.malformed) == (1, 0)


MALFORMED = [
    b"",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b'{"type":7}',
    b'{"type":"response.done"}',
    b'{"type":"response.done","response":[]}',
    b'{"type":"response.created","response":{"id":7}}',
    b'{"type":"input_audio_buffer.committed","item_id":null}',
    b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"no base64!"}',
    b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"AAAA',
    b'{"type":"response.output_audio.delta","delta":"AAAA"}',
    b'{"type":' + b"[" * 100_000,
    b'{"type":"x","n":' + b"9" * 5_000 + b"}",
]


@pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: repr(raw[:60]))
def test_garbage_is_counted_and_skipped(raw: bytes) -> None:
    decoder = Decoder()
    assert decoder.decode(raw) is None
    assert decoder.malformed == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KNOWN_TYPES = st.sampled_from(sorted({str(raw["type"]) for raw, _ in EVENTS} | {"conversation.item.added"}))
KNOWN_FIELDS = st.sampled_from(
    ["item_id", "delta", "response", "error", "item", "usage", "response_id", "transcript", "previous_item_id"]
)


@given(KNOWN_TYPES, st.dictionaries(KNOWN_FIELDS, ANYTHING))
def test_decoding_never_raises_whatever_the_fields_hold(kind: str, fields: dict[str, Any]) -> None:
    Decoder().decode(json.dumps({"type": kind, **fields}))


@given(st.binary(max_size=200))
def test_decoding_never_raises_whatever_the_bytes(raw: bytes) -> None:
    Decoder().decode(raw)
    Decoder().decode(b'{"type":"response.output_audio.delta",' + raw)
