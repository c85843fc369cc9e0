"""The speaking half of the engine: composed sentences in, the answer's text and sound out, one sentence after another.

A *draft* is an answer whose first sentence is synthesised before anybody asked for it. When the answer is asked for
and begins with the same sentence, that sound is used; otherwise it is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.events import AnswerDelta, AudioDelta, AudioDone, ResponseDone, ResponseStarted, ResponseStatus

from .answer import Sentence
from .jobs import Drop, Job, Synthesise
from .spoken import spoken

#: Audio of one ``AudioDelta``: small enough to stop between two of them, large enough to be few.
DELTA_BYTES = 200 * BYTES_PER_MS

Utterance = ResponseStarted | AnswerDelta | AudioDelta | AudioDone | ResponseDone | Job | Drop


@dataclass(slots=True)
class Reading:
    """Sentences and the sound of the first of them, as far as it is made. ``job`` makes the next."""

    sentences: tuple[Sentence, ...]
    sounds: list[bytes] = field(default_factory=list, repr=False)
    job: str | None = None


@dataclass(slots=True)
class Response:
    """An answer that was asked for."""

    response_id: str
    item_id: str
    request_id: str
    reading: Reading
    told: int = 0
    """Sentences told."""
    audible: bool = False


class Speaker:
    """At most one response is under way. ``name`` makes ids, ``voices`` are the languages that can be spoken."""

    def __init__(self, name: Callable[[str], str], voices: Collection[str]) -> None:
        self._name = name
        self._voices = voices
        self._draft: Reading | None = None
        self.response: Response | None = None

    def draft(self, sentences: tuple[Sentence, ...]) -> Iterator[Utterance]:
        """Prepare the beginning of an answer; replaces the draft before, and keeps its sound if it fits."""
        reading, dropped = self._adopt(sentences)
        self._draft = reading
        yield from dropped
        if not reading.sounds:
            yield from self._synthesise_next(reading)

    def drop_draft(self) -> Iterator[Utterance]:
        """The answer will be another one, or none."""
        draft, self._draft = self._draft, None
        yield from _drop(draft)

    def respond(self, request_id: str, sentences: tuple[Sentence, ...]) -> Iterator[Utterance]:
        """Say something that was asked for. There must be no response under way."""
        reading, dropped = self._adopt(sentences)
        self._draft = None
        response = self.response = Response(self._name("resp"), self._name("item"), request_id, reading)
        yield ResponseStarted(response.response_id, request_id)
        yield from dropped
        yield from self._tell(response)

    def cancel(self, reason: str) -> Iterator[Utterance]:
        """Stop making the answer under way, if there is one."""
        if self.response is not None:
            yield from _drop(self.response.reading)
            yield from self._end(self.response, "cancelled", reason)

    def synthesised(self, job_id: str, pcm: bytes) -> Iterator[Utterance]:
        """The sound of a sentence is there; empty if it cannot be said, then it is only written."""
        response = self.response
        if self._draft is not None and self._draft.job == job_id:
            _take(self._draft, pcm)
        elif response is not None and response.reading.job == job_id:
            _take(response.reading, pcm)
            yield from self._tell(response)

    def _adopt(self, sentences: tuple[Sentence, ...]) -> tuple[Reading, list[Utterance]]:
        """A reading of ``sentences``, with the draft's sound or job if both begin alike; and what is then dropped."""
        draft = self._draft
        if draft is not None and draft.sentences[:1] == sentences[:1]:
            return Reading(sentences, draft.sounds, draft.job), []
        return Reading(sentences), list(_drop(draft))

    def _tell(self, response: Response) -> Iterator[Utterance]:
        """Everything that has its sound; then the next sentence's synthesis, or the end."""
        reading = response.reading
        while response.told < len(reading.sentences):
            if response.told == len(reading.sounds):
                yield from self._synthesise_next(reading)
            if response.told == len(reading.sounds):
                return
            yield from _tell_sentence(response)
            response.told += 1
        if response.audible:
            yield AudioDone(response.response_id, response.item_id)
        yield from self._end(response, "completed", None)

    def _synthesise_next(self, reading: Reading) -> Iterator[Utterance]:
        if reading.job is not None:
            return
        sentence = reading.sentences[len(reading.sounds)]
        text = spoken(sentence.text, sentence.language)
        if sentence.language not in self._voices or not text:
            reading.sounds.append(b"")
            return
        reading.job = self._name("job")
        yield Synthesise(reading.job, text, sentence.language)

    def _end(self, response: Response, status: ResponseStatus, reason: str | None) -> Iterator[Utterance]:
        self.response = None
        yield ResponseDone(response.response_id, status, reason, request_id=response.request_id)


def _tell_sentence(response: Response) -> Iterator[Utterance]:
    reading = response.reading
    text, pcm = reading.sentences[response.told].text, reading.sounds[response.told]
    yield AnswerDelta(response.response_id, response.item_id, f" {text}" if response.told else text)
    for start in range(0, len(pcm), DELTA_BYTES):
        response.audible = True
        yield AudioDelta(response.response_id, response.item_id, pcm[start : start + DELTA_BYTES])
    reading.sounds[response.told] = b""  # told: the bytes are not needed any more


def _take(reading: Reading, pcm: bytes) -> None:
    reading.job = None
    reading.sounds.append(pcm)


def _drop(reading: Reading | None) -> Iterator[Drop]:
    if reading is not None and reading.job is not None:
        yield Drop(reading.job)
