"""What the visitor is told: in order, no faster than they listen, and by whom nobody listens it ends."""

import asyncio
from itertools import accumulate

import pytest

from tests.clock import in_virtual_time
from tests.unit.stage import AN_INSTANT, SOON, Stage
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.outcomes import EndReason

# -- with a way past the server's queue and without ---------------------------------------------------------------


@in_virtual_time
@pytest.mark.parametrize("at_once", [True, False])
async def test_an_answer_is_told_in_order_and_in_time_with_a_way_past_the_queue_and_without(at_once: bool) -> None:
    stage = Stage()
    stage.at_once = at_once
    async with stage.running():
        await stage.answer(*[500] * 8)
        assert stage.played_ms == 2_500, "two seconds ahead, and what has begun before that"
        await asyncio.sleep(0.5 + SOON)
        assert stage.played_ms == 3_000
        await asyncio.sleep(4)
    said = [type(told) for _, told in stage.told if isinstance(told, c.Play | c.PlayDone | c.TellTurnDone)]
    assert said == [*[c.Play] * 8, c.PlayDone, c.TellTurnDone]


@in_virtual_time
async def test_what_is_told_while_the_visitor_takes_nothing_is_told_in_order_when_they_do() -> None:
    stage = Stage()
    async with stage.running():
        stage.reading.clear()
        stage.session.tell(c.TellNotice("1"))
        await asyncio.sleep(AN_INSTANT)
        stage.session.tell(c.TellNotice("2"))
        stage.reading.set()
        stage.session.tell(c.TellNotice("3"))
        await asyncio.sleep(AN_INSTANT)
        stage.session.tell(c.TellNotice("4"))
        assert [notice.code for _, notice in stage.all(c.TellNotice)] == ["1", "2", "3", "4"]


@in_virtual_time
async def test_what_is_due_later_is_not_told_any_more_when_the_session_is_over() -> None:
    """Also where the upstream takes its time to be closed."""
    stage = Stage()
    async with stage.running() as task:
        await stage.answer(*[500] * 8)
        stage.upstream.closing.clear()
        before = stage.played_ms
        stage.session.end(EndReason.CLIENT_HANGUP)
        await asyncio.sleep(1)
        assert not task.done()
        stage.upstream.closing.set()
        await task
    assert stage.played_ms == before


@in_virtual_time
async def test_a_fault_in_what_is_told_later_is_raised_by_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, fault = Stage(), ZeroDivisionError()

    def fails(self: Stage, command: c.ToBrowser) -> None:
        raise fault

    async with stage.running() as task:
        await stage.answer(*[500] * 8)
        monkeypatch.setattr(Stage, "tell_at_once", fails)
        with pytest.raises(ExceptionGroup) as caught:
            await task
        assert caught.value.exceptions == (fault,)


# -- no faster than they listen ----------------------------------------------------------------------------------


