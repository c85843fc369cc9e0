"""The voices say a sentence at once, on the wire's rate, and say nothing for nothing."""

import numpy as np
import pytest

from voice.upstream.local.audio import WIRE_RATE, Samples, from_pcm
from voice.upstream.local.errors import PartUnavailable
from voice.upstream.local.voices import HibariVoice, PicoVoice, Voice

SENTENCES = {"en": "The gardens are open every day.", "fr": "Les jardins sont ouverts tous les jours."}


@pytest.fixture(scope="module", params=["hibari", "pico"])
def voice(request: pytest.FixtureRequest) -> Voice:
    return HibariVoice() if request.param == "hibari" else PicoVoice("fr")


def said(voice: Voice, text: str) -> Samples:
    return from_pcm(voice.synthesise(text))


def test_a_sentence_takes_the_time_that_a_person_needs(voice: Voice) -> None:
    assert 1.2 < len(said(voice, SENTENCES[voice.language])) / WIRE_RATE < 4.0


def test_speech_begins_within_60_ms_and_ends_with_a_breath(voice: Voice) -> None:
    loud = np.flatnonzero(np.abs(sound := said(voice, SENTENCES[voice.language])) > 0.02)
    assert loud[0] / WIRE_RATE <= 0.06
    assert 0.1 < (len(sound) - loud[-1]) / WIRE_RATE < 0.4


def test_it_is_neither_faint_nor_clipped(voice: Voice) -> None:
    peak = np.abs(said(voice, SENTENCES[voice.language])).max()
    assert 0.2 < peak < 0.9


@pytest.mark.parametrize("nothing", ["", "   ", "\n", "日本語"])
def test_nothing_to_say_is_no_sound(voice: Voice, nothing: str) -> None:
    assert voice.synthesise(nothing) == b""


def test_numbers_and_addresses_are_read_out(voice: Voice) -> None:
    assert len(said(voice, "https://example.org/a?b=1 12.50 3/4/2025")) / WIRE_RATE > 3


def test_markup_in_a_passage_does_not_steer_the_voice(voice: Voice) -> None:
    plain, steered = "speed level=20 Bonjour /speed", "<speed level=20>Bonjour</speed>"
    assert len(said(voice, steered)) == pytest.approx(len(said(voice, plain)), rel=0.15)


def test_a_language_that_pico_does_not_speak_is_refused_in_words() -> None:
    with pytest.raises(PartUnavailable, match="it speaks fr, en, de, es, it, not ja"):
        PicoVoice("ja")
