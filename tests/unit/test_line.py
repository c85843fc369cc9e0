"""The line to the upstream: dialled, lost, dialled again; what is lost with it, and what is not."""

import asyncio
from collections.abc import Callable

import pytest

from tests.clock import in_virtual_time
from tests.fakes import FakeUpstream
from tests.unit.stage import AN_INSTANT, Stage
from tests.unit.test_session import SOON, frame
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.history import History, Item
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.upstream.base import (
    UpstreamClosed,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)

GONE = UpstreamClosed("gone")


def refusing(error: UpstreamError) -> Callable[[FakeUpstream], None]:
    """Upstreams that are dialled from now on end in this."""

    def prepare(upstream: FakeUpstream) -> None:
        upstream.refusal = error

    return prepare


def hanging(upstream: FakeUpstream) -> None:
    """It never answers the call."""
    upstream.reachable.clear()


# -- dialled ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "dials", "seconds"),
    [
        (UpstreamRefused("HTTP 401"), 1, 0.0),
        (UpstreamProtocolError("settings refused"), 1, 0.0),
        (UpstreamTimeout("no session in time"), 2, 0.0),
        (UpstreamRateLimited("HTTP 429", 2.0), 2, 2.0),
        (UpstreamRateLimited("HTTP 429"), 2, 1.0),
        (UpstreamUnavailable("HTTP 503"), 3, 1.3),
    ],
    ids=str,
)
@in_virtual_time
async def test_an_upstream_that_cannot_be_reached_is_dialled_as_often_as_that_may_help(
    refusal: UpstreamError, dials: int, seconds: float
) -> None:
    stage = Stage()
    stage.redialled = refusing(refusal)
    stage.upstream.refusal = refusal
    async with stage.running() as task:
        assert await task is refusal.reason
    assert len(stage.upstreams) == dials
    assert stage.now == pytest.approx(seconds, abs=SOON)
    assert not stage.session.began


@in_virtual_time
async def test_one_that_comes_at_the_second_try_is_there_without_a_word_about_it() -> None:
    stage = Stage()
    stage.upstream.refusal = UpstreamUnavailable("HTTP 503")
    async with stage.running():
        stage.session.push_audio(frame(1))
        await asyncio.sleep(0.3 + SOON)
        assert [type(told) for _, told in stage.told] == [c.TellReady]
        assert stage.upstream.sent == [frame(1)]


@in_virtual_time
async def test_one_that_never_answers_is_given_up_after_eight_seconds() -> None:
    stage = Stage()
    hanging(stage.upstream)
    async with stage.running() as task:
        assert await task is EndReason.UPSTREAM_TIMEOUT
    assert stage.now == pytest.approx(8, abs=SOON)


# -- fed --------------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_piece_of_audio_goes_out_at_once_where_nothing_is_in_its_way() -> None:
    stage = Stage()
    async with stage.running():
        stage.session.push_audio(frame(1))
        assert stage.upstream.sent == [frame(1)]


@in_virtual_time
async def test_one_that_comes_behind_a_command_leaves_behind_it() -> None:
    stage = Stage()
    async with stage.running():
        stage.session.push_audio(frame(1))
        stage.session.receive(e.TextSubmitted("When do you open?"))
        stage.session.push_audio(frame(2))
        assert stage.upstream.sent == [frame(1)]
        await asyncio.sleep(AN_INSTANT)
        assert [type(sent) for sent in stage.upstream.sent[:3]] == [bytes, c.SubmitText, bytes]


@in_virtual_time
async def test_what_has_waited_for_a_slow_upstream_is_not_overtaken() -> None:
    stage = Stage()
    async with stage.running():
        stage.upstream.reading.clear()
        for n in range(3):
            stage.session.push_audio(frame(n))
            await asyncio.sleep(AN_INSTANT)
        stage.upstream.reading.set()
        stage.session.push_audio(frame(3))
        await asyncio.sleep(AN_INSTANT)
        stage.session.push_audio(frame(4))
        assert stage.upstream.sent == [frame(n) for n in range(5)]


# -- lost -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [GONE, UpstreamTimeout("no pong"), UpstreamUnavailable("reset")], ids=str)
@in_virtual_time
async def test_a_lost_upstream_is_dialled_again_and_told_what_was_said(loss: UpstreamError) -> None:
    stage = Stage()
    async with stage.running() as task:
        await stage.answer(100)
        await asyncio.sleep(3)
        stage.upstream.fail(loss)
        await asyncio.sleep(AN_INSTANT)
        assert [upstream.open for upstream in stage.upstreams] == [False, True]
        assert stage.upstream.commands == [c.Recall(History((Item("user", "When do you open?"),)))]
        assert [notice.code for _, notice in stage.all(c.TellNotice)] == ["reconnecting", "reconnected"]
        await stage.ask("And on Sundays?")
        assert not task.done()
    assert len(stage.all(c.TellReady)) == 1
    assert stage.facts.kept.count(c.SessionBegan()) == 1
    assert stage.facts.last is not None
    assert stage.facts.last.reconnects == 1


