"""Spoken questions, as a microphone would record them. Made by the embedded voices."""

import wave
from array import array
from functools import cache
from pathlib import Path

from voice.probe.spoken import speak
from voice.protocol.audio import SAMPLE_RATE, silence

AUDIBLE = 500
"""Amplitude (of 32,767) from which a sample is speech and not what a synthesiser leaves behind it."""


@cache
def spoken(text: str, language: str) -> bytes:
    """``text`` as PCM, 24 kHz."""
    return speak(text, language)


def true_end(pcm: bytes) -> int:
    """The sample behind the last one that is speech: from here on a visitor waits for their answer."""
    samples = array("h", pcm)
    return next((n + 1 for n in range(len(samples) - 1, -1, -1) if abs(samples[n]) > AUDIBLE), 0)


def recording(path: Path, *parts: bytes | int) -> Path:
    """A WAV file of ``parts``: PCM, or milliseconds of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for part in parts:
            file.writeframes(silence(part) if isinstance(part, int) else part)
    return path
