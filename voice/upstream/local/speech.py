"""Everything that hears and speaks, loaded and warmed up.

A part that cannot be loaded is left out and its reason kept: a site without a recogniser still answers
typed questions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, TypeVar

import numpy as np

from .audio import ENGINE_RATE, Samples
from .errors import PartUnavailable
from .recogniser import MoonshineRecogniser, Recogniser, WhisperRecogniser
from .vad import SileroModel, SpeechProbability
from .voices import HibariVoice, PicoVoice, Voice

#: Told the name of the part that comes next and the fraction done, 0 to 1; last ("ready", 1.0).
Progress: TypeAlias = Callable[[str, float], None]

Part = TypeVar("Part")

_READY: Final = {"en": "Ready.", "fr": "Je suis là."}


@dataclass(frozen=True, kw_only=True)
class Speech:
    """The parts that could be loaded, shared by all sessions of the process."""

    vad: SileroModel | None
    recognisers: Mapping[str, Recogniser]
    """By language, two letters."""
    voices: Mapping[str, Voice]
    """By language, two letters."""
    unavailable: tuple[PartUnavailable, ...]
    """Why the others could not, one sentence each."""

    def hears(self, language: str) -> bool:
        """Whether spoken questions in this language can be understood."""
        return self.vad is not None and language in self.recognisers

    def speaks(self, language: str) -> bool:
        """Whether answers in this language can be said aloud."""
        return language in self.voices


def load_speech(languages: Sequence[str], progress: Progress = lambda part, done: None) -> Speech:
    """Load and warm up voice activity detection, and a recogniser and a voice for each language.

    Blocking, some seconds: call it in a thread. `progress` is called in that thread.
    """
    loading = _Loading(progress, steps=1 + 2 * len(languages))
    vad = loading.part("voice activity detection", _vad)
    recognisers: dict[str, Recogniser] = {}
    voices: dict[str, Voice] = {}
    for language in languages:
        if recogniser := loading.part(f"speech recognition ({language})", partial(_recogniser, language)):
            recognisers[language] = recogniser
        if voice := loading.part(f"voice ({language})", partial(_voice, language)):
            voices[language] = voice
    progress("ready", 1.0)
    return Speech(vad=vad, recognisers=recognisers, voices=voices, unavailable=tuple(loading.unavailable))


class _Loading:
    def __init__(self, progress: Progress, steps: int) -> None:
        self.unavailable: list[PartUnavailable] = []
        self._progress = progress
        self._steps = steps
        self._done = 0

    def part(self, name: str, load: Callable[[], Part]) -> Part | None:
        """The part, or None with its reason noted. An engine's own failure counts as the part's."""
        self._progress(name, self._done / self._steps)
        self._done += 1
        try:
            return load()
        except PartUnavailable as error:
            self.unavailable.append(error)
        except Exception as error:  # the engines are foreign code; a site must start without them
            self.unavailable.append(PartUnavailable(name.capitalize(), f"the engine failed ({error!r})"))
        return None


def _vad() -> SileroModel:
    model = SileroModel()
    SpeechProbability(model).feed(_murmur())
    return model


def _recogniser(language: str) -> Recogniser:
    recogniser = MoonshineRecogniser() if language == "en" else WhisperRecogniser(language)
    recogniser.transcribe(_murmur())  # the first call allocates, and is twice as slow as the others
    return recogniser


def _voice(language: str) -> Voice:
    voice = HibariVoice() if language == "en" else PicoVoice(language)
    voice.synthesise(_READY.get(language, "1, 2, 3."))  # the English voice reads its dictionaries only now
    return voice


def _murmur() -> Samples:
    """One second of noise, loud enough not to be taken for silence."""
    return np.random.default_rng(0).normal(0.0, 0.01, ENGINE_RATE).astype(np.float32)
