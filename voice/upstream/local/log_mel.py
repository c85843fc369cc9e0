"""Whisper's view of sound: the log-mel spectrogram, in numpy.

Sizes and steps are those of openai/whisper, `whisper/audio.py`: 25 ms Hann windows every 10 ms, 80 bands on
the Slaney mel scale, eight decades below the loudest band and no more, scaled to about [-1, 1].
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from .audio import ENGINE_RATE, Samples

FFT: Final = 400
HOP: Final = 160
BANDS: Final = 80


def log_mel(samples: Samples, frames: int) -> Samples:
    """Features of shape (1, BANDS, frames); shorter sound is filled up with silence, longer sound is cut."""
    sound = np.zeros(frames * HOP, np.float32)
    sound[: len(samples)] = samples[: len(sound)]
    centred = np.pad(sound, FFT // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(centred, FFT)[::HOP][:frames]
    power = np.square(np.abs(np.fft.rfft(windows * _hann(), axis=1))).astype(np.float32)
    mel = np.log10(np.maximum(_filters() @ power.T, 1e-10))
    mel = np.maximum(mel, mel.max() - 8.0)
    return np.ascontiguousarray((mel + 4.0) / 4.0, np.float32)[np.newaxis]


@cache
def _hann() -> Samples:
    return np.hanning(FFT + 1)[:-1].astype(np.float32)


@cache
def _filters() -> Samples:
    """Triangles of equal area, shape (BANDS, FFT // 2 + 1)."""
    frequencies = np.fft.rfftfreq(FFT, 1 / ENGINE_RATE)
    edges = _hertz(np.linspace(_mel(0.0), _mel(ENGINE_RATE / 2), BANDS + 2))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (frequencies - low) / (middle - low)
    falling = (high - frequencies) / (high - middle)
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low)
    return np.asarray(triangles, np.float32)


# The Slaney scale is linear (200/3 Hz a mel) up to 1 kHz, and above it 27 mels make a factor of 6.4.
_LINEAR_STEP: Final = 200.0 / 3.0
_KNEE: Final = 1000.0 / _LINEAR_STEP
_LOG_STEP: Final = float(np.log(6.4)) / 27.0


def _mel(hertz: float) -> float:
    return hertz / _LINEAR_STEP if hertz < 1000.0 else _KNEE + float(np.log(hertz / 1000.0)) / _LOG_STEP


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mels < _KNEE, mels * _LINEAR_STEP, 1000.0 * np.exp(_LOG_STEP * (mels - _KNEE)))
