"""The listening half of the engine: windows in; turns, transcripts and recognition jobs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from voice.protocol.events import SpeechStarted, SpeechStopped, TranscriptPartial

from .dictation import Dictation
from .endpointing import Endpointer, Signal, Window
from .jobs import Drop, Job
from .options import LocalOptions


@dataclass(frozen=True, slots=True)
class Expected:
    """If the visitor says no more, this is their question."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Retracted:
    """The visitor goes on: what was expected is not their question."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The utterance is the visitor's turn, and these are its words; ``None`` where they could not be made out."""

    item_id: str
    text: str | None = field(repr=False)


Notice = SpeechStarted | SpeechStopped | TranscriptPartial | Expected | Retracted | Committed | Job | Drop


class Listener:
    """``name`` makes ids: ``name("item")`` is a new one each time.

    A turn ends when the silence has lasted long enough *and* its words are known: nothing could be answered before,
    the search gets the whole question, and a visitor who goes on meanwhile is still in the same turn.

    Without turn detection (push-to-talk) there is no speech event, and only :meth:`commit` ends a turn.
    """

    def __init__(self, options: LocalOptions, name: Callable[[str], str], *, turn_detection: bool) -> None:
        self._options = options
        self._name = name
        self._turn_detection = turn_detection
        self._endpointer = Endpointer(options, closes=turn_detection)
        self._dictation = Dictation(name("item"))
        self._over = False  # the silence has passed, the words are still being made out
        self._committing: dict[str, Dictation] = {}  # by the job that makes their final transcript

    @property
    def heard_any(self) -> bool:
        """There was sound since the last turn; perhaps only silence."""
        return self._endpointer.heard_any

    def hear(self, window: Window, now: float) -> Iterator[Notice]:
        """Take 32 ms in."""
        match self._endpointer.hear(window):
            case Signal.STARTED if self._turn_detection:
                yield SpeechStarted(self._dictation.item_id)
            case Signal.PAUSED:
                yield from self._ask_final()
            case Signal.RESUMED:
                yield from self._retract()
            case Signal.STOPPED:
                yield from self._stop()
            case _:
                yield from self._ask_partial(now)

    def commit(self) -> Iterator[Notice]:
        """End the utterance here, also one without speech."""
        dictation, spoke = self._dictation, self._endpointer.speaking
        if spoke and dictation.text is None and dictation.final is None:
            yield from self._ask_final()
        if dictation.final is not None:
            self._committing[dictation.final] = dictation
        if spoke and self._turn_detection:
            yield SpeechStopped(dictation.item_id)
        self._begin_anew()
        if dictation.final is None:
            yield Committed(dictation.item_id, dictation.text or "")

    def clear(self) -> Iterator[Notice]:
        """Forget what was heard since the last commit."""
        yield from self._drop(self._dictation.partial, self._dictation.final)
        yield Retracted()
        self._begin_anew()

    def transcribed(self, job_id: str, text: str, now: float) -> Iterator[Notice]:
        """A recognition job is done."""
        dictation = self._dictation
        if committing := self._committing.pop(job_id, None):
            yield Committed(committing.item_id, text)
        elif job_id == dictation.partial:
            dictation.took(now, self._options)
            yield from self._show(text)
        elif job_id == dictation.final:
            dictation.final, dictation.text = None, text
            yield from self._show(text)
            yield from self._end(text) if self._over else (Expected(text),)

    def failed(self, job_id: str, now: float) -> Iterator[Notice]:
        """A recognition job came to nothing; the last partial transcript takes the place of a final one."""
        dictation = self._dictation
        if committing := self._committing.pop(job_id, None):
            yield Committed(committing.item_id, committing.shown or None)
        elif job_id == dictation.partial:
            dictation.refused(now)
        elif job_id == dictation.final:
            dictation.final = None
            yield from self._end(dictation.shown or None) if self._over else ()

    def _stop(self) -> Iterator[Notice]:
        if self._dictation.text is not None:
            yield from self._end(self._dictation.text)
            return
        self._over = True
        if self._dictation.final is None:
            yield from self._ask_final()

    def _end(self, text: str | None) -> Iterator[Notice]:
        item_id = self._dictation.item_id
        self._begin_anew()
        yield SpeechStopped(item_id)
        yield Committed(item_id, text)

    def _begin_anew(self) -> None:
        self._endpointer.reset()
        self._dictation = Dictation(self._name("item"))
        self._over = False

    def _ask_partial(self, now: float) -> Iterator[Notice]:
        # Not in a pause: the final transcript is about to be asked for, and the recogniser must be free for it.
        endpointer = self._endpointer
        enough = endpointer.in_speech and endpointer.speech_ms >= self._options.partial_after_ms
        if enough and self._dictation.may_ask(now):
            yield self._dictation.ask_partial(self._name("job"), endpointer.sound(), now)

    def _ask_final(self) -> Iterator[Notice]:
        yield from self._drop(self._dictation.partial)
        yield self._dictation.ask_final(self._name("job"), self._endpointer.sound())

    def _retract(self) -> Iterator[Notice]:
        yield from self._drop(self._dictation.final)
        self._dictation.final = self._dictation.text = None
        self._over = False
        yield Retracted()

    def _show(self, text: str) -> Iterator[Notice]:
        if self._dictation.show(text):
            yield TranscriptPartial(self._dictation.item_id, text)

    def _drop(self, *job_ids: str | None) -> Iterator[Notice]:
        yield from (Drop(job_id) for job_id in job_ids if job_id is not None)
