"""The recognisers hear what the voices say, and nothing where nothing is said."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from voice.upstream.local.audio import ENGINE_RATE, WIRE_RATE, Samples, from_pcm, resampled
from voice.upstream.local.recogniser import (
    MoonshineRecogniser,
    Recogniser,
    WhisperRecogniser,
    text_of,
    windows,
)
from voice.upstream.local.voices import HibariVoice, PicoVoice, Voice


@pytest.fixture(scope="module")
def moonshine() -> MoonshineRecogniser:
    return MoonshineRecogniser()


@pytest.fixture(scope="module")
def whisper() -> WhisperRecogniser:
    return WhisperRecogniser("fr")


@pytest.fixture(scope="module", params=["moonshine", "whisper"])
def recogniser(request: pytest.FixtureRequest) -> Recogniser:
    recogniser: Recogniser = request.getfixturevalue(request.param)
    return recogniser


def utterance(voice: Voice, text: str, after: float = 0.16) -> Samples:
    """As voice activity detection cuts it: 0.2 s before, a little room noise, `after` seconds after."""
    speech = resampled(from_pcm(voice.synthesise(text)), WIRE_RATE, ENGINE_RATE)
    return np.concatenate([room(0.2), speech, room(after)])


def room(seconds: float) -> Samples:
    return np.random.default_rng(0).normal(0, 0.0005, int(seconds * ENGINE_RATE)).astype(np.float32)


def words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


@pytest.mark.parametrize("after", [0.0, 0.16, 0.5])
def test_english_is_heard(moonshine: MoonshineRecogniser, after: float) -> None:
    question = "Can I bring my dog into the gardens?"
    assert words(moonshine.transcribe(utterance(HibariVoice(), question, after))) == words(question)


def test_french_is_heard_with_its_accents(whisper: WhisperRecogniser) -> None:
    heard = words(whisper.transcribe(utterance(PicoVoice("fr"), "Combien coûte un billet pour deux enfants ?")))
    # This voice is not the same each time: "combien" has come back as "qu'on bien", and "coûte" as "coûter".
    assert heard[-4:] == ["billet", "pour", "deux", "enfants"]
    assert any(word.startswith("coût") for word in heard)


def test_french_longer_than_a_window_is_heard_to_its_end(whisper: WhisperRecogniser) -> None:
    sentences = (
        "À quelle heure ouvrez-vous le dimanche matin ?",
        "Est-ce que le parking du musée est gratuit ?",
        "Combien coûte un billet pour deux enfants ?",
        "Les jardins sont ouverts tous les jours.",
        "La visite dure une heure.",
    )
    voice = PicoVoice("fr")
    sound = np.concatenate([utterance(voice, sentence) for sentence in sentences])
    assert len(sound) > 11 * ENGINE_RATE

    heard = words(whisper.transcribe(sound))

    landmarks = ["dimanche", "parking", "billet", "jardins", "visite"]
    # Once each: at the end of a full window this model may say the last sentence twice, on some processors.
    assert list(dict.fromkeys(word for word in heard if word in landmarks)) == landmarks


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 12.0])
def test_silence_is_no_words(recogniser: Recogniser, seconds: float) -> None:
    assert recogniser.transcribe(np.zeros(int(seconds * ENGINE_RATE), np.float32)) == ""
    assert recogniser.transcribe(room(seconds)) == ""


def test_whisper_does_not_invent_words_in_noise(whisper: WhisperRecogniser) -> None:
    assert whisper.transcribe(10 * room(2.0)) == ""


def test_it_may_be_called_from_several_threads(recogniser: Recogniser) -> None:
    voice = HibariVoice() if recogniser.language == "en" else PicoVoice("fr")
    sound = utterance(voice, "Museum." if recogniser.language == "en" else "Bonjour.")
    alone = recogniser.transcribe(sound)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(recogniser.transcribe, [sound] * 3)) == [alone] * 3


def test_windows_lose_nothing_and_are_cut_in_a_pause() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 25 * ENGINE_RATE).astype(np.float32)
    pause = slice(int(9.2 * ENGINE_RATE), int(9.4 * ENGINE_RATE))
    sound[pause] = 0

    pieces = windows(sound)

    assert np.array_equal(np.concatenate(pieces), sound)
    assert max(map(len, pieces)) <= 10 * ENGINE_RATE
    assert pause.start < len(pieces[0]) < pause.stop


def test_short_sound_is_one_window() -> None:
    assert [len(piece) for piece in windows(np.zeros(10 * ENGINE_RATE, np.float32))] == [10 * ENGINE_RATE]


def test_tokens_spell_bytes() -> None:
    assert text_of(["ĠÃł", "Ġpr", "Ã©sent", "<|endoftext|>"]) == " à présent"


def test_a_character_cut_in_half_is_dropped() -> None:
    assert text_of(["caf", "Ã"]) == "caf"
