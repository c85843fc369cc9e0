"""The embedded provider's session: the asynchronous shell around the pure engine.

It owns the microphone's resampler and the jobs under way, and carries: frames to the engine, its jobs to the workers,
their results back, its events to whoever reads them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from typing import Self

from voice.protocol.commands import CommitAudio, ToUpstream
from voice.protocol.events import UpstreamEvent
from voice.upstream.base import (
    TakeAudio,
    Upstream,
    UpstreamClosed,
    UpstreamSession,
    UpstreamTimeout,
    UpstreamUnavailable,
)

from .audio import from_pcm
from .ear import Ear
from .endpointing import Window
from .engine import Engine, Output
from .errors import Busy
from .jobs import Drop, Job, Synthesise, Transcribe
from .models import LocalModels
from .recogniser import Recogniser
from .speech import Speech
from .workers import Share

logger = logging.getLogger(__name__)

#: Events that wait for their reader. The longest answer is some 200; a reader so far behind is gone.
MOST_EVENTS = 1024


class LocalUpstream(Upstream):
    """One conversation with the embedded provider.

    Should the events not be read, so that ``MOST_EVENTS`` wait, the session is closed: ``events`` gives those and
    ends with :class:`UpstreamClosed`.
    """

    provider = "local"
    model = "embedded"
    metered = False

    limits: tuple[str, ...] = ()
    """What does not work in this session, known once it is entered: ``speech_unavailable`` (spoken questions are
    not heard), ``voice_unavailable`` (answers are only written). The reasons are logged."""

    def __init__(self, models: LocalModels, session: UpstreamSession) -> None:
        self._models = models
        self._session = session
        self._events: asyncio.Queue[UpstreamEvent | None] = asyncio.Queue(MOST_EVENTS + 1)  # one place for the end
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Wait for the models, if they are still being loaded."""
        self._speech = await self._loaded()
        language = self._language()
        hears = self._speech.hears(language)
        self._ear = Ear(self._speech.vad) if self._speech.vad is not None and hears else None
        self._engine = Engine(
            self._models.options,
            language=language,
            hears=hears,
            voices=self._speech.voices.keys(),
            push_to_talk=self._session.push_to_talk,
            connection=f"{secrets.token_hex(4)}_",
        )
        self.limits = self._find_limits(language)
        await self._group.__aenter__()
        self._share: Share = self._models.workers().share()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Give up the jobs under way; what already runs in a thread ends there, unheard."""
        self._close()
        for task in self._jobs.values():
            task.cancel()
        try:
            await self._group.__aexit__(None, None, None)
        finally:
            self._share.close()

    async def send_audio(self, pcm: bytes) -> None:
        """Hear a piece of the microphone; without speech recognition it is ignored."""
        self._check_open()
        if self._ear is not None:
            self._hear(self._ear.hear(pcm))

    async def send(self, command: ToUpstream) -> None:
        """Do what the conversation wants."""
        self._check_open()
        if isinstance(command, CommitAudio) and self._ear is not None:
            self._hear(self._ear.flush())
        self._carry_out(self._engine.obey(command))

    async def events(self, take: TakeAudio | None = None) -> AsyncIterator[UpstreamEvent]:
        """What the engine says, until the session is closed."""
        while (event := await self._events.get()) is not None:
            yield event
        raise UpstreamClosed("the embedded session is closed")

    # -- opening --------------------------------------------------------------------------------------------------

    async def _loaded(self) -> Speech:
        try:
            async with asyncio.timeout(self._models.options.open_timeout):
                return await self._models.warm_up()
        except TimeoutError as error:
            raise UpstreamTimeout("the models are still being loaded") from error
        except Exception as error:
            raise UpstreamUnavailable("the models could not be loaded") from error

    def _language(self) -> str:
        language, languages = self._session.language[:2].lower(), self._models.options.languages
        return language if language in languages else languages[0]

    def _find_limits(self, language: str) -> tuple[str, ...]:
        for part in self._speech.unavailable:
            logger.warning("%s", part)
        heard = () if self._speech.hears(language) else ("speech_unavailable",)
        return heard if self._speech.speaks(language) else (*heard, "voice_unavailable")

    # -- running --------------------------------------------------------------------------------------------------

    def _hear(self, windows: Iterable[Window]) -> None:
        for window in windows:
            self._carry_out(self._engine.hear(window, self._now()))

    def _carry_out(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Transcribe() | Synthesise():
                    self._start(output)
                case Drop(job_id=job_id):
                    self._jobs[job_id].cancel()
                case _:
                    self._tell(output)

    def _start(self, job: Job) -> None:
        task = self._jobs[job.job_id] = self._group.create_task(self._run(job))
        # Not in a "finally" of the task: one that is cancelled before its first step never gets there.
        task.add_done_callback(lambda _: self._jobs.pop(job.job_id))

    async def _run(self, job: Job) -> None:
        """Do a job and give its result to the engine. Cancelled, it leaves no trace."""
        try:
            async with asyncio.timeout(self._models.options.job_timeout):
                result = await self._work(job)
        except Exception as error:  # the engines are foreign code; the conversation goes on
            if not isinstance(error, Busy):
                logger.error("%s failed: %s", type(job).__name__, type(error).__name__)  # never the text
            self._carry_out(self._engine.job_failed(job.job_id, self._now()))
        else:
            self._carry_out(self._engine.job_done(job.job_id, result, self._now()))

    async def _work(self, job: Job) -> str | bytes:
        match job:
            case Transcribe(sound=sound, final=final):
                recogniser = self._speech.recognisers[self._engine.language]
                return await self._share.run(_transcribe, recogniser, sound, urgent=final)
            case Synthesise(text=text, language=language):
                voice = self._speech.voices[language]
                return await self._share.run(voice.synthesise, text, urgent=True)

    def _tell(self, event: UpstreamEvent) -> None:
        if self._closed:
            return
        if self._events.qsize() >= MOST_EVENTS:
            self._close()
        else:
            self._events.put_nowait(event)

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            self._events.put_nowait(None)

    def _check_open(self) -> None:
        if self._closed:
            raise UpstreamClosed("the embedded session is closed")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _transcribe(recogniser: Recogniser, sound: bytes) -> str:
    return recogniser.transcribe(from_pcm(sound))
