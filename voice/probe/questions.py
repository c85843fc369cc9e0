"""The questions that are asked: the probe's own, a site's own, or recordings."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from voice.knowledge.words import primary
from voice.probe.errors import ProbeError
from voice.protocol.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice.protocol.context import clean

OWN = Path(__file__).parent / "questions"
"""A file for each language: questions of eight words and more, about nothing special."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a visitor asks."""

    text: str
    pcm: bytes = field(repr=False, default=b"")
    """The same, spoken; empty where a scripted upstream only pretends to hear."""


def own(language: str) -> list[Question]:
    """The probe's own questions in the language of this tag.

    Raises:
        ProbeError: it has none in that language.
    """
    known = sorted(path.stem for path in OWN.glob("*.txt"))
    tongue = primary(language)
    if tongue not in known:
        raise ProbeError(
            f"There are questions in {', '.join(known)}, but not in {language!r}. Give a file of your own."
        )
    return from_file(OWN / f"{tongue}.txt")


def from_file(path: Path) -> list[Question]:
    """One question a line, UTF-8. Empty lines, and those that begin with ``#``, are left out.

    Raises:
        ProbeError: the file cannot be read, or asks nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ProbeError(f"{path} is not a text in UTF-8.") from None
    texts = [clean(line) for line in lines if not line.startswith("#")]
    questions = [Question(text) for text in texts if text]
    if not questions:
        raise ProbeError(f"{path} holds no question.")
    return questions


def from_recordings(paths: Iterable[Path]) -> list[Question]:
    """A question from each WAV file, called by the file's name.

    Raises:
        ProbeError: a file cannot be read, or is not PCM of 16 bits, mono, at 24 kHz.
    """
    return [Question(clean(path.stem), _pcm(path)) for path in paths]


def _pcm(path: Path) -> bytes:
    try:
        with wave.open(str(path), "rb") as file:
            found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            pcm = file.readframes(file.getnframes())
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror}.") from None
    except (wave.Error, EOFError):
        raise ProbeError(f"{path} is not a WAV file of PCM.") from None
    if found != (1, BYTES_PER_SAMPLE, SAMPLE_RATE):
        channels, width, rate = found
        raise ProbeError(
            f"{path} has {channels} channel(s), {width * 8} bits, {rate} Hz; wanted are 1, 16, {SAMPLE_RATE}."
        )
    if not pcm:
        raise ProbeError(f"{path} is empty.")
    return pcm
