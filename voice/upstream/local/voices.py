"""Speech synthesis: a sentence in, its sound out."""

from typing import Final, Protocol

import numpy as np

from .audio import WIRE_RATE, Samples, from_pcm, resampled, to_pcm, without_outer_silence
from .errors import PartUnavailable
from .weights import PARTS, SHA256, engine, verified

#: Voices of SVOX Pico, by language.
PICO_VOICES: Final = {"fr": "fr-FR", "en": "en-GB", "de": "de-DE", "es": "es-ES", "it": "it-IT"}
PICO_RATE: Final = 16_000


class Voice(Protocol):
    """Blocking, on the CPU: call it in a worker. May be called from several threads at the same time."""

    @property
    def language(self) -> str:
        """Two letters, as in "fr"."""
        ...

    def synthesise(self, text: str) -> bytes:
        """The sound of a sentence, PCM16LE, mono, 24 kHz; speech begins within 60 ms.

        Empty if the voice finds nothing to say in it (punctuation, a script it cannot read).
        """
        ...


class HibariVoice:
    """English, 24 kHz, one sentence in some 60 ms. Numbers, dates, prices and addresses are read out."""

    language = "en"

    def __init__(self) -> None:
        for path in SHA256["hibari"]:
            verified("hibari", path)
        # Two threads were slower than one.
        self._speak = engine(PARTS["hibari"], "hibari").Hibari(threads=1)

    def synthesise(self, text: str) -> bytes:
        return _on_the_wire(self._speak(_plain(text)), WIRE_RATE)


class PicoVoice:
    """SVOX Pico at 16 kHz: small, quick, and of its time. French, English, German, Spanish and Italian.

    It holds the interpreter's lock while it speaks, 4 to 5 ms for each second of sound: give it sentences,
    not pages. Its pauses (not its words) depend on what its memory held before; those at the ends are cut.
    """

    def __init__(self, language: str = "fr") -> None:
        if language not in PICO_VOICES:
            raise PartUnavailable(PARTS["py_nanotts"], f"it speaks {', '.join(PICO_VOICES)}, not {language}")
        self.language = language
        self._voice = PICO_VOICES[language]
        for path in SHA256["py_nanotts"]:
            if path.startswith(f"lang/{self._voice}"):
                verified("py_nanotts", path)
        self._pico = engine(PARTS["py_nanotts"], "py_nanotts").NanoTTS()

    def synthesise(self, text: str) -> bytes:
        pcm: bytes = self._pico.speak(_plain(text), voice=self._voice)
        # Pico speaks at full scale; at half of it, it is as loud as the English voice and resampling
        # cannot clip.
        return _on_the_wire(from_pcm(pcm) * np.float32(0.5), PICO_RATE)


# Both engines obey markup inside the text (Pico's <speed>, hibari's [word](/phonemes/)); a passage must not.
_MARKUP: Final = str.maketrans(dict.fromkeys("<>[]", " "))


def _plain(text: str) -> str:
    return " ".join(text.translate(_MARKUP).split())


def _on_the_wire(samples: Samples, rate: int) -> bytes:
    return to_pcm(resampled(without_outer_silence(samples, rate), rate, WIRE_RATE))
