"""What is asked of the service, and how what it gives is judged."""

from typing import Any

import pytest

from voice.upstream.base import UpstreamSession
from voice.upstream.openai import configuration
from voice.upstream.openai.options import OpenAIOptions

FRENCH = UpstreamSession(language="fr-CA", instructions="Be kind.")


def asked(session: UpstreamSession = FRENCH, **options: Any) -> dict[str, Any]:
    update = configuration.session_update(OpenAIOptions(**options), session)
    settings: dict[str, Any] = update["session"]
    return settings


def test_the_defaults_ask_for_this_session() -> None:
    pcm = {"type": "audio/pcm", "rate": 24000}
    assert asked() == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": "Be kind.",
        "max_output_tokens": 1024,
        "audio": {
            "input": {
                "format": pcm,
                "noise_reduction": {"type": "near_field"},
                "transcription": {"model": "gpt-live-transcribe", "languages": ["fr"]},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                    "create_response": False,
                    "interrupt_response": True,
                },
            },
            "output": {"format": pcm, "voice": "marin"},
        },
    }


def test_push_to_talk_switches_turn_detection_off() -> None:
    session = UpstreamSession(language="en", push_to_talk=True)
    assert asked(session)["audio"]["input"]["turn_detection"] is None


def test_semantic_vad_has_eagerness_and_no_milliseconds() -> None:
    assert asked(vad_type="semantic_vad", vad_eagerness="low")["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": False,
        "interrupt_response": True,
    }


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("gpt-live-transcribe", {"languages": ["fr"], "delay": "low", "keywords": ["AC-42"]}),
        ("gpt-realtime-whisper", {"language": "fr", "delay": "low"}),
        ("gpt-4o-mini-transcribe", {"language": "fr"}),
    ],
)
def test_a_transcription_model_is_told_only_what_it_takes(model: str, fields: dict[str, Any]) -> None:
    settings = asked(transcription_model=model, transcription_delay="low", transcription_keywords=("AC-42",))
    assert settings["audio"]["input"]["transcription"] == {"model": model, **fields}


@pytest.mark.parametrize(
    ("model", "second"),
    [
        ("gpt-live-transcribe", "gpt-live-transcribe"),
        ("gpt-realtime-whisper", "gpt-realtime-whisper"),
        ("gpt-4o-mini-transcribe", "gpt-live-transcribe"),
        ("whisper-1", "gpt-live-transcribe"),
    ],
)
def test_a_second_session_always_streams_and_never_detects_turns(model: str, second: str) -> None:
    settings = configuration.second_session_update(OpenAIOptions(transcription_model=model), FRENCH)["session"]
    assert set(settings) == {"type", "audio"}
    assert settings["type"] == "transcription"
    assert settings["audio"]["input"]["transcription"]["model"] == second
    assert settings["audio"]["input"]["turn_detection"] is None


def test_beside_a_second_session_the_conversation_writes_nothing() -> None:
    update = configuration.session_update(OpenAIOptions(), FRENCH, transcribes=False)
    assert update["session"]["audio"]["input"]["transcription"] is None


def test_transcripts_are_switched_without_touching_anything_else() -> None:
    off, on = (configuration.transcription_change(change) for change in (None, {"model": "m"}))
    assert off["session"] == {"type": "realtime", "audio": {"input": {"transcription": None}}}
    assert on["session"] == {"type": "realtime", "audio": {"input": {"transcription": {"model": "m"}}}}
    assert off["event_id"] != on["event_id"], "a refusal must say what is refused"


@pytest.mark.parametrize(("model", "told"), [("gpt-realtime-2.1", True), ("gpt-realtime-1.5", False)])
def test_only_reasoning_models_hear_of_effort(model: str, told: bool) -> None:
    assert ("reasoning" in asked(model=model, reasoning_effort="low")) is told


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ("session.audio.input.noise_reduction", ("audio", "input", "noise_reduction")),
        ("session.audio.input.noise_reduction.type", ("audio", "input", "noise_reduction")),
        ("audio.input.transcription.keywords[0]", ("audio", "input", "transcription", "keywords")),
        ("session.reasoning.effort", ("reasoning",)),
        ("session.audio.input.transcription.model", None),
        ("session.audio.input.turn_detection", None),
        ("session.audio.output.voice", None),
        ("session", None),
        ("", None),
    ],
)
def test_what_the_conversation_can_do_without(param: str, field: configuration.Path | None) -> None:
    assert configuration.optional_field(param) == field


def test_leaving_a_field_out_leaves_all_others_alone() -> None:
    update = configuration.session_update(OpenAIOptions(speed=1.2), FRENCH)
    lighter = configuration.without(update, ("audio", "output", "speed"))
    assert configuration.has(update, ("audio", "output", "speed"))
    assert not configuration.has(lighter, ("audio", "output", "speed"))
    assert lighter["session"]["audio"]["output"] == asked()["audio"]["output"]
    assert lighter["session"]["audio"]["input"] == asked()["audio"]["input"]


def differing(change: dict[str, Any], model: str = "gpt-realtime-2.1-mini") -> tuple[list[str], list[str]]:
    """What differs if the service gives the default session with these fields in place of its own."""
    given: dict[str, Any] = {"model": model, **asked()}
    for path, value in change.items():
        *parents, name = path.split(".")
        place = given
        for parent in parents:
            place = place[parent]
        place[name] = value
    return configuration.differences(asked(), given, "gpt-realtime-2.1-mini")


@pytest.mark.parametrize(
    ("change", "essential", "other"),
    [
        ({}, [], []),
        ({"audio.output.voice": "alloy"}, [], ["audio.output.voice"]),
        ({"audio.input.transcription": None}, [], ["audio.input.transcription.model"]),
        ({"audio.input.turn_detection.create_response": True}, ["audio.input.turn_detection.create_response"], []),
        (
            {"audio.input.turn_detection": None},
            ["audio.input.turn_detection.type", "audio.input.turn_detection.create_response"],
            [],
        ),
        ({"audio.output.format": {"type": "audio/pcmu"}}, ["audio.output.format.type"], []),
        ({"audio.input.format": {"type": "audio/pcm", "rate": 16000}}, ["audio.input.format.rate"], []),
    ],
)
def test_differences_are_named_and_weighed(change: dict[str, Any], essential: list[str], other: list[str]) -> None:
    assert differing(change) == (essential, other)


def test_a_model_may_be_given_with_its_date_but_not_as_another() -> None:
    assert differing({}, model="gpt-realtime-2.1-mini-2026-08-01") == ([], [])
    assert differing({}, model="gpt-realtime-2.1") == ([], ["model"])


def test_turn_detection_that_was_switched_off_must_be_off() -> None:
    push = asked(UpstreamSession(language="en", push_to_talk=True))
    assert configuration.differences(push, asked(), "m")[0] != []


def test_a_server_that_tells_nothing_is_trusted() -> None:
    assert configuration.differences(asked(), {}, "gpt-realtime-2.1-mini") == ([], [])
