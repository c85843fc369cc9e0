"""What a site may set, and where that leads."""

from typing import Any

import pytest

from voice.upstream.openai.handshake import conversation_url, transcription_url
from voice.upstream.openai.options import OpenAIOptions


def test_neither_the_key_nor_the_headers_are_ever_shown() -> None:
    shown = repr(OpenAIOptions(api_key="sk-secret", headers={"X-Gateway": "also-secret"}))
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("api_key", "sk-secret\n"),
        ("base_url", "api.openai.com/v1"),
        ("base_url", "ftp://api.openai.com/v1"),
        ("proxy", "socks5://127.0.0.1:1080"),
        ("max_output_tokens", 0),
        ("vad_threshold", 1.5),
        ("speed", 2.0),
        ("transcription_keywords", ("<b>",)),
    ],
)
def test_a_value_that_no_service_accepts_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field) as refusal:
        OpenAIOptions(**{field: value})
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=m%2F1"),
        ("http://127.0.0.1:8123/v1/", "ws://127.0.0.1:8123/v1/realtime?model=m%2F1"),
        ("wss://gateway.example", "wss://gateway.example/realtime?model=m%2F1"),
        ("ws://gateway.example/x?tenant=7", "ws://gateway.example/x/realtime?tenant=7&model=m%2F1"),
    ],
)
def test_the_base_url_points_anywhere(base_url: str, address: str) -> None:
    assert conversation_url(OpenAIOptions(base_url=base_url, model="m/1")) == address


def test_a_session_that_only_transcribes_has_an_address_without_a_model() -> None:
    options = OpenAIOptions(base_url="https://gateway.example/v1?tenant=7", model="m/1")
    assert transcription_url(options) == "wss://gateway.example/v1/realtime?tenant=7&intent=transcription"
