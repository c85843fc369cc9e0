"""The session: the site's, whatever a client asks for; and the little that it may choose."""

from typing import Any

import pytest

from tests.unit.protocol.realtime_wire.client import OFFER, PUSH_TO_TALK, Client
from voice.protocol.wires.messages import Start

WISHES: list[dict[str, Any]] = [
    {"instructions": "Be rude."},
    {"tools": [{"type": "function", "name": "buy"}], "tool_choice": "required"},
    {"model": "gpt-5", "reasoning": {"effort": "high"}},
    {"audio": {"output": {"voice": "nobody's"}}},
    {"audio": {"output": {"voice": {"id": "voice_1"}, "speed": 1.5}}},
    {"audio": {"input": {"noise_reduction": {"type": "far_field"}}}},
    {"max_output_tokens": 1, "truncation": "disabled", "tracing": "auto", "prompt": {"id": "p"}, "include": ["x"]},
]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: ",".join(wish))
def test_what_is_the_sites_stays_so_and_is_shown(wish: dict[str, Any]) -> None:
    client = Client()
    before = client.told[0]["session"]
    assert client.say("session.update", session={"type": "realtime", **wish}) == [Start()]
    assert client.told[-1]["type"] == "session.updated"
    assert client.told[-1]["session"] == before


def test_the_sites_instructions_are_not_shown() -> None:
    """Nor is there a way for them to come here."""
    assert Client().told[0]["session"]["instructions"] == ""


def test_the_first_update_chooses_language_voice_and_push_to_talk() -> None:
    client = Client()
    audio = {
        "input": {"turn_detection": None, "transcription": {"model": "whisper-1", "language": "fr"}},
        "output": {"voice": "cedar"},
    }
    assert client.say("session.update", session={"audio": audio}) == [Start("fr", "push_to_talk", voice="cedar")]
    shown = client.told[-1]["session"]["audio"]
    assert shown["input"]["turn_detection"] is None
    assert (shown["input"]["transcription"]["language"], shown["output"]["voice"]) == ("fr", "cedar")
    assert shown["input"]["transcription"]["model"] == OFFER.transcription_model


def test_later_ones_choose_nothing() -> None:
    for first in ({"type": "realtime"}, None):
        client = Client()
        if first is None:
            client.append()
        else:
            client.say("session.update", session=first)
        assert client.say("session.update", session=PUSH_TO_TALK) == []
        assert client.told[-1]["session"]["audio"]["input"]["turn_detection"]["type"] == "server_vad"


def test_a_list_of_languages_is_as_good() -> None:
    asked = {"audio": {"input": {"transcription": {"languages": ["fr", "en"]}}}}
    assert Client().say("session.update", session=asked) == [Start("fr")]


@pytest.mark.parametrize("language", [7, "x" * 36, "\ud83d", ["fr"]])
def test_what_is_no_language_is_none(language: Any) -> None:
    asked = {"audio": {"input": {"transcription": {"language": language}}}}
    assert Client().say("session.update", session=asked) == [Start()]


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"output_modalities": ["text"]}, "session.output_modalities"),
        ({"type": "transcription"}, "session.type"),
        ({"audio": {"input": {"format": {"type": "audio/pcmu"}}}}, "session.audio.input.format"),
        ({"audio": {"output": {"format": {"type": "audio/pcm", "rate": 16_000}}}}, "session.audio.output.format"),
        ({"audio": {"output": {"format": "pcm16"}}}, "session.audio.output.format"),
        ({"audio": 7}, "session.audio"),
    ],
)
def test_what_would_change_the_bytes_is_refused(session: dict[str, Any], param: str) -> None:
    client = Client()
    assert client.refused("session.update", session=session) == ("invalid_field", param)
    assert client.say("session.update", session=PUSH_TO_TALK) == [Start(mode="push_to_talk")]


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"voice": "marin"}, "session.voice"),
        ({"audio": {"input": {"x": 1}}}, "session.audio.input.x"),
        ({"audio": {"x": 1}}, "session.audio.x"),
    ],
)
def test_what_no_session_has_is_named(session: dict[str, Any], param: str) -> None:
    assert Client().refused("session.update", session=session) == ("unknown_field", param)


def test_without_a_word_the_conversation_begins_as_the_site_has_it() -> None:
    client = Client()
    assert client.wire.unasked() == Start()
    assert client.say("session.update", session=PUSH_TO_TALK) == []
