"""The embedded provider behind the upstream port, with its real models and without."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from voice.protocol.audio import BYTES_PER_MS, duration_ms, silence
from voice.protocol.commands import CommitAudio, CreateResponse, DeleteItem, InjectContext, Recall, SubmitText
from voice.protocol.context import Passage
from voice.protocol.events import (
    AnswerDelta,
    AudioDelta,
    InputCommitted,
    ResponseDone,
    SpeechStopped,
    TranscriptDone,
    TranscriptPartial,
    UpstreamEvent,
)
from voice.protocol.history import History, Item
from voice.protocol.words import coverage
from voice.upstream.base import UpstreamClosed, UpstreamSession, UpstreamTimeout, UpstreamUnavailable
from voice.upstream.local.audio import Samples, to_pcm
from voice.upstream.local.errors import PartUnavailable
from voice.upstream.local.models import LocalModels
from voice.upstream.local.options import LocalOptions
from voice.upstream.local.provider import MOST_EVENTS, LocalUpstream
from voice.upstream.local.recogniser import Recogniser
from voice.upstream.local.speech import Speech

QUESTION = "Where can I park my car near the museum?"
PARKING = Passage("Parking", "You can park behind the museum. It is free for two hours.", "/parking/", "en", 0.5)
FRAME = 40 * BYTES_PER_MS


@pytest.fixture(scope="module")
def real() -> LocalModels:
    """The real models, loaded by the first test that opens a session."""
    return LocalModels(LocalOptions())


@pytest.fixture
async def models(real: LocalModels) -> AsyncIterator[LocalModels]:
    yield real
    assert await real.close(5)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Speech]], LocalModels]:
    """Models that a function of the test loads."""

    def replaced(loader: Callable[..., Speech], **options: Any) -> LocalModels:
        monkeypatch.setattr("voice.upstream.local.models.load_speech", loader)
        return LocalModels(LocalOptions(**options))

    return replaced


class Talk:
    """An open session and what it says."""

    def __init__(self, upstream: LocalUpstream) -> None:
        self.upstream = upstream
        self.heard: list[UpstreamEvent] = []
        self._events = upstream.events()

    async def until(self, kind: type[Any]) -> Any:
        """The next event of a kind; everything before it is kept in ``heard``."""
        async with asyncio.timeout(10):
            while True:
                event = await anext(self._events)
                self.heard.append(event)
                if isinstance(event, kind):
                    return event

    async def hear(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), FRAME):
            await self.upstream.send_audio(pcm[start : start + FRAME])

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.heard]

    @property
    def answer(self) -> str:
        return "".join(event.delta for event in self.heard if isinstance(event, AnswerDelta))

    @property
    def audio_ms(self) -> int:
        return sum(duration_ms(len(event.pcm)) for event in self.heard if isinstance(event, AudioDelta))


async def say(models: LocalModels, text: str, language: str = "en") -> bytes:
    """Somebody asks: half a second of room before, the question in the provider's own voice."""
    speech = await models.warm_up()
    with closing(models.workers().share()) as share:
        return silence(500) + await share.run(speech.voices[language].synthesise, text)


class TestWithItsModels:
    async def test_a_spoken_question_is_heard_while_it_is_spoken_and_answered_aloud(self, models: LocalModels) -> None:
        question = await say(models, QUESTION)
        two_thirds = len(question) * 2 // 3 // FRAME * FRAME
        async with LocalUpstream(models, UpstreamSession("en")) as upstream:
            talk = Talk(upstream)
            assert upstream.limits == ()
            await talk.hear(question[:two_thirds])
            await talk.until(TranscriptPartial)
            await upstream.send(InjectContext("ctx_1_1", "", (PARKING,)))
            await talk.hear(question[two_thirds:] + silence(800))
            committed = await talk.until(InputCommitted)
            await upstream.send(CreateResponse("req_1_1"))
            await talk.until(ResponseDone)
        assert committed.previous_item_id == "ctx_1_1"
        assert talk.kinds.index("TranscriptPartial") < talk.kinds.index("SpeechStopped")
        transcript = next(event.text for event in talk.heard if isinstance(event, TranscriptDone))
        assert coverage(transcript, QUESTION) >= 0.8
        assert talk.answer == PARKING.text
        assert talk.audio_ms > 2_000

    async def test_french_is_heard_and_spoken(self, models: LocalModels) -> None:
        question = await say(models, "Avez-vous une réduction pour les étudiants ?", "fr")
        tarifs = Passage("Tarifs", "Les étudiants paient la moitié.", "", "fr")
        async with LocalUpstream(models, UpstreamSession("fr-CA")) as upstream:
            talk = Talk(upstream)
            await talk.hear(question + silence(800))
            transcript = await talk.until(TranscriptDone)
            await upstream.send(InjectContext("ctx_1_1", "", (tarifs,)))
            await upstream.send(CreateResponse("req_1_1"))
            await talk.until(ResponseDone)
        assert "étudiants" in transcript.text
        assert talk.answer == tarifs.text
        assert talk.audio_ms > 500

    async def test_push_to_talk_hears_up_to_the_commit(self, models: LocalModels) -> None:
        question = await say(models, QUESTION)
        async with LocalUpstream(models, UpstreamSession("en", push_to_talk=True)) as upstream:
            talk = Talk(upstream)
            await talk.hear(question)
            await upstream.send(CommitAudio())
            await talk.until(InputCommitted)
        transcript = next(event.text for event in talk.heard if isinstance(event, TranscriptDone))
        assert coverage(transcript, QUESTION) >= 0.8
        assert SpeechStopped not in map(type, talk.heard)

    async def test_room_noise_is_no_question(self, models: LocalModels) -> None:
        async with LocalUpstream(models, UpstreamSession("en")) as upstream:
            talk = Talk(upstream)
            await talk.hear(silence(3_000))
            await upstream.send(DeleteItem("nothing"))  # the first thing there is to say is the answer to this
            assert talk.kinds == []
            assert type(await anext(upstream.events())).__name__ == "Fault"

    async def test_leaving_in_the_middle_of_work_leaves_nothing_running(self, models: LocalModels) -> None:
        question = await say(models, QUESTION)
        before = asyncio.all_tasks()
        async with asyncio.timeout(1), LocalUpstream(models, UpstreamSession("en")) as upstream:
            await upstream.send_audio(question)
            await upstream.send(SubmitText("usr_1", "Where can I park?"))
            await upstream.send(CreateResponse("req_1_1"))
            assert asyncio.all_tasks() > before, "work was under way"
        assert asyncio.all_tasks() == before


