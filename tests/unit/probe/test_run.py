"""The proof itself, on a clock that does not wait: retrieval costs nothing while the visitor speaks."""

import asyncio
import math

import pytest

from tests.clock import in_virtual_time
from tests.fakes import HOURS, FakeKnowledge, FakeUpstream
from voice.knowledge.base import EVERYONE, Knowledge, KnowledgeUnavailable, Scope
from voice.probe import questions
from voice.probe.errors import ProbeError
from voice.probe.figures import Measured, figures
from voice.probe.knowledge import ObservedKnowledge, ScriptedKnowledge
from voice.probe.questions import Question
from voice.probe.run import run
from voice.probe.script import Script
from voice.probe.turn import Setup, measure
from voice.probe.upstream import ScriptedUpstream
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import Passage
from voice.upstream.base import UpstreamRefused

UPSTREAM_MS, KNOWLEDGE_MS = 558, 447
QUESTION = Question("Could you tell me where I can park nearby?")


def setup(
    knowledge_ms: float = KNOWLEDGE_MS, script: Script | None = None, knowledge: Knowledge | None = None
) -> Setup:
    chosen = script or Script(latency_ms=UPSTREAM_MS)
    return Setup(
        upstream=lambda question, terms: ScriptedUpstream(question.text, chosen),
        knowledge=knowledge or ScriptedKnowledge(),
        knowledge_latency_ms=knowledge_ms,
    )


async def proved(language: str, setup: Setup, turns: int = 10) -> list[Measured]:
    measured: list[Measured] = []
    await run(setup, questions.own(language), turns, measured.append)
    return measured


@pytest.mark.parametrize("language", ["en", "fr"])
@in_virtual_time
async def test_prefetching_hides_all_of_the_search_and_sequentially_it_is_all_waited_for(language: str) -> None:
    measured = await proved(language, setup())
    prefetch, sequential = figures(measured, "prefetch"), figures(measured, "sequential")
    assert prefetch.turns == sequential.turns == 10
    assert prefetch.added.p50 == 0
    assert prefetch.added.p95 is not None
    assert prefetch.added.p95 <= 50
    assert prefetch.first_audio.p50 is not None
    assert prefetch.first_audio.p50 <= 1.05 * UPSTREAM_MS
    assert prefetch.hit_rate == 1
    assert sequential.added.p50 == KNOWLEDGE_MS
    assert sequential.first_audio.p50 == KNOWLEDGE_MS + UPSTREAM_MS >= 1_000
    assert sequential.hit_rate == 1
    assert (sequential.searches_per_turn, sequential.wasted_per_turn) == (1, 0)


@pytest.mark.parametrize("knowledge_ms", [5_000, math.inf])
@in_virtual_time
async def test_a_knowledge_that_takes_five_seconds_or_for_ever_costs_the_budget_and_no_more(
    knowledge_ms: float,
) -> None:
    prefetch = figures(await proved("en", setup(knowledge_ms)), "prefetch")
    assert prefetch.added.max is not None
    assert prefetch.added.max <= 220
    assert prefetch.unanswered == 0
    assert prefetch.hit_rate == 0


@in_virtual_time
async def test_transcripts_that_lag_cost_the_budget_at_most() -> None:
    """However late the words come: the search is made with those that are there."""
    for lag_ms in (100, 300, 700, 2_000):
        prefetch = figures(await proved("en", setup(script=Script(transcript_lag_ms=lag_ms)), turns=3), "prefetch")
        assert prefetch.added.max is not None
        assert prefetch.added.max <= 220


@in_virtual_time
async def test_sequentially_the_transcription_is_waited_for_too() -> None:
    """What was prefetched from the partial transcripts is not held up by it."""
    measured = await proved("en", setup(50, script=Script(transcription_ms=300)), turns=2)
    assert figures(measured, "sequential").added.p50 == 350
    assert figures(measured, "prefetch").added.p50 == 0


@in_virtual_time
async def test_a_knowledge_that_fails_costs_nothing_and_gives_nothing() -> None:
    knowledge = FakeKnowledge(error=KnowledgeUnavailable("down"))
    measured = await proved("en", setup(0, knowledge=knowledge), turns=2)
    assert {turn.hit for turn in measured} == {False}
    assert figures(measured, "prefetch").added.max == figures(measured, "sequential").added.max == 0


