"""A scripted upstream hears a question word by word, and answers it, to the millisecond."""

import asyncio

import pytest

from tests.clock import in_virtual_time
from voice.probe.script import ITEM, Script, timetable
from voice.probe.upstream import ScriptedUpstream
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import silence

QUESTION = "Where can I park nearby?"


def test_it_hears_two_and_a_half_words_a_second_and_then_a_silence() -> None:
    assert timetable(QUESTION, Script()) == [
        (0.0, e.SpeechStarted(ITEM)),
        (0.4, e.TranscriptDelta(ITEM, "Where")),
        (0.8, e.TranscriptDelta(ITEM, " can")),
        (pytest.approx(1.2), e.TranscriptDelta(ITEM, " I")),
        (1.6, e.TranscriptDelta(ITEM, " park")),
        (2.0, e.TranscriptDelta(ITEM, " nearby?")),
        (2.3, e.SpeechStopped(ITEM)),
        (2.3, e.InputCommitted(ITEM)),
        (2.3, e.TranscriptDone(ITEM, QUESTION)),
    ]


@pytest.mark.parametrize("question", ["Où êtes-vous ?", "Why -- why?", " Is it far ?! ", "Non", "« Ici » ?"])
def test_the_partial_transcripts_together_are_the_question_and_punctuation_takes_no_time(question: str) -> None:
    deltas = [event.delta for _, event in timetable(question, Script()) if isinstance(event, e.TranscriptDelta)]
    assert "".join(deltas).strip() == question.strip()
    assert all(any(character.isalnum() for character in delta) for delta in deltas)


def test_transcripts_that_lag_come_after_the_end_of_speech_and_the_final_one_is_the_last() -> None:
    said = timetable(QUESTION, Script(transcript_lag_ms=1_000))
    assert [type(event) for _, event in said[-4:]] == [
        e.InputCommitted,
        e.TranscriptDelta,
        e.TranscriptDelta,
        e.TranscriptDone,
    ]
    assert said[-1][0] == 3.0


def test_a_transcription_that_begins_at_the_commit_takes_its_time() -> None:
    at, event = timetable(QUESTION, Script(transcription_ms=600))[-1]
    assert isinstance(event, e.TranscriptDone)
    assert at == pytest.approx(2.9)


async def heard(upstream: ScriptedUpstream, seconds: float) -> list[e.UpstreamEvent]:
    """All that it says in so many seconds."""
    said: list[e.UpstreamEvent] = []
    try:
        async with asyncio.timeout(seconds):
            async for event in upstream.events():
                said.append(event)
    except TimeoutError:
        return said


@in_virtual_time
async def test_the_question_is_placed_behind_the_context_that_stands() -> None:
    async with ScriptedUpstream(QUESTION, Script()) as upstream:
        await upstream.send(c.InjectContext("ctx_1", "", ()))
        await upstream.send(c.InjectContext("ctx_2", "", ()))
        await upstream.send(c.DeleteItem("ctx_1"))
        await upstream.send(c.DeleteItem("ctx_1"))
        assert e.InputCommitted(ITEM, "ctx_2") in await heard(upstream, 3)


@in_virtual_time
async def test_an_answer_sounds_after_its_latency() -> None:
    async with ScriptedUpstream("Why?", Script(latency_ms=558)) as upstream:
        await heard(upstream, 1)
        await upstream.send(c.CreateResponse("req_1"))
        assert await heard(upstream, 0.557) == [e.ResponseStarted("response_1", "req_1")]
        assert await heard(upstream, 0.002) == [
            e.AudioDelta("response_1", "item_response_1", silence(200)),
            e.AudioDone("response_1", "item_response_1"),
            e.ResponseDone("response_1", "completed", request_id="req_1"),
        ]


@in_virtual_time
async def test_an_answer_that_is_cancelled_never_sounds() -> None:
    async with ScriptedUpstream("Why?", Script()) as upstream:
        await heard(upstream, 1)
        await upstream.send(c.CreateResponse("req_1"))
        await upstream.send(c.CancelResponse("response_1"))
        await upstream.send(c.CancelResponse("response_1"))
        assert [type(event) for event in await heard(upstream, 5)] == [e.ResponseStarted, e.ResponseDone]


@in_virtual_time
async def test_what_it_has_not_said_when_it_is_left_is_never_said() -> None:
    upstream = ScriptedUpstream(QUESTION, Script())
    async with upstream:
        await upstream.send(c.CreateResponse("req_1"))
        await heard(upstream, 0.1)
    assert await heard(upstream, 60) == []
