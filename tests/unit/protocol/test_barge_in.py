"""The visitor interrupts: silence at once, the upstream's memory cut to what was heard, the old answer gone."""

from __future__ import annotations

import pytest

from tests.unit.protocol.script import PARKING, QUESTION, Script, audio, done
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.outcomes import TurnOutcome

BARGE_INS = [e.SpeechStarted("item_2"), e.TextSubmitted("Parking?"), e.Interrupt(), e.PushStarted()]


def answering(*, ms: int = 1_000, at: int = 2_400) -> Script:
    """A script in which an answer of that length has just begun to sound."""
    script = Script()
    script.ask("item_1")
    script.begin_answer("resp_1", "item_a", at=at, ms=ms)
    return script


@pytest.mark.parametrize("barge_in", BARGE_INS, ids=lambda event: type(event).__name__)
def test_every_way_to_interrupt_stops_the_sound_cancels_the_answer_and_ends_the_turn(barge_in: e.Event) -> None:
    script = answering()
    script.at(2_900, barge_in)
    script.assert_order(c.StopPlayback, c.CancelResponse)
    script.assert_told(c.StopPlayback("item_a"), c.CancelResponse("resp_1"))
    script.assert_turn(1, TurnOutcome.INTERRUPTED)


def test_the_memory_is_cut_to_what_the_browser_counted_when_it_stopped() -> None:
    script = answering()
    script.at(2_900, e.SpeechStarted("item_2"))
    script.assert_never(c.Truncate)
    script.at(2_960, e.Heard("item_a", 430))
    assert script.all(c.Truncate) == [c.Truncate("item_a", 430)]
    assert script.when(c.Truncate) == [2_960]


def test_the_browsers_last_word_is_waited_for_200_ms_then_the_clock_speaks() -> None:
    script = answering()
    script.at(2_500, e.Heard("item_a", 50))
    script.at(2_900, e.SpeechStarted("item_2"))
    script.at(4_000)
    assert script.all(c.Truncate) == [c.Truncate("item_a", 50 + 400)]
    assert script.when(c.Truncate) == [3_100]
    assert script.at(4_100, e.Heard("item_a", 430)) == []


def test_the_clock_is_never_believed_beyond_what_was_sent() -> None:
    script = answering(ms=100)
    script.at(3_000, e.SpeechStarted("item_2"))
    script.at(4_000)
    script.assert_told(c.StopPlayback("item_a"))
    script.assert_never(c.Truncate, c.DeleteItem)


def test_the_browser_is_never_believed_beyond_what_was_sent() -> None:
    script = answering(ms=100)
    script.at(2_450, e.SpeechStarted("item_2"))
    script.at(2_500, e.Heard("item_a", 99_999))
    script.assert_never(c.Truncate, c.DeleteItem)


def test_an_answer_of_which_nothing_was_heard_is_deleted_because_no_upstream_truncates_to_zero() -> None:
    script = answering()
    script.at(2_410, e.SpeechStarted("item_2"))
    script.at(2_450, e.Heard("item_a", 0))
    assert script.all(c.DeleteItem) == [c.DeleteItem("item_a")]
    script.assert_never(c.Truncate)


def test_the_memory_is_right_before_the_next_answer_is_asked_for() -> None:
    """A typed question without retrieval is answered at once; the cut does not wait for the browser then."""
    script = Script(retrieval="off")
    script.at(0, e.TextSubmitted("Parking?"))
    script.begin_answer("resp_1", "item_a", at=400)
    script.at(900, e.TextSubmitted("Opening hours?"), done("resp_1", status="cancelled"))
    script.assert_told(c.Truncate("item_a", 500), c.CreateResponse("req_2"))
    assert script.when(c.Truncate) == [900]


def test_two_barge_ins_within_200_ms_cut_the_memory_once() -> None:
    script = answering()
    script.at(2_900, e.SpeechStarted("item_2"))
    script.at(3_000, e.SpeechStarted("item_3"))
    script.at(4_000)
    assert script.all(c.Truncate) == [c.Truncate("item_a", 500)]
    assert len(script.all(c.StopPlayback)) == 1


def test_nothing_is_cut_after_all_was_heard() -> None:
    script = answering()
    script.at(2_500, done("resp_1"))
    script.at(3_400, e.Heard("item_a", 1_000))
    script.at(3_600, e.SpeechStarted("item_2"))
    script.at(5_000)
    script.assert_never(c.StopPlayback, c.Truncate, c.DeleteItem, c.CancelResponse)
    script.assert_turn(1, TurnOutcome.COMPLETED)


