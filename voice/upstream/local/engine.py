"""A small realtime model: windows of the microphone, commands and finished jobs in; events and jobs out.

It says what the Realtime API would say, in that order, for a session without automatic answers and with automatic
interruption::

    SpeechStarted  TranscriptPartial...  SpeechStopped  TranscriptDone  InputCommitted
    ResponseStarted  (AnswerDelta  AudioDelta...)...  [AudioDone]  ResponseDone

Like the core it does no I/O and knows no clock; what costs processor time goes out as a job and comes back by its id.

**The early start.** The silence that ends a turn lasts half a second, and most pauses that long in the making do end
it. So after a third of that silence the utterance is transcribed, told as a partial transcript (the core searches
with it), and as soon as context stands the first sentence of the answer is synthesised. If the visitor goes on, all
of it is dropped; if not, the answer begins the moment it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count

from voice.protocol.commands import (
    CancelResponse,
    ClearAudio,
    CommitAudio,
    CreateResponse,
    DeleteItem,
    InjectContext,
    Recall,
    SubmitText,
    ToUpstream,
    Truncate,
)
from voice.protocol.context import Passage
from voice.protocol.events import (
    AnswerDelta,
    AudioDelta,
    Fault,
    InputCommitted,
    SpeechStarted,
    TranscriptDone,
    TranscriptFailed,
    UpstreamEvent,
)
from voice.protocol.history import History as Said
from voice.protocol.injection import PAGE_ITEM

from .answer import Background, Sentence, compose, greeting, needs_knowledge
from .endpointing import Window
from .history import Context, History, Question
from .jobs import Drop, Job
from .listening import Committed, Expected, Listener, Notice, Retracted
from .options import LocalOptions
from .speaking import Speaker, Utterance
from .words import language_of

Output = UpstreamEvent | Job | Drop


class Engine:
    """One conversation in ``language`` (two letters).

    ``hears``: speech can be recognised in that language; if not, windows are ignored. ``voices``: the languages that
    can be spoken; sentences in others are written only. ``connection`` is in all ids, so that those of two connections
    of one session are different.
    """

    def __init__(
        self,
        options: LocalOptions,
        *,
        language: str,
        hears: bool = True,
        voices: Collection[str] = (),
        push_to_talk: bool = False,
        connection: str = "",
    ) -> None:
        self.language = language
        self._connection = connection
        self._languages = options.languages
        self._hears = hears
        self._numbers = count(1)
        self._history = History()
        self._listener = Listener(options, self._name, turn_detection=not push_to_talk)
        self._speaker = Speaker(self._name, voices)
        self._speaking = False  # an utterance was begun and is not committed
        self._expected: str | None = None
        self._page: Passage | None = None
        self._out: list[Output] = []

    def hear(self, window: Window, now: float) -> list[Output]:
        """Take the next 32 ms of the microphone in."""
        if self._hears:
            self._heed(self._listener.hear(window, now))
        return self._flush()

    def obey(self, command: ToUpstream) -> list[Output]:
        """Do what the conversation wants."""
        match command:
            case Recall(history=said):
                self._recall(said)
            case InjectContext(item_id=item_id, passages=(page,)) if item_id == PAGE_ITEM:
                self._page = page
            case InjectContext(item_id=item_id, passages=passages):
                self._history.add(Context(item_id, passages))
                self._draft()
            case DeleteItem(item_id=item_id):
                self._delete(item_id)
            case SubmitText(item_id=item_id, text=text):
                self._submit(item_id, text)
            case CreateResponse(request_id=request_id):
                self._create(request_id)
            case CancelResponse(response_id=response_id):
                self._cancel(response_id)
            case Truncate(item_id=item_id, audio_end_ms=heard_ms):
                self._truncate(item_id, heard_ms)
            case CommitAudio():
                self._commit()
            case ClearAudio():
                self._clear()
        return self._flush()

    def job_done(self, job_id: str, result: str | bytes, now: float) -> list[Output]:
        """The result of a job: text for ``Transcribe``, PCM for ``Synthesise``. One that was dropped says nothing."""
        if isinstance(result, str):
            self._heed(self._listener.transcribed(job_id, result, now))
        else:
            self._utter(self._speaker.synthesised(job_id, result))
        return self._flush()

    def job_failed(self, job_id: str, now: float) -> list[Output]:
        """A job came to nothing. A sentence that cannot be said is written."""
        self._heed(self._listener.failed(job_id, now))
        self._utter(self._speaker.synthesised(job_id, b""))
        return self._flush()

    # -- what the visitor does ------------------------------------------------------------------------------------

    def _heed(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            match notice:
                case Expected(text=text):
                    self._expected = text
                    self._draft()
                case Retracted():
                    self._expected = None
                    self._utter(self._speaker.drop_draft())
                case Committed(item_id=item_id, text=text):
                    self._add_question(item_id, text)
                case SpeechStarted():
                    self._out.append(notice)
                    self._begin_utterance()
                case _:
                    self._out.append(notice)

    def _begin_utterance(self) -> None:
        self._speaking = True
        self._utter(self._speaker.cancel("turn_detected"))
        self._utter(self._speaker.drop_draft())

    def _add_question(self, item_id: str, text: str | None) -> None:
        previous, self._expected, self._speaking = self._history.last_id, None, False
        self._history.add(Question(item_id, self.language, text or ""))
        self._out.append(TranscriptFailed(item_id) if text is None else TranscriptDone(item_id, text))
        self._out.append(InputCommitted(item_id, previous))
        self._draft()

    def _submit(self, item_id: str, text: str) -> None:
        self._history.add(Question(item_id, self._language(text), text))

    def _recall(self, said: Said) -> None:
        for item in said:
            item_id = self._name("past")
            if item.role == "user":
                self._history.add(Question(item_id, self._language(item.text), item.text))
            else:
                self._history.said(item_id, item.text)

    def _language(self, text: str) -> str:
        guess = language_of(text, self.language)
        return guess if guess in self._languages else self.language

    def _commit(self) -> None:
        if self._listener.heard_any:
            self._heed(self._listener.commit())
        else:
            self._out.append(Fault("input_audio_buffer_commit_empty"))

    def _clear(self) -> None:
        self._heed(self._listener.clear())
        self._speaking = False

    # -- the conversation -----------------------------------------------------------------------------------------

    def _delete(self, item_id: str) -> None:
        if self._history.delete(item_id):
            self._draft()
        else:
            self._out.append(Fault("item_delete_invalid_item_id"))

    def _truncate(self, item_id: str, heard_ms: int) -> None:
        if not self._history.truncate(item_id, heard_ms):
            self._out.append(Fault("item_truncate_invalid_item_id"))

    # -- the answer -----------------------------------------------------------------------------------------------

    def _create(self, request_id: str) -> None:
        if self._speaker.response is not None:
            self._out.append(Fault("conversation_already_has_active_response", event_id=request_id))
            return
        question = self._history.question
        if question is None:
            sentences: tuple[Sentence, ...] = (greeting(self.language),)
        else:
            sentences = self._compose(question, question.text, question.language)
        self._utter(self._speaker.respond(request_id, sentences))

    def _cancel(self, response_id: str) -> None:
        response = self._speaker.response
        if response is None or response.response_id != response_id:
            self._out.append(Fault("response_cancel_not_active"))
            return
        self._utter(self._speaker.cancel("client_cancelled"))

    def _draft(self) -> None:
        """Prepare the answer to what the visitor seems to ask, as far as context for it stands."""
        if self._speaker.response is not None:
            return
        question = None if self._speaking else self._history.open_question
        text = self._expected if question is None else question.text
        passages, _ = self._history.passages(question)
        if text is None or (needs_knowledge(text) and not passages):
            self._utter(self._speaker.drop_draft())
            return
        language = self.language if question is None else question.language
        self._utter(self._speaker.draft(self._compose(question, text, language)))

    def _compose(self, question: Question | None, text: str, language: str) -> tuple[Sentence, ...]:
        passages, earlier = self._history.passages(question)
        answer = self._history.last_answer
        said = answer.text if answer is not None else ""
        topic = self._history.topic(question)
        return compose(text, Background(passages, earlier, topic, said, self._page), language)

    def _utter(self, utterances: Iterable[Utterance]) -> None:
        for utterance in utterances:
            match utterance:
                case AnswerDelta(item_id=item_id, delta=delta):
                    self._history.said(item_id, delta)
                case AudioDelta(item_id=item_id, pcm=pcm):
                    self._history.sounded(item_id, pcm)
            self._out.append(utterance)

    def _flush(self) -> list[Output]:
        out, self._out = self._out, []
        return out

    def _name(self, kind: str) -> str:
        return f"{kind}_{self._connection}{next(self._numbers)}"
