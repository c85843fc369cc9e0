"""Spoken questions, as a microphone would record them. Made by the embedded voices."""

import wave
from functools import cache
from pathlib import Path

from voice.protocol.audio import SAMPLE_RATE, silence
from voice.upstream.local.voices import HibariVoice, PicoVoice


@cache
def spoken(text: str, language: str) -> bytes:
    """``text`` as PCM, 24 kHz."""
    voice = HibariVoice() if language == "en" else PicoVoice(language)
    return voice.synthesise(text)


def recording(path: Path, *parts: bytes | int) -> Path:
    """A WAV file of ``parts``: PCM, or milliseconds of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for part in parts:
            file.writeframes(silence(part) if isinstance(part, int) else part)
    return path
