"""Sound between the wire and the engines.

On the wire sound is PCM16LE, mono, 24 kHz, `bytes`. The engines want float32 samples in [-1, 1] at 16 kHz,
and the voices give 16 or 24 kHz.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from .weights import engine

Samples: TypeAlias = npt.NDArray[np.float32]

WIRE_RATE: Final = 24_000
ENGINE_RATE: Final = 16_000

#: Root mean square under which sound holds no speech (-60 dB of full scale). Whispering in a quiet room,
#: through a microphone without gain control, is some 20 dB louder.
SILENCE_RMS: Final = 0.001

#: Silence kept before a sentence: room for a soft first consonant that the threshold misses, in seconds.
LEAD_IN: Final = 0.03
#: Silence kept after a sentence: the breath between two sentences that are played one after the other.
LEAD_OUT: Final = 0.25


def from_pcm(pcm: bytes) -> Samples:
    """Samples of PCM16LE bytes. Raises ValueError if a sample is cut in half."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def to_pcm(samples: Samples) -> bytes:
    """PCM16LE bytes of samples; what is louder than full scale is clipped."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def rms(samples: Samples) -> float:
    """Root mean square, 0.0 for no samples; 1.0 is full scale."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def is_silence(samples: Samples) -> bool:
    """Whether there is nothing in it that could be speech."""
    return rms(samples) < SILENCE_RMS


class MicrophoneResampler:
    """One microphone's sound from the wire's rate to the engines', chunk by chunk, without seams.

    The filter looks ahead, so that samples come out at most 40 ms after they went in; `flush` gives the rest.
    """

    def __init__(self) -> None:
        soxr = engine("Sound conversion", "soxr")
        # "MQ" keeps everything speech recognition looks at and holds back 15 ms on average ("HQ" 21 ms).
        self._stream = soxr.ResampleStream(WIRE_RATE, ENGINE_RATE, 1, dtype="float32", quality="MQ")

    def feed(self, pcm: bytes) -> Samples:
        """The samples at 16 kHz that are complete now; may be empty."""
        samples: Samples = self._stream.resample_chunk(from_pcm(pcm))
        return samples

    def flush(self) -> Samples:
        """The samples still held back. The next `feed` starts a new recording."""
        rest: Samples = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        self._stream.clear()
        return rest


def resampled(samples: Samples, rate: int, to: int) -> Samples:
    """A whole recording at another rate."""
    if rate == to:
        return samples
    converted: Samples = engine("Sound conversion", "soxr").resample(samples, rate, to, quality="HQ")
    return converted


def without_outer_silence(samples: Samples, rate: int) -> Samples:
    """Cut the silence around a sentence to LEAD_IN and LEAD_OUT; nothing is left of silence alone.

    Synthetic voices begin with up to 0.3 s of near silence, which the listener would wait for.
    """
    loudness = np.abs(samples)
    audible = np.flatnonzero(loudness > max(0.015 * loudness.max(initial=0.0), SILENCE_RMS))
    if not len(audible):
        return samples[:0]
    start = max(0, int(audible[0]) - int(LEAD_IN * rate))
    return samples[start : int(audible[-1]) + 1 + int(LEAD_OUT * rate)]