def test_an_answer_that_is_made_but_still_sounds_is_interrupted_without_cancelling_anything() -> None:
    script = answering()
    script.at(2_500, done("resp_1"))
    script.at(2_900, e.SpeechStarted("item_2"))
    script.assert_told(c.StopPlayback("item_a"))
    script.assert_never(c.CancelResponse)
    script.assert_turn(1, TurnOutcome.INTERRUPTED)


# -- several audio items in one answer --------------------------------------------------------------------------------


def test_the_item_that_sounds_is_cut_the_heard_one_kept_and_the_unheard_one_deleted() -> None:
    script = answering(ms=400)
    script.at(2_410, audio("resp_1", "item_b", 400), audio("resp_1", "item_c", 400))
    script.at(2_900, e.Heard("item_a", 400), e.Heard("item_b", 90))
    script.at(2_910, e.SpeechStarted("item_2"))
    script.assert_told(c.StopPlayback("item_b"))
    script.at(2_950, e.Heard("item_b", 120))
    script.assert_told(c.Truncate("item_b", 120), c.DeleteItem("item_c"))
    assert len(script.all(c.Truncate)) == len(script.all(c.DeleteItem)) == 1


def test_without_reports_the_clock_says_which_item_sounds() -> None:
    script = answering(ms=1_000)
    script.at(2_410, audio("resp_1", "item_b", 1_000))
    script.at(3_900, e.SpeechStarted("item_2"))
    script.at(5_000)
    assert script.all(c.Truncate) == [c.Truncate("item_b", 500)]
    script.assert_never(c.DeleteItem)


def test_a_report_of_a_later_item_says_that_the_earlier_ones_were_heard() -> None:
    """The report of the first item's end was under way when the visitor interrupted."""
    script = answering(ms=500)
    script.at(2_410, audio("resp_1", "item_b", 500), audio("resp_1", "item_c", 500))
    script.at(2_850, e.Heard("item_a", 450))
    script.at(3_000, e.SpeechStarted("item_2"))
    script.at(3_040, e.Heard("item_a", 500))
    script.at(3_060, e.Heard("item_b", 100))
    assert script.all(c.Truncate) == [c.Truncate("item_b", 100)]
    assert script.all(c.DeleteItem) == [c.DeleteItem("item_c")]


# -- when exactly ---------------------------------------------------------------------------------------------------


def test_a_barge_in_while_the_visitor_waits_for_the_answer_needs_no_cut() -> None:
    script = Script()
    script.speak("item_1")
    script.at(2_000, e.SpeechStopped("item_1"), e.InputCommitted("item_1"))
    script.at(2_100, e.SpeechStarted("item_2"))
    script.at(5_000)
    script.assert_turn(1, TurnOutcome.INTERRUPTED)
    script.assert_never(c.StopPlayback, c.CreateResponse, c.CancelResponse)


def test_a_barge_in_between_the_request_and_the_answers_start_cancels_it_when_it_starts() -> None:
    script = Script()
    script.ask("item_1")
    script.at(2_100, e.SpeechStarted("item_2"))
    script.assert_never(c.CancelResponse)
    told = script.at(2_300, e.ResponseStarted("resp_1", "req_1"), audio("resp_1", "item_a", 100))
    assert told == [c.CancelResponse("resp_1")]
    script.assert_never(c.Play)


def test_the_next_answer_waits_until_the_interrupted_one_is_done() -> None:
    script = answering()
    script.at(2_900, e.TextSubmitted("Parking?"))
    script.at(3_000, script.found(PARKING))
    script.at(3_500)
    assert [r.request_id for r in script.all(c.CreateResponse)] == ["req_1"]
    script.at(3_600, done("resp_1", status="cancelled"))
    assert [r.request_id for r in script.all(c.CreateResponse)] == ["req_1", "req_2"]


def test_audio_of_an_interrupted_answer_that_still_comes_is_not_played() -> None:
    script = answering()
    script.at(2_900, e.SpeechStarted("item_2"))
    late = script.at(
        2_950, audio("resp_1", "item_a", 500), e.AudioDone("resp_1", "item_a"), e.AnswerDelta("resp_1", "item_a", "…")
    )
    assert late == []


def test_an_upstream_that_cancels_by_itself_before_it_says_why() -> None:
    """With ``interrupt_response`` the answer is over first, the speech is told after; it still sounds here."""
    script = answering()
    script.at(2_900, done("resp_1", status="cancelled", reason="turn_detected"))
    script.assert_open(1)
    script.at(2_905, e.SpeechStarted("item_2"))
    script.assert_told(c.StopPlayback("item_a"))
    script.assert_turn(1, TurnOutcome.INTERRUPTED)


def test_a_stop_while_the_visitor_speaks_is_about_nothing() -> None:
    script = Script()
    script.speak()
    assert script.at(1_200, e.Interrupt()) == []
    script.assert_open(1)


