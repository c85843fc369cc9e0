"""Questions as sound: said by the embedded voices, and fed to a session as a microphone would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voice.knowledge.words import primary
from voice.probe.errors import ProbeError
from voice.protocol.audio import BYTES_PER_MS, silence

FRAME_MS = 40
SILENCE = silence(FRAME_MS)


def speak(text: str, language: str) -> bytes:
    """``text`` as PCM. Blocking, some 60 ms a sentence.

    Raises:
        ProbeError: the embedded voices are not installed, or none of them speaks this language.
    """
    try:
        from voice.upstream.local.errors import PartUnavailable
        from voice.upstream.local.voices import HibariVoice, PicoVoice
    except ImportError as error:
        raise ProbeError(f"The embedded voices are not installed ({error.name}). Give recordings with --wav.") from None
    tongue = primary(language)
    try:
        voice = HibariVoice() if tongue == "en" else PicoVoice(tongue)
    except PartUnavailable as error:
        raise ProbeError(f"The question cannot be spoken: {error}. Give recordings with --wav.") from None
    return voice.synthesise(text)


async def feed(push: Callable[[bytes], None], pcm: bytes) -> None:
    """Push ``pcm`` and then silence, a frame every 40 ms as the time passes, until this is cancelled."""
    loop = asyncio.get_running_loop()
    began, step, frames = loop.time(), FRAME_MS * BYTES_PER_MS, 0
    while True:
        frame = pcm[frames * step : (frames + 1) * step]
        frames += 1
        await asyncio.sleep(began + frames * FRAME_MS / 1000 - loop.time())  # it leaves when it has been heard
        push(frame.ljust(step, b"\0") if frame else SILENCE)
