"""Voice activity detection tells speech from silence, for each listener apart."""

from itertools import pairwise

import numpy as np
import pytest

from voice.upstream.local.audio import ENGINE_RATE, WIRE_RATE, Samples, from_pcm, resampled
from voice.upstream.local.vad import WINDOW, SileroModel, SpeechProbability
from voice.upstream.local.voices import HibariVoice


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


@pytest.fixture(scope="module")
def speech() -> Samples:
    return resampled(from_pcm(HibariVoice().synthesise("What time do you open on Sundays?")), WIRE_RATE, ENGINE_RATE)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * ENGINE_RATE), np.float32)


def test_speech_is_found_where_it_is_and_nowhere_else(model: SileroModel, speech: Samples) -> None:
    before, after = silence(0.512), silence(1.024)
    heard = SpeechProbability(model).feed(np.concatenate([before, speech, after]))

    begins, ends = len(before) // WINDOW, (len(before) + len(speech)) // WINDOW
    assert max(heard[:begins]) < 0.3
    assert np.mean([probability > 0.5 for probability in heard[begins:ends]]) > 0.7
    assert max(heard[ends + 3 :]) < 0.3


def test_noise_is_not_speech(model: SileroModel) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, ENGINE_RATE).astype(np.float32)
    assert max(SpeechProbability(model).feed(noise)) < 0.5


@pytest.mark.parametrize("portion", [1, 300, 512, 1000])
def test_the_verdict_does_not_depend_on_how_the_sound_arrives(
    model: SileroModel, speech: Samples, portion: int
) -> None:
    sound = speech[: 8 * WINDOW]
    at_once, ear = SpeechProbability(model).feed(sound), SpeechProbability(model)
    cuts = pairwise([*range(0, len(sound), portion), len(sound)])
    assert [p for start, end in cuts for p in ear.feed(sound[start:end])] == at_once


def test_one_probability_for_each_complete_window(model: SileroModel) -> None:
    ear = SpeechProbability(model)
    assert len(ear.feed(np.zeros(WINDOW - 1, np.float32))) == 0
    assert len(ear.feed(np.zeros(1, np.float32))) == 1
    assert len(ear.feed(np.zeros(3 * WINDOW, np.float32))) == 3


def test_listeners_share_the_model_and_nothing_else(model: SileroModel, speech: Samples) -> None:
    alone = SpeechProbability(model).feed(speech)
    one, other = SpeechProbability(model), SpeechProbability(model)
    mixed = []
    for start in range(0, len(speech), 4 * WINDOW):
        mixed += one.feed(speech[start : start + 4 * WINDOW])
        other.feed(silence(0.2))
    assert mixed == alone


def test_reset_forgets_everything(model: SileroModel, speech: Samples) -> None:
    ear = SpeechProbability(model)
    first = ear.feed(speech)
    ear.reset()
    assert ear.feed(speech) == first
