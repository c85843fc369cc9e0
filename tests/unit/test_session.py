"""The session: what waits, how long, in which order, and that nothing is left of it. Ten minutes pass in no time."""

import asyncio
from decimal import Decimal
from math import inf
from typing import cast

import pytest

from tests.clock import VirtualTimeLoop, in_virtual_time
from tests.fakes import HOURS, FakeKnowledge
from tests.unit.stage import AN_INSTANT, SOON, Stage
from voice import finishing
from voice.keeping import COUNT_SECONDS
from voice.knowledge.base import KnowledgeUnavailable
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.context import Passage
from voice.protocol.cost import ModelPrice, Prices
from voice.protocol.outcomes import LEFT, EndReason, TurnOutcome
from voice.protocol.timeline import Mark
from voice.upstream.base import UpstreamClosed, UpstreamRefused


def frame(n: int, milliseconds: int = 40) -> bytes:
    """The ``n``-th frame of the microphone, which can be told from the others."""
    return n.to_bytes(2, "little") * (milliseconds * BYTES_PER_MS // 2)


# -- the microphone -----------------------------------------------------------------------------------------------


@in_virtual_time
async def test_who_does_not_give_their_microphone_is_waited_for_twenty_seconds() -> None:
    stage = Stage(waiting=True)
    async with stage.running() as task:
        await asyncio.sleep(20 - SOON)
        assert stage.upstream.open
        assert not task.done()
        assert await task is EndReason.NO_MICROPHONE
        assert stage.now == pytest.approx(20, abs=SOON)


@in_virtual_time
async def test_who_gives_it_has_as_much_time_as_others() -> None:
    stage = Stage(waiting=True)
    async with stage.running() as task:
        await asyncio.sleep(10)
        stage.session.take_up()
        assert await task is EndReason.IDLE
        assert stage.now == pytest.approx(60, abs=SOON)


@in_virtual_time
@pytest.mark.parametrize("left", sorted(LEFT))
async def test_who_goes_before_has_had_no_conversation(left: EndReason) -> None:
    waiting, given = Stage(waiting=True), Stage(waiting=True)
    async with waiting.running() as first, given.running() as second:
        given.session.take_up()
        waiting.session.end(left)
        given.session.end(left)
        assert (await first, await second) == (EndReason.NO_MICROPHONE, left)


@in_virtual_time
async def test_what_else_ends_it_while_it_waits_is_told_as_it_is() -> None:
    stage = Stage(waiting=True)
    async with stage.running() as task:
        stage.session.end(EndReason.DISABLED)
        assert await task is EndReason.DISABLED


# -- to the upstream --------------------------------------------------------------------------------------------


@in_virtual_time
async def test_while_dialling_the_last_two_seconds_of_speech_are_kept() -> None:
    stage = Stage()
    stage.upstream.reachable.clear()
    async with stage.running():
        for n in range(75):
            stage.session.push_audio(frame(n))
        await asyncio.sleep(3)
        assert stage.told == []
        stage.upstream.reachable.set()
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.heard == b"".join(frame(n) for n in range(25, 75))
        [(_, ready)] = stage.all(c.TellReady)
        assert (ready.session_id, ready.provider, ready.seconds) == ("s", "fake", 600)
        assert stage.facts.kept == [c.SessionBegan()]


@in_virtual_time
async def test_what_is_said_while_muted_is_heard_by_nobody() -> None:
    stage = Stage()
    async with stage.running():
        stage.session.push_audio(frame(1))
        stage.session.receive(e.Muted(True))
        stage.session.push_audio(frame(2))
        stage.session.receive(e.Muted(False))
        stage.session.push_audio(frame(3))
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.heard == frame(1) + frame(3)


@in_virtual_time
async def test_muting_in_mid_sentence_closes_it_with_silence() -> None:
    """Else the turn detection would wait for ever for a word that cannot come."""
    stage = Stage()
    async with stage.running():
        stage.upstream.say(e.SpeechStarted("item_u"))
        await asyncio.sleep(AN_INSTANT)
        stage.session.receive(e.Muted(True))
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.heard == bytes(1_500 * BYTES_PER_MS)


@in_virtual_time
async def test_push_to_talk_commits_behind_the_audio() -> None:
    """Also where the upstream takes it slowly; and what is said next is behind the commit."""
    stage = Stage(push_to_talk=True)
    async with stage.running():
        stage.upstream.reading.clear()
        for n in range(1, 6):
            stage.session.push_audio(frame(n))
        stage.session.release_push()
        stage.session.push_audio(frame(6))
        stage.upstream.reading.set()
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.sent == [*(frame(n) for n in range(1, 6)), c.CommitAudio(), frame(6)]


@in_virtual_time
async def test_a_press_too_short_to_be_a_question_is_cleared() -> None:
    stage = Stage(push_to_talk=True)
    async with stage.running():
        stage.session.push_audio(frame(1))
        stage.session.release_push()
        stage.session.release_push()  # nothing was pressed
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.sent == [frame(1), c.ClearAudio()]


@in_virtual_time
async def test_an_upstream_that_takes_nothing_more_is_lost_after_five_seconds() -> None:
    stage = Stage()
    async with stage.running():
        stage.upstream.reading.clear()
        stage.session.push_audio(frame(1))
        await asyncio.sleep(5 - SOON)
        assert len(stage.upstreams) == 1
        await asyncio.sleep(2 * SOON)
        assert [upstream.open for upstream in stage.upstreams] == [False, True]


@in_virtual_time
async def test_an_upstream_that_refuses_never_began() -> None:
    stage = Stage()
    stage.upstream.refusal = UpstreamRefused("no key")
    async with stage.running() as task:
        assert await task is EndReason.UPSTREAM_AUTH
    assert not stage.session.began
    assert stage.told == []


@in_virtual_time
async def test_what_does_not_work_in_this_session_is_said_first() -> None:
    stage = Stage()
    stage.upstream.limits = ("speech_unavailable",)
    async with stage.running():
        assert [type(told) for _, told in stage.told] == [c.TellReady, c.TellNotice]


# -- the page that the visitor looks at ---------------------------------------------------------------------------

PAGE = Passage("Repairs", "A new tube costs 18 euros.", "/repairs/", "en")


@in_virtual_time
async def test_a_question_and_the_same_about_the_page_are_searched_for_at_the_same_time() -> None:
    stage = Stage(knowledge=FakeKnowledge(hangs=True), page=PAGE)
    async with stage.running() as task:
        stage.session.receive(e.TextSubmitted("How much is it?"))
        await asyncio.sleep(AN_INSTANT)
        assert sorted(stage.knowledge.asked) == ["How much is it?", "Repairs How much is it?"]
        assert stage.knowledge.searching == 2
        stage.session.end(EndReason.CLIENT_HANGUP)
        await task
    assert stage.knowledge.searching == 0


@in_virtual_time
async def test_if_one_of_them_fails_the_question_is_answered_without() -> None:
    stage = Stage(knowledge=FakeKnowledge(error=KnowledgeUnavailable("away")), page=PAGE)
    async with stage.running():
        await stage.ask("How much is it?")
        assert stage.now < 1


# -- time -------------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_ten_minutes_are_told_half_a_minute_before() -> None:
    stage = Stage(idle_seconds=10_000)
    async with stage.running() as task:
        assert await task is EndReason.MAX_DURATION
        assert stage.now == pytest.approx(600, abs=SOON)
    [(at, expiring)] = stage.all(c.TellExpiring)
    assert at == pytest.approx(570, abs=SOON)
    assert (expiring.seconds, expiring.why) == (30, "duration")


@in_virtual_time
async def test_they_are_over_also_for_a_process_that_stood_still_meanwhile() -> None:
    stage = Stage(idle_seconds=10_000)
    async with stage.running() as task:
        await asyncio.sleep(100)
        cast(VirtualTimeLoop, asyncio.get_running_loop()).pause(700)
        assert await task is EndReason.MAX_DURATION
        assert stage.now == pytest.approx(800, abs=SOON)
    assert not stage.all(c.TellExpiring)


@in_virtual_time
async def test_a_minute_without_a_word_is_the_last() -> None:
    stage = Stage()
    async with stage.running() as task:
        for _ in range(10):
            stage.session.push_audio(frame(0))
        assert await task is EndReason.IDLE
        assert stage.now == pytest.approx(60, abs=SOON)


@in_virtual_time
async def test_a_word_begins_the_minute_anew() -> None:
    stage = Stage()
    async with stage.running() as task:
        await asyncio.sleep(40)
        await stage.answer(100)
        assert await task is EndReason.IDLE
        assert stage.now == pytest.approx(100, abs=SOON)


@in_virtual_time
async def test_who_speaks_for_two_minutes_or_listens_is_not_idle() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.upstream.say(e.SpeechStarted("item_u"))
        await asyncio.sleep(130)
        assert not task.done()
        await stage.answer(*[1_000] * 120)
        await asyncio.sleep(110)
        assert not task.done()


# -- the knowledge ----------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_search_is_given_up_after_three_seconds_and_the_answer_does_not_wait_for_it() -> None:
    stage = Stage(knowledge=FakeKnowledge(HOURS, hangs=True))
    async with stage.running():
        asked_at = stage.now
        request_id = await stage.ask()
        assert stage.now - asked_at < 1.5
        stage.upstream.say(e.ResponseStarted("r", request_id))
        await asyncio.sleep(3 - (stage.now - asked_at) - SOON)
        assert stage.knowledge.searching == 1
        await asyncio.sleep(2 * SOON)
        assert stage.knowledge.searching == 0
    [turn] = stage.facts.turns
    assert turn.searches == {"failed": 1}


@in_virtual_time
async def test_a_bug_of_the_knowledge_costs_one_search() -> None:
    stage = Stage(knowledge=FakeKnowledge(error=RuntimeError("a bug")))
    async with stage.running() as task:
        await stage.ask()
        assert not task.done()
    assert [turn.searches for turn in stage.facts.turns] == [{"failed": 1}]


# -- the end ----------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_the_first_reason_stands() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.session.end(EndReason.CONCURRENT)
        stage.session.end(EndReason.DISABLED)
        stage.upstream.fail(UpstreamClosed("gone"))
        assert await task is EndReason.CONCURRENT


@in_virtual_time
async def test_after_the_end_nothing_is_taken_any_more() -> None:
    stage = Stage(push_to_talk=True)
    async with stage.running() as task:
        stage.session.end(EndReason.IDLE)
        stage.session.push_audio(frame(1))
        stage.session.receive(e.TextSubmitted("Hello?"))
        stage.session.release_push()
        assert await task is EndReason.IDLE
    assert stage.upstream.sent == []
    assert stage.facts.turns == []


@in_virtual_time
async def test_an_open_turn_ends_with_the_session_and_is_recorded_and_told() -> None:
    """With a search under way, which ends, too."""
    stage = Stage(knowledge=FakeKnowledge(HOURS, hangs=True))
    async with stage.running():
        stage.session.receive(e.TextSubmitted("When do you open?"))
        await asyncio.sleep(AN_INSTANT)
        assert stage.knowledge.searching == 1
        ended_at = stage.now
    assert stage.now - ended_at < SOON
    assert [(turn.number, turn.outcome) for turn in stage.facts.turns] == [(1, TurnOutcome.INTERRUPTED)]
    assert [done.outcome for _, done in stage.all(c.TellTurnDone)] == [TurnOutcome.INTERRUPTED]
    assert stage.knowledge.searching == 0


@in_virtual_time
async def test_every_turn_is_recorded_though_the_records_are_slow() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.facts.storing.clear()
        for _ in range(3):
            await stage.ask()
        stage.session.end(EndReason.IDLE)
        await asyncio.sleep(4)
        assert not task.done()
        stage.facts.storing.set()
    assert [turn.number for turn in stage.facts.turns] == [1, 2, 3]


@in_virtual_time
async def test_records_that_hang_hold_up_the_end_for_five_seconds_and_have_it_all_later() -> None:
    stage = Stage()
    async with stage.running() as task:
        stage.facts.storing.clear()
        for _ in range(3):
            await stage.ask()
        stage.session.end(EndReason.IDLE)
        ended_at = stage.now
        await task
        assert stage.now - ended_at == pytest.approx(5, abs=SOON)
        assert not stage.facts.turns
    stage.facts.storing.set()
    assert await finishing.settled(1)
    assert [turn.number for turn in stage.facts.turns] == [1, 2, 3]


@pytest.mark.parametrize("where", ["upstream", "visitor", "records"])
@in_virtual_time
async def test_a_bug_anywhere_ends_everything(where: str) -> None:
    """It is raised, for whoever owns the session to log; and nothing runs on."""
    stage = Stage(knowledge=FakeKnowledge(HOURS, hangs=True))
    async with stage.running() as task:
        stage.session.receive(e.TextSubmitted("When do you open?"))
        await asyncio.sleep(AN_INSTANT)
        bug = RuntimeError("a bug")
        match where:
            case "upstream":
                stage.upstream.fail(bug)
            case "visitor":
                stage.error = bug
                stage.session.tell(c.TellNotice("answer_failed"))
            case "records":
                stage.facts.error = bug
                stage.session.receive(e.TextSubmitted("And on Sundays?"))
        with pytest.raises((RuntimeError, ExceptionGroup)):
            await task
    assert not stage.upstream.open
    assert stage.knowledge.searching == 0


@in_virtual_time
async def test_a_session_that_is_cancelled_still_records_its_turn() -> None:
    stage = Stage()
    async with stage.running() as task:
        await stage.ask()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [turn.outcome for turn in stage.facts.turns] == [TurnOutcome.INTERRUPTED]
    assert not stage.upstream.open


@in_virtual_time
async def test_a_deadline_that_passes_while_the_upstream_is_being_closed_changes_nothing() -> None:
    stage = Stage(knowledge=FakeKnowledge(hangs=True))
    async with stage.running() as task:
        stage.session.receive(e.TextSubmitted("When do you open?"))
        stage.upstream.closing.clear()
        stage.session.end(EndReason.CLIENT_HANGUP)
        await asyncio.sleep(60)
        assert not task.done()
        stage.upstream.closing.set()
        await task
    [turn] = stage.facts.turns
    assert Mark.RESPONSE_REQUESTED not in turn.marks
    assert not stage.all(c.TellContext)


@in_virtual_time
async def test_a_fault_in_what_the_upstream_brings_past_its_queue_is_raised_by_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, fault = Stage(), ZeroDivisionError()

    def fails(event: e.Event, now: float) -> list[c.Command]:
        raise fault

    async with stage.running() as task:
        monkeypatch.setattr(stage.session._conversation, "receive", fails)
        stage.upstream.say(e.AudioDelta("r", "item_a", b"\1\2"))
        with pytest.raises(ExceptionGroup) as caught:
            await task
        assert caught.value.exceptions == (fault,)


# -- a place that is in doubt -------------------------------------------------------------------------------------


class Doubtful:
    """A place that is in doubt for as long as a test says."""

    def __init__(self) -> None:
        self.certain = asyncio.Event()

    @property
    def valid_until(self) -> float:
        return inf if self.certain.is_set() else -inf

    async def confirmed(self) -> None:
        await self.certain.wait()


@in_virtual_time
async def test_while_its_place_is_in_doubt_nothing_goes_either_way_and_then_all_of_it():
    stage, place = Stage(), Doubtful()
    place.certain.set()
    async with stage.running(place):
        request = await stage.ask()
        sent, told = len(stage.upstream.sent), len(stage.told)
        place.certain.clear()
        stage.session.push_audio(bytes(1920))
        stage.upstream.say(e.ResponseStarted("r", request), e.AudioDelta("r", "item_a", bytes(1920)))
        await asyncio.sleep(1)
        assert (len(stage.upstream.sent), len(stage.told)) == (sent, told)
        place.certain.set()
        await asyncio.sleep(AN_INSTANT)
        assert stage.upstream.heard == bytes(1920)
        assert stage.played_ms == 40


@in_virtual_time
async def test_what_the_microphone_hears_in_a_doubt_is_kept_for_two_seconds():
    stage, place = Stage(), Doubtful()
    async with stage.running(place):
        for _ in range(3 * 25):
            stage.session.push_audio(bytes(1920))
        place.certain.set()
        await asyncio.sleep(AN_INSTANT)
        assert len(stage.upstream.heard) == 2_000 * BYTES_PER_MS


@in_virtual_time
async def test_a_session_whose_place_is_lost_ends_without_another_frame():
    stage, place = Stage(), Doubtful()
    async with stage.running(place) as task:
        stage.session.push_audio(bytes(1920))
        await asyncio.sleep(1)
        stage.session.end(EndReason.LEASE_LOST)
        assert await task is EndReason.LEASE_LOST
    assert stage.upstream.sent == []
    assert stage.played_ms == 0


# -- what it costs ----------------------------------------------------------------------------------------------------


USAGE = {"input_tokens": 0, "output_tokens": 100_000, "output_token_details": {"audio_tokens": 100_000}}


def priced(dollars: str) -> Prices:
    """So many dollars for each of these answers."""
    return Prices(models={"fake-1": ModelPrice(audio_out=Decimal(dollars) * 10)})


async def paid_answer(stage: Stage, name: str) -> None:
    request_id = await stage.ask()
    stage.upstream.say(
        e.ResponseStarted(name, request_id), e.ResponseDone(name, "completed", usage=USAGE, request_id=request_id)
    )
    await asyncio.sleep(AN_INSTANT)


@in_virtual_time
async def test_a_budget_that_is_used_up_ends_the_session_between_two_answers_after_a_warning() -> None:
    stage = Stage(prices=priced("0.40"), allowance=Decimal("1.00"))
    async with stage.running() as task:
        for n in range(2):
            await paid_answer(stage, f"r{n}")
            assert not task.done()
        [(_, warning)] = stage.all(c.TellExpiring)
        assert warning.why == "budget"
        await paid_answer(stage, "r2")
        assert await task is EndReason.BUDGET
    assert [turn.outcome for turn in stage.facts.turns] == [TurnOutcome.COMPLETED] * 3
    assert stage.facts.last is not None
    assert stage.facts.last.cost == Decimal("1.2")


@in_virtual_time
async def test_each_answer_is_followed_by_a_checkpoint() -> None:
    stage = Stage(prices=priced("0.40"))
    async with stage.running():
        await paid_answer(stage, "r1")
        assert stage.facts.checkpoints[-1].cost == Decimal("0.4")
        assert stage.facts.checkpoints[-1].turns_count == 1


@in_virtual_time
async def test_what_was_spent_is_in_the_record_within_seconds_also_where_the_turn_goes_on() -> None:
    """It waits that long for the turn's facts, to be stored with them."""
    stage = Stage(prices=priced("0.40"))
    async with stage.running():
        request_id = await stage.ask()
        stage.upstream.say(e.ResponseStarted("r1", request_id), e.TranscriptBilled("i1", "fake-1", USAGE))
        before = len(stage.facts.checkpoints)
        await asyncio.sleep(COUNT_SECONDS - AN_INSTANT)
        assert len(stage.facts.checkpoints) == before
        await asyncio.sleep(3 * AN_INSTANT)
        assert stage.facts.checkpoints[-1].cost == Decimal("0.4")
    assert stage.facts.turns[0].outcome is not TurnOutcome.COMPLETED


@in_virtual_time
async def test_audio_is_counted_both_ways() -> None:
    stage = Stage()
    async with stage.running():
        stage.session.push_audio(bytes(40 * BYTES_PER_MS))
        await stage.answer(100, 200)
    counted = stage.facts.last
    assert counted is not None
    assert (counted.mic_frames, counted.mic_ms, counted.answer_frames, counted.answer_ms) == (1, 40, 2, 300)


@in_virtual_time
async def test_how_often_the_sound_broke_off_is_what_the_browser_counted() -> None:
    stage = Stage()
    async with stage.running():
        await stage.answer(100)
        for item_id, underruns in (("item_a", 0), ("item_a", 2), ("item_a", 2), ("item_b", 1), ("item_a", 3)):
            stage.session.receive(e.Heard(item_id, 40, underruns))
    assert stage.facts.last is not None
    assert stage.facts.last.underruns == 4