@in_virtual_time
async def test_what_the_microphone_hears_meanwhile_comes_behind_what_is_told_first() -> None:
    stage = Stage()
    async with stage.running():
        await stage.answer(100)
        await asyncio.sleep(3)
        stage.redialled = hanging
        stage.upstream.reading.clear()
        for n in range(3):
            stage.session.push_audio(frame(n))
        await asyncio.sleep(AN_INSTANT)  # the first of them is being sent, and goes with the connection
        stage.upstream.fail(GONE)
        await asyncio.sleep(AN_INSTANT)
        for n in range(3, 80):
            stage.session.push_audio(frame(n))
        stage.session.receive(e.TextSubmitted("Hello?"))
        await asyncio.sleep(1)
        stage.upstream.reachable.set()
        await asyncio.sleep(2)
        recall, *rest = stage.upstream.sent
        assert isinstance(recall, c.Recall)
        assert rest[:50] == [frame(n) for n in range(30, 80)], "two seconds of it"
        assert [type(command) for command in rest[50:]] == [c.SubmitText, c.CreateResponse]


@in_virtual_time
async def test_what_waited_for_the_lost_upstream_is_heard_by_the_next() -> None:
    stage = Stage()
    async with stage.running():
        stage.upstream.reading.clear()
        for n in range(5):
            stage.session.push_audio(frame(n))
        await asyncio.sleep(AN_INSTANT)
        stage.upstream.fail(GONE)
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.sent == [frame(n) for n in range(1, 5)], "all but the one that was being sent"


@in_virtual_time
async def test_a_question_on_its_way_is_asked_again() -> None:
    stage = Stage()
    async with stage.running():
        stage.upstream.reading.clear()
        request_id = await stage.ask_unheard()
        stage.upstream.fail(GONE)
        await asyncio.sleep(AN_INSTANT)
        recall, request = stage.upstream.commands
        assert recall == c.Recall(History((Item("user", "When do you open?"),)))
        assert request != c.CreateResponse(request_id)
        assert isinstance(request, c.CreateResponse)


@in_virtual_time
async def test_an_answer_that_stalls_costs_its_connection_after_ten_seconds() -> None:
    stage = Stage()
    async with stage.running():
        request_id = await stage.ask()
        stage.upstream.say(e.ResponseStarted("r", request_id))
        began = stage.now
        await asyncio.sleep(10 - SOON)
        assert len(stage.upstreams) == 1
        await asyncio.sleep(2 * SOON)
        assert len(stage.upstreams) == 2
        assert stage.now - began == pytest.approx(10 + SOON, abs=SOON)
        assert not stage.facts.turns, "the question is asked again"


@in_virtual_time
async def test_a_loss_that_cannot_be_made_up_for_in_five_seconds_ends_the_session_as_what_it_was() -> None:
    stage = Stage()
    async with stage.running() as task:
        await asyncio.sleep(1)
        stage.redialled = hanging
        stage.upstream.fail(GONE)
        assert await task is EndReason.UPSTREAM_CLOSED
    assert stage.now == pytest.approx(1 + 5, abs=SOON)
    assert not any(upstream.open for upstream in stage.upstreams)


@in_virtual_time
async def test_a_second_loss_within_a_minute_ends_the_session() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.upstream.fail(GONE)
        await asyncio.sleep(30)
        stage.upstream.fail(UpstreamTimeout("no pong"))
        assert await task is EndReason.UPSTREAM_TIMEOUT


@pytest.mark.parametrize(
    "error", [UpstreamProtocolError("garbage"), UpstreamRefused("key"), UpstreamRateLimited("quota")], ids=str
)
@in_virtual_time
async def test_what_another_connection_would_not_change_ends_the_session(error: UpstreamError) -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.upstream.fail(error)
        assert await task is error.reason
    assert len(stage.upstreams) == 1
    assert not stage.all(c.TellNotice)


@in_virtual_time
async def test_who_hangs_up_while_it_is_dialled_again_leaves_nothing() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.session.receive(e.TextSubmitted("Hello?"))
        stage.redialled = hanging
        stage.upstream.fail(GONE)
        await asyncio.sleep(1)
        stage.session.end(EndReason.CLIENT_HANGUP)
        assert await task is EndReason.CLIENT_HANGUP
    assert not any(upstream.open for upstream in stage.upstreams)
    assert [turn.outcome for turn in stage.facts.turns] == [TurnOutcome.INTERRUPTED]


@in_virtual_time
async def test_its_time_goes_on_while_it_is_dialled_again() -> None:
    stage = Stage(seconds=20.0, expiring_seconds=5.0)
    async with stage.running() as task:
        await asyncio.sleep(17)
        stage.redialled = hanging
        stage.upstream.fail(GONE)
        assert await task is EndReason.MAX_DURATION
    assert stage.now == pytest.approx(20, abs=SOON)