class MuteVoice:
    language = "en"

    def synthesise(self, text: str) -> bytes:
        raise RuntimeError(text)


def nothing(*args: object, **kwargs: object) -> Speech:
    return Speech(vad=None, recognisers={}, voices={}, unavailable=(PartUnavailable("The voice", "it is not here"),))


def mute(*args: object, **kwargs: object) -> Speech:
    return Speech(vad=None, recognisers={}, voices={"en": MuteVoice()}, unavailable=())


async def typed(upstream: LocalUpstream) -> Talk:
    talk = Talk(upstream)
    await upstream.send(SubmitText("usr_1", "Where can I park?"))
    await upstream.send(InjectContext("ctx_1_1", "", (PARKING,)))
    await upstream.send(CreateResponse("req_1_1"))
    await talk.until(ResponseDone)
    return talk


class TestWithoutThem:
    async def test_a_typed_question_is_answered_in_writing(self, load: Any, caplog: pytest.LogCaptureFixture) -> None:
        async with LocalUpstream(load(nothing), UpstreamSession("en")) as upstream:
            assert upstream.limits == ("speech_unavailable", "voice_unavailable")
            await upstream.send_audio(silence(100))
            talk = await typed(upstream)
        assert talk.answer == PARKING.text
        assert talk.audio_ms == 0
        assert "The voice is not available: it is not here" in caplog.text

    async def test_a_voice_that_fails_leaves_the_text_and_tells_nobody_what_it_was(
        self, load: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with LocalUpstream(load(mute), UpstreamSession("en")) as upstream:
            talk = await typed(upstream)
        assert talk.answer == PARKING.text
        assert [event.status for event in talk.heard if isinstance(event, ResponseDone)] == ["completed"]
        assert "Synthesise failed: RuntimeError" in caplog.text
        assert "park" not in caplog.text

    async def test_what_was_said_before_is_known_to_the_next_question(self, load: Any) -> None:
        said = History((Item("user", "Where can I park?"), Item("assistant", "Behind the museum.")))
        async with LocalUpstream(load(nothing), UpstreamSession("en")) as upstream:
            talk = Talk(upstream)
            await upstream.send(Recall(said))
            await upstream.send(SubmitText("usr_2", "Pardon?"))
            await upstream.send(CreateResponse("req_2"))
            await talk.until(ResponseDone)
        assert talk.answer == "Behind the museum."

    async def test_a_question_that_was_said_before_can_be_answered_now(self, load: Any) -> None:
        async with LocalUpstream(load(nothing), UpstreamSession("en")) as upstream:
            talk = Talk(upstream)
            await upstream.send(Recall(History((Item("user", "Where can I park?"),))))
            await upstream.send(InjectContext("ctx_1_2", "", (PARKING,)))
            await upstream.send(CreateResponse("req_1_2"))
            await talk.until(ResponseDone)
        assert talk.answer == PARKING.text

    async def test_no_two_connections_use_the_same_id(self, load: Any) -> None:
        models, told = load(nothing), []
        for _ in range(2):
            async with LocalUpstream(models, UpstreamSession("en")) as upstream:
                told.append(await typed(upstream))
        first, second = ({event.response_id for event in talk.heard if hasattr(event, "response_id")} for talk in told)
        assert not first & second

    async def test_another_language_is_answered_in_the_first_one(self, load: Any) -> None:
        async with LocalUpstream(load(nothing, languages=("fr", "en")), UpstreamSession("de")) as upstream:
            await upstream.send(CreateResponse("req_1_1"))
            talk = Talk(upstream)
            await talk.until(ResponseDone)
        assert talk.answer.startswith("Bonjour")


class Loudness:
    """Judges sound without a model: what is not silent is speech."""

    def __call__(self, sound: Samples, state: Samples) -> tuple[float, Samples]:
        return float(np.abs(sound).max() > 0.01), state


class SlowForTheLoud:
    """Understands at once who speaks softly; a loud voice is not made out before ``gate`` is open."""

    language = "en"

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate
        self.struggles = threading.Semaphore(0)
        """Released at each attempt with a loud voice."""

    def transcribe(self, samples: Samples) -> str:
        if np.abs(samples).max() > 0.4:
            self.struggles.release()
            assert self._gate.wait(30), "the test forgot this one"
        return "Where can I park?"


def tone(ms: int, loudness: float) -> bytes:
    return to_pcm(loudness * np.sin(np.arange(ms * 24) / 10).astype(np.float32))


def understood(recogniser: Recogniser) -> Speech:
    vad: Any = Loudness()
    return Speech(vad=vad, recognisers={"en": recogniser}, voices={}, unavailable=())


class TestSeveralAtOnce:
    async def test_a_slow_recogniser_slows_its_own_session_only(self, load: Any, gate: threading.Event) -> None:
        recogniser = SlowForTheLoud(gate)
        models = load(lambda *_: understood(recogniser))
        loud = LocalUpstream(models, UpstreamSession("en"))
        soft = LocalUpstream(models, UpstreamSession("en"))
        async with loud, soft:
            shouting, speaking = Talk(loud), Talk(soft)
            await shouting.hear(tone(1500, 0.8))
            assert await asyncio.to_thread(recogniser.struggles.acquire, timeout=10), "a partial transcript"
            await shouting.hear(silence(1000))  # it is given up for the final one

            await speaking.hear(tone(1500, 0.2))
            await speaking.until(TranscriptPartial)
            await speaking.hear(silence(1000))
            assert (await speaking.until(TranscriptDone)).text == "Where can I park?"
            assert not recogniser.struggles.acquire(blocking=False)

            gate.set()
            assert (await shouting.until(TranscriptDone)).text == "Where can I park?"
        assert await models.close(5)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Keeps a load going; opened at the end at the latest."""
    gate = threading.Event()
    yield gate
    gate.set()


class TestLoading:
    async def test_a_session_waits_for_the_models_only_so_long(self, load: Any, gate: threading.Event) -> None:
        def slowly(*args: object) -> Speech:
            gate.wait(5)
            return nothing()

        models = load(slowly, open_timeout=0.01)
        with pytest.raises(UpstreamTimeout):
            async with LocalUpstream(models, UpstreamSession("en")):
                pass
        gate.set()
        await models.warm_up()
        async with LocalUpstream(models, UpstreamSession("en")):
            pass

    async def test_they_are_loaded_once_for_all_who_wait(self, load: Any, gate: threading.Event) -> None:
        loads: list[object] = []

        def counted(*args: object) -> Speech:
            loads.append(args)
            gate.wait(5)
            return nothing()

        models = load(counted)
        waiting = [asyncio.ensure_future(models.warm_up()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.set()
        first, *others = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        assert others[0] is others[1]
        assert len(loads) == 1

    async def test_a_load_that_failed_is_tried_again_by_the_next(self, load: Any) -> None:
        results: list[Callable[[], Speech]] = [lambda: 1 // 0, nothing]  # type: ignore[list-item, return-value]
        models = load(lambda *args: results.pop(0)())
        with pytest.raises(UpstreamUnavailable):
            async with LocalUpstream(models, UpstreamSession("en")):
                pass
        async with LocalUpstream(models, UpstreamSession("en")):
            pass

    async def test_progress_is_told_to_all_who_asked(self, load: Any) -> None:
        def loud(languages: object, progress: Callable[[str, float], None]) -> Speech:
            progress("ready", 1.0)
            return nothing()

        told: list[tuple[str, float]] = []
        await load(loud).warm_up(lambda part, done: told.append((part, done)))
        assert told == [("ready", 1.0)]


class TestTheEnd:
    async def test_is_told_to_whoever_reads_or_sends(self, load: Any) -> None:
        async with LocalUpstream(load(nothing), UpstreamSession("en")) as upstream:
            events = upstream.events()
        with pytest.raises(UpstreamClosed):
            await anext(events)
        with pytest.raises(UpstreamClosed):
            await upstream.send(CreateResponse("req_1"))
        with pytest.raises(UpstreamClosed):
            await upstream.send_audio(silence(40))

    async def test_a_reader_that_stopped_reading_ends_the_session(self, load: Any) -> None:
        async with LocalUpstream(load(nothing), UpstreamSession("en")) as upstream:
            with pytest.raises(UpstreamClosed):
                for _ in range(MOST_EVENTS + 2):
                    await upstream.send(DeleteItem("nothing"))
            read = 0
            with pytest.raises(UpstreamClosed):
                async for _ in upstream.events():
                    read += 1
        assert read == MOST_EVENTS