@in_virtual_time
async def test_an_answer_runs_two_seconds_ahead_of_its_sound_and_no_more() -> None:
    stage = Stage()
    async with stage.running():
        await stage.answer(*[100] * 100)
        began = stage.all(c.Play)[0][0]
        await asyncio.sleep(10)
        sent_ms = accumulate(len(play.pcm) // BYTES_PER_MS for _, play in stage.all(c.Play))
        ahead = [ms / 1000 - (at - began) for ms, (at, _) in zip(sent_ms, stage.all(c.Play), strict=True)]
        assert max(ahead) == pytest.approx(2.1, abs=0.01)  # two seconds, and the piece that reaches beyond
        assert stage.played_ms == 10_000


@in_virtual_time
async def test_after_a_stop_nothing_of_the_answer_is_sent() -> None:
    stage = Stage()
    async with stage.running():
        await stage.answer(*[100] * 100)
        await asyncio.sleep(1)
        stage.session.receive(e.Interrupt())
        sent_ms = stage.played_ms
        await asyncio.sleep(20)
        assert stage.played_ms == sent_ms < 3_200
        assert [stop.item_id for _, stop in stage.all(c.StopPlayback)] == ["item_a"]
        assert not stage.all(c.PlayDone)


@in_virtual_time
async def test_an_answer_longer_than_a_minute_waits_in_the_upstream() -> None:
    """Its memory is the service's, not ours; and none of it is lost."""
    stage = Stage()
    async with stage.running():
        await stage.answer(*[1_000] * 100)
        waiting = stage.upstream.waiting
        assert waiting > 30
        await asyncio.sleep(20)
        assert 0 < stage.upstream.waiting < waiting
        await asyncio.sleep(90)
        assert stage.upstream.waiting == 0
        assert stage.played_ms == 100_000


@in_virtual_time
async def test_a_visitor_who_takes_nothing_more_is_given_up_after_five_seconds() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.reading.clear()
        stage.session.tell(c.TellNotice("answer_failed"))
        assert await task is EndReason.SLOW_CLIENT
        assert 5 <= stage.now <= 5 + 1 + SOON  # and a second for the farewell


@in_virtual_time
async def test_who_does_not_say_what_they_have_played_is_given_up_after_twenty_seconds_of_it() -> None:
    """Also where a server takes everything, and keeps it for a reader that does not read."""
    stage = Stage(reports=True)
    async with stage.running() as task:
        await stage.answer(*[1_000] * 40)
        assert await task is EndReason.SLOW_CLIENT
        assert stage.played_ms == 21_000
        assert stage.now == pytest.approx(18, abs=1.5)


@in_virtual_time
async def test_who_says_it_may_listen_to_the_end() -> None:
    stage = Stage(reports=True)
    async with stage.running() as task:
        await stage.answer(*[1_000] * 40)
        while stage.played_ms < 40_000:
            await asyncio.sleep(0.25)
            stage.session.receive(e.Heard("item_a", max(0, stage.played_ms - 2_000)))
        assert not task.done()


@in_virtual_time
async def test_of_an_answer_that_comes_at_once_twenty_seconds_wait_until_somebody_hears_it() -> None:
    """Whoever reads nothing costs no more; whoever listens holds up nothing that the upstream has to say."""
    stage = Stage(reports=True)
    async with stage.running():
        await stage.answer(*[1_000] * 50)
        stage.upstream.say(e.SpeechStarted("item_b"))
        await asyncio.sleep(0.5)
        assert stage.session.depths["egress"] == 20
        assert not stage.all(c.TellSpeechStarted)
        stage.session.receive(e.Heard("item_a", 200))
        await asyncio.sleep(AN_INSTANT)
        assert stage.session.depths["egress"] > 40
        assert stage.all(c.TellSpeechStarted)


@in_virtual_time
async def test_what_an_interruption_has_stopped_is_not_waited_for() -> None:
    stage = Stage(reports=True)
    async with stage.running() as task:
        await stage.answer(*[1_000] * 15)
        await asyncio.sleep(12)
        stage.session.receive(e.Interrupt())
        await stage.answer(*[1_000] * 15)
        await asyncio.sleep(12)
        assert not task.done()


@in_virtual_time
async def test_a_visitor_who_is_not_there_any_more_is_lost() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.error = ConnectionResetError()
        stage.session.tell(c.TellNotice("answer_failed"))
        assert await task is EndReason.CLIENT_LOST


@pytest.mark.parametrize("about", ["what was heard", "what was not understood"])
@in_virtual_time
async def test_a_thousand_messages_that_nobody_reads_are_the_last(about: str) -> None:
    """However quickly they come."""
    stage = Stage()
    async with stage.running() as task:
        stage.reading.clear()
        for n in range(1_001):
            if about == "what was heard":
                stage.upstream.say(e.TranscriptPartial("item_u", f"word {n}"))
            else:
                stage.session.tell(c.TellError("invalid_json", "A text frame holds one JSON object."))
        assert await task is EndReason.SLOW_CLIENT
        assert stage.now < 2