def test_a_stop_while_nothing_goes_on_is_about_nothing() -> None:
    assert Script().at(0, e.Interrupt()) == []


def test_what_still_sounds_of_a_failed_answer_can_be_stopped() -> None:
    script = answering()
    script.at(2_500, done("resp_1", status="failed"))
    script.assert_turn(1, TurnOutcome.FAILED)
    script.at(2_900, e.Interrupt())
    script.assert_told(c.StopPlayback("item_a"))
    script.at(2_950, e.Heard("item_a", 450))
    script.assert_told(c.Truncate("item_a", 450))


# -- push-to-talk ---------------------------------------------------------------------------------------------------


def test_push_to_talk_is_a_question_from_the_first_frame_to_the_release() -> None:
    script = Script()
    script.at(0, e.PushStarted())
    script.at(2_000, e.PushReleased(2_000))
    script.assert_told(c.CommitAudio())
    script.at(2_050, e.InputCommitted("item_1"))
    script.at(2_100, e.TranscriptDone("item_1", QUESTION))
    script.at(2_150, script.found())
    assert script.when(c.CreateResponse) == [2_150]
    script.begin_answer(at=2_500, ms=10)
    script.at(2_600, done("resp_1"), e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED, question=QUESTION, typed=False)


@pytest.mark.parametrize(("audio_ms", "asked"), [(99, False), (100, True)])
def test_a_push_of_less_than_100_ms_was_none(audio_ms: int, asked: bool) -> None:
    script = Script()
    script.at(0, e.PushStarted())
    script.at(audio_ms, e.PushReleased(audio_ms))
    assert bool(script.all(c.CommitAudio)) is asked
    assert bool(script.all(c.ClearAudio)) is not asked
    assert script.conversation.speaking is asked


@pytest.mark.parametrize("late", [0, 850], ids=["before the next push", "after it"])
def test_words_of_a_push_that_was_taken_back_are_not_the_next_ones(late: int) -> None:
    """They come when the next is under way, and nobody has said what its item is called."""
    script = Script()
    script.at(0, e.PushStarted())
    if not late:
        script.at(late, e.TranscriptDelta("item_1", "How late "))
    script.at(800, e.PushReleased(0))
    script.at(820, e.PushStarted())
    if late:
        script.at(late, e.TranscriptDelta("item_1", "How late "))
    script.at(900, e.TranscriptDelta("item_2", "Open?"))
    script.at(950, e.TranscriptDelta("item_1", "do you open on Sundays?"))
    script.at(1_850, e.PushReleased(1_000))
    script.at(1_900, e.InputCommitted("item_2"), e.TranscriptDone("item_2", "Open?"))
    script.at(3_000)
    assert [r.request_id for r in script.all(c.CreateResponse)] == ["req_2"]
    assert [r for r in script.all(c.Retrieve) if "Open?" in r.query] == script.all(c.Retrieve)
    assert not [r for r in script.all(c.Retrieve) if "Sundays" in r.query]


def test_a_release_without_a_push_is_nothing() -> None:
    assert Script().at(0, e.PushReleased(500)) == []


def test_a_second_push_before_the_first_is_committed_stays_a_question_of_its_own() -> None:
    script = Script()
    script.at(0, e.PushStarted())
    script.at(800, e.PushReleased(800))
    script.at(850, e.PushStarted())
    assert script.at(900, e.InputCommitted("item_1")) == [c.TellCommitted("item_1")]
    script.at(950, e.TranscriptDone("item_1", QUESTION))
    script.assert_never(c.Retrieve)
    script.at(1_850, e.PushReleased(1_000))
    assert len(script.all(c.CommitAudio)) == 2
    script.at(1_900, e.InputCommitted("item_2"))
    script.at(3_000)
    assert [r.request_id for r in script.all(c.CreateResponse)] == ["req_2"]


def test_a_commit_that_the_upstream_refused_fails_the_turn_in_the_end() -> None:
    script = Script()
    script.at(0, e.PushStarted())
    script.at(800, e.PushReleased(800))
    script.at(820, e.Fault("input_audio_buffer_commit_empty"))
    script.at(20_000)
    script.assert_turn(1, TurnOutcome.FAILED)


def test_a_question_after_one_that_was_never_committed_is_answered() -> None:
    """Nobody knows then whether its commit is still to come; the next question must not be taken for it."""
    script = Script()
    script.at(0, e.PushStarted())
    script.at(800, e.PushReleased(800))
    script.at(20_000)
    script.at(21_000, e.PushStarted())
    script.at(22_000, e.PushReleased(1_000))
    script.at(22_100, e.InputCommitted("item_2"))
    script.at(23_000)
    assert [r.request_id for r in script.all(c.CreateResponse)] == ["req_2"]