@in_virtual_time
async def test_each_question_is_asked_with_prefetching_and_then_sequentially() -> None:
    measured: list[Measured] = []
    await run(setup(), [Question("Is it far away?"), Question("May I bring my dog?")], 3, measured.append)
    assert [(turn.question[:2], turn.mode) for turn in measured] == [
        ("Is", "prefetch"),
        ("Is", "sequential"),
        ("Ma", "prefetch"),
        ("Ma", "sequential"),
        ("Is", "prefetch"),
        ("Is", "sequential"),
    ]


@in_virtual_time
async def test_a_turn_tells_when_words_were_known_and_searches_ran() -> None:
    turn = await measure(setup(), "prefetch", QUESTION)
    assert turn.partials == tuple(range(400, 3_601, 400))
    assert turn.searches[0] == (turn.marks["search_started"], turn.marks["context_ready"])
    began, ended = turn.searches[0]
    assert ended - began == KNOWLEDGE_MS
    assert len(turn.searches) == sum(turn.outcomes.values())


@in_virtual_time
async def test_a_search_that_is_given_up_is_observed_to_its_end() -> None:
    turn = await measure(setup(math.inf), "prefetch", QUESTION)
    assert len(turn.searches) == sum(turn.outcomes.values()) >= 1
    assert all(began < ended for began, ended in turn.searches)


@in_virtual_time
async def test_the_knowledge_is_asked_in_the_language_and_for_the_number_that_the_site_set() -> None:
    asked: list[tuple[str, int, Scope]] = []

    class Asked(ScriptedKnowledge):
        async def search(
            self, query: str, *, language: str, limit: int, scope: Scope = EVERYONE
        ) -> tuple[Passage, ...]:
            asked.append((language, limit, scope))
            return (HOURS,)

    observed = ObservedKnowledge(Asked())
    assert observed.name == "scripted"
    assert await observed.search("Where?", language="fr", limit=3) == (HOURS,)
    assert asked == [("fr", 3, EVERYONE)]


@in_virtual_time
async def test_an_upstream_that_refuses_ends_the_run_with_a_sentence() -> None:
    refusing = FakeUpstream()
    refusing.refusal = UpstreamRefused("no key")
    with pytest.raises(ProbeError, match="upstream_auth"):
        await measure(Setup(lambda question, terms: refusing, ScriptedKnowledge()), "prefetch", QUESTION)


@in_virtual_time
async def test_an_upstream_that_hears_nothing_ends_the_run_at_once() -> None:
    deaf = FakeUpstream()
    deaf.limits = ("speech_unavailable",)
    with pytest.raises(ProbeError, match="speech_unavailable"):
        await measure(Setup(lambda question, terms: deaf, ScriptedKnowledge()), "prefetch", QUESTION)


class Refusing(FakeUpstream):
    """Notices speech and silence by the bytes, and refuses to answer."""

    async def send_audio(self, pcm: bytes) -> None:
        if not self.heard:
            self.say(e.SpeechStarted("item"))
        if not any(pcm):
            self.say(e.SpeechStopped("item"), e.InputCommitted("item"), e.TranscriptDone("item", "Where?"))
        await super().send_audio(pcm)

    def send_audio_at_once(self, pcm: bytes) -> bool:
        return False

    async def send(self, command: c.ToUpstream) -> None:
        if isinstance(command, c.CreateResponse):
            self.say(e.Fault("invalid_value", event_id=command.request_id))
        await super().send(command)


ONE_SECOND = Question("one second", b"\1\0" * 24_000)


@in_virtual_time
async def test_a_spoken_question_is_fed_at_the_pace_of_life_and_followed_by_silence() -> None:
    upstream = Refusing()
    began = asyncio.get_running_loop().time()
    await measure(Setup(lambda question, terms: upstream, ScriptedKnowledge()), "prefetch", ONE_SECOND)
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.04, abs=0.1)
    assert upstream.heard[:48_000] == ONE_SECOND.pcm
    assert not any(upstream.heard[48_000:])


@in_virtual_time
async def test_a_turn_that_failed_was_not_answered() -> None:
    turn = await measure(Setup(lambda question, terms: Refusing(), ScriptedKnowledge()), "prefetch", ONE_SECOND)
    assert turn.first_audio_ms is None
    assert figures([turn], "prefetch").unanswered == 1


@in_virtual_time
async def test_a_run_that_is_cancelled_leaves_what_it_measured_and_nothing_else() -> None:
    measured: list[Measured] = []
    running = asyncio.create_task(run(setup(), [QUESTION], 10, measured.append))
    await asyncio.sleep(12)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(measured) == 2
