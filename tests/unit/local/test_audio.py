"""Sound keeps its pitch, its length and its loudness on the way to the engines and back."""

import numpy as np
import pytest

from voice.upstream.local.audio import (
    ENGINE_RATE,
    LEAD_IN,
    LEAD_OUT,
    WIRE_RATE,
    MicrophoneResampler,
    Samples,
    from_pcm,
    is_silence,
    resampled,
    rms,
    to_pcm,
    without_outer_silence,
)


def tone(hertz: float, seconds: float, rate: int) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def loudest_hertz(samples: Samples, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


def test_pcm_survives_the_round_trip() -> None:
    pcm = np.array([-32768, -1, 0, 1, 32767], "<i2").tobytes()
    assert to_pcm(from_pcm(pcm)) == pcm


def test_what_is_too_loud_is_clipped_and_not_wrapped_around() -> None:
    assert to_pcm(np.array([1.5, -1.5], np.float32)) == np.array([32767, -32768], "<i2").tobytes()


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of element size"):
        from_pcm(b"\x00")


@pytest.mark.parametrize("chunk", [128, 480, 24_000])
def test_the_microphone_keeps_a_tone_and_its_length_however_it_is_cut(chunk: int) -> None:
    pcm, resampler = to_pcm(tone(1000, 1.0, WIRE_RATE)), MicrophoneResampler()

    pieces = [resampler.feed(pcm[at : at + 2 * chunk]) for at in range(0, len(pcm), 2 * chunk)]
    heard = np.concatenate([*pieces, resampler.flush()])

    assert len(heard) == ENGINE_RATE
    assert heard.dtype == np.float32
    assert loudest_hertz(heard, ENGINE_RATE) == pytest.approx(1000, abs=2)
    assert rms(heard) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_the_microphone_holds_back_40_ms_at_most() -> None:
    resampler, pcm, came = MicrophoneResampler(), to_pcm(tone(1000, 0.02, WIRE_RATE)), 0
    for chunk in range(1, 51):
        came += len(resampler.feed(pcm))
        assert chunk * 0.02 - came / ENGINE_RATE <= 0.04


def test_after_a_flush_the_microphone_begins_anew() -> None:
    resampler, pcm = MicrophoneResampler(), to_pcm(tone(440, 0.5, WIRE_RATE))
    first, second = [np.concatenate([resampler.feed(pcm), resampler.flush()]) for _ in range(2)]
    assert np.array_equal(first, second)


def test_sound_above_the_engines_range_does_not_fold_back_into_it() -> None:
    assert rms(resampled(tone(10_000, 1.0, WIRE_RATE), WIRE_RATE, ENGINE_RATE)) < 0.005


def test_a_voice_at_16_khz_comes_out_at_the_wires_rate() -> None:
    out = resampled(tone(1000, 1.0, ENGINE_RATE), ENGINE_RATE, WIRE_RATE)
    assert len(out) == WIRE_RATE
    assert loudest_hertz(out, WIRE_RATE) == pytest.approx(1000, abs=2)


def test_only_a_breath_of_the_silence_around_a_sentence_stays() -> None:
    quiet, word = np.zeros(WIRE_RATE, np.float32), tone(300, 0.4, WIRE_RATE)
    left = without_outer_silence(np.concatenate([quiet, word, quiet[:4800], word, quiet]), WIRE_RATE)
    assert len(left) / WIRE_RATE == pytest.approx(LEAD_IN + 0.4 + 0.2 + 0.4 + LEAD_OUT, abs=0.01)


def test_nothing_is_left_of_silence() -> None:
    for silence in (np.zeros(0, np.float32), np.zeros(480, np.float32), np.full(480, 0.0005, np.float32)):
        assert len(without_outer_silence(silence, WIRE_RATE)) == 0
        assert is_silence(silence)


def test_a_whisper_is_not_silence() -> None:
    assert not is_silence(0.01 * tone(300, 0.5, ENGINE_RATE))
