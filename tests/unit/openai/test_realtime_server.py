"""The scripted upstream is as strict as the service: what it accepts may be sent."""

from contextlib import nullcontext
from typing import Any

import pytest

from tests.realtime_server import tone
from tests.realtime_server.rules import RefusedError, check_event, check_turn_detection, decode_audio
from tests.realtime_server.vad import Edge, EnergyVad
from voice.protocol.audio import silence


def message(role: str, **fields: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    item = {"type": "message", "role": role, "content": [{"type": kind, "text": "t"}], **fields}
    return {"type": "conversation.item.create", "item": item}


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def transcription(**fields: Any) -> dict[str, Any]:
    return update(audio={"input": {"transcription": fields}})


@pytest.mark.parametrize(
    ("event", "param"),
    [
        ({"type": "response.create", "model": "m"}, "model"),
        ({"type": "no.such.event"}, "type"),
        ({"type": "conversation.item.delete"}, "item_id"),
        (message("system", id="x" * 33), "item.id"),
        (message("system", content=[{"type": "input_audio"}]), "item.content[0].text"),
        (message("tool"), "item.role"),
        ({"type": "session.update", "session": {"voice": "marin"}}, "session.type"),
        (update(voice="marin"), "session.voice"),
        (update(audio={"input": {"format": "pcm16"}}), "session.audio.input.format"),
        (update(audio={"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}}), "eagerness"),
        (update(max_output_tokens=0), "session.max_output_tokens"),
        (update(reasoning={"effort": "low"}), "session.reasoning"),
        (transcription(model="gpt-live-transcribe", language="en"), "transcription.language"),
        (transcription(model="gpt-realtime-whisper", prompt="p"), "transcription.prompt"),
        (
            {"type": "conversation.item.truncate", "item_id": "i", "content_index": 1, "audio_end_ms": 5},
            "content_index",
        ),
    ],
)
def test_an_illegal_field_is_refused_by_name(event: dict[str, Any], param: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_event(event, "gpt-realtime-1.5")
    assert str(refusal.value.error["param"]).endswith(param)


TRANSCRIPTION = {"type": "session.update", "session": {"type": "transcription"}}


def test_a_session_stays_what_its_address_made_it() -> None:
    with pytest.raises(RefusedError) as refusal:
        check_event(update(), "", "transcription")
    told = "Passing a realtime session update to a transcription session is not allowed."
    assert refusal.value.error["message"] == told
    with pytest.raises(RefusedError) as refusal:
        check_event(TRANSCRIPTION, "gpt-realtime-2.1", "realtime")
    told = "Passing a transcription session update to a realtime session is not allowed."
    assert refusal.value.error["message"] == told
    check_event(TRANSCRIPTION, "", "transcription")


@pytest.mark.parametrize("kind", ["response.create", "conversation.item.create"])
def test_a_session_that_only_transcribes_does_not_converse(kind: str) -> None:
    with pytest.raises(RefusedError):
        check_event({"type": kind}, "", "transcription")


@pytest.mark.parametrize(("model", "refused"), [("gpt-live-transcribe", True), ("gpt-4o-transcribe", False)])
def test_turn_detection_and_streaming_do_not_go_together_there(model: str, refused: bool) -> None:
    audio = {"transcription": {"model": model}, "turn_detection": {"type": "server_vad"}}
    settings = {"type": "transcription", "audio": {"input": audio}}
    with pytest.raises(RefusedError) if refused else nullcontext() as refusal:
        check_turn_detection(settings)
    if refusal is not None:
        error = refusal.value.error
        assert (error["code"], error["param"]) == ("invalid_value", "session.audio.input.turn_detection")
    check_turn_detection({**settings, "type": "realtime"})


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_texts_of_every_role_are_legal(role: str) -> None:
    check_event(message(role, id="x" * 32), "gpt-realtime-2.1")


@pytest.mark.parametrize("audio", ["no base64!", "AAAA"])
def test_audio_must_be_base64_of_whole_samples(audio: str) -> None:
    with pytest.raises(RefusedError):
        decode_audio(audio)


@pytest.mark.parametrize("chunk", [960, 1920, 1000, 48_000])
def test_speech_is_found_at_the_same_place_however_it_is_cut(chunk: int) -> None:
    vad = EnergyVad(silence_ms=500, prefix_ms=300)
    pcm = silence(1000) + tone(400) + silence(200) + tone(400) + silence(1000)
    edges = [edge for n in range(0, len(pcm), chunk) for edge in vad.hear(pcm[n : n + chunk])]
    assert edges == [Edge("started", 700), Edge("stopped", 2500)]
