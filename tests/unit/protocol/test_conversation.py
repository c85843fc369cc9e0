"""A spoken question gets a spoken answer that knows the site: one exchange, from its first word to its end."""

from __future__ import annotations

import pytest

from tests.unit.protocol.script import HOURS, PARKING, QUESTION, Script, audio, done
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import Source
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.policy import ContextPolicy


def test_a_whole_exchange() -> None:
    """Each thing is told at once, in the order in which its receiver must see it."""
    script = Script()
    script.at(0, e.SpeechStarted("item_u"))
    script.at(900, e.TranscriptDelta("item_u", "When do you open on "))
    script.at(1_000, e.PassagesRetrieved("search_1_1", (HOURS,)))
    script.at(1_500, e.TranscriptDelta("item_u", "Sundays?"))
    script.at(2_000, e.SpeechStopped("item_u"), e.InputCommitted("item_u", "ctx_1_1"))
    script.at(2_500, e.ResponseStarted("resp_1", "req_1"), audio("resp_1", "item_a", 1_000))
    script.at(2_600, e.AnswerDelta("resp_1", "item_a", "At ten."), e.AudioDone("resp_1", "item_a"), done("resp_1"))
    script.at(3_700, e.Heard("item_a", 1_000))

    injected = script.last(c.InjectContext)
    script.assert_told(
        c.TellSpeechStarted("item_u"),
        c.TellUserTranscript("item_u", "When do you open on ", final=False),
        c.Retrieve("search_1_1", "When do you open on"),
        injected,
        c.TellUserTranscript("item_u", QUESTION, final=False),
        c.TellSpeechStopped("item_u"),
        c.TellContext((Source(1, "Opening hours", "/hours/"),), prefetched=True, waited_ms=0),
        c.CreateResponse("req_1"),
        c.Play("item_a", bytes(48_000)),
        c.TellAnswerTranscript("item_a", "At ten."),
        c.PlayDone("item_a"),
    )
    script.assert_turn(
        1, TurnOutcome.COMPLETED, question=QUESTION, answer="At ten.", prefetched=True, context_confirmed=True
    )
    script.assert_searches(1, {"hit": 1})
    assert script.conversation.deadline is None


def test_the_marks_of_an_exchange_are_milliseconds_since_it_began_and_latencies_since_speech_stopped() -> None:
    script = Script()
    script.ask(at=5_000)
    script.begin_answer(at=7_400)
    script.at(7_450, e.Heard("item_a", 20), done("resp_1"))
    script.at(8_500, e.Heard("item_a", 1_000))

    assert script.last(c.TurnEnded).marks == {
        "speech_started": 0,
        "first_partial": 1_000,
        "search_started": 1_000,
        "context_ready": 1_500,
        "speech_stopped": 2_000,
        "committed": 2_000,
        "response_requested": 2_000,
        "response_started": 2_400,
        "first_audio": 2_400,
        "first_heard": 2_450,
        "ended": 3_500,
    }
    assert script.last(c.TellTurnDone).latencies == {
        "context_ready": -500,
        "response_requested": 0,
        "response_started": 400,
        "first_audio": 400,
        "first_heard": 450,
    }


# -- the question ---------------------------------------------------------------------------------------------------


def test_speech_that_is_said_to_have_started_twice_is_one_turn() -> None:
    script = Script()
    script.at(0, e.SpeechStarted("item_u"))
    assert script.at(10, e.SpeechStarted("item_u")) == []


def test_the_start_of_an_old_utterance_said_again_opens_nothing() -> None:
    script = Script()
    script.ask("item_u")
    script.begin_answer(at=2_400)
    script.at(2_500, e.Interrupt())
    assert script.at(2_600, e.SpeechStarted("item_u")) == []


def test_a_delta_that_comes_before_its_speech_started_counts() -> None:
    """The words are shown at once, and searched for as soon as it is known whose they are."""
    script = Script()
    script.at(0, e.TranscriptDelta("item_u", QUESTION))
    script.assert_told(c.TellUserTranscript("item_u", QUESTION, final=False))
    script.assert_never(c.Retrieve)

    script.at(10, e.SpeechStarted("item_u"))
    script.assert_told(c.TellSpeechStarted("item_u"), c.Retrieve("search_1_1", QUESTION))


def test_a_late_delta_of_the_previous_utterance_is_shown_as_its_own_and_searched_for_no_more() -> None:
    script = Script()
    script.at(0, e.SpeechStarted("item_1"))
    script.at(500, e.SpeechStarted("item_2"))
    script.at(600, e.TranscriptDelta("item_1", QUESTION))
    script.assert_told(c.TellUserTranscript("item_1", QUESTION, final=False))
    script.assert_never(c.Retrieve)


def test_the_final_transcript_of_an_earlier_question_comes_20_seconds_late_and_is_shown() -> None:
    script = Script()
    script.ask("item_1")
    script.begin_answer(at=2_400, ms=100)
    script.at(2_500, done("resp_1"), e.Heard("item_a", 100))
    script.at(20_000, e.SpeechStarted("item_2"))
    script.at(22_000, e.TranscriptDone("item_1", "When do you open on Sunday?"))
    script.assert_told(
        c.TellUserTranscript("item_1", "When do you open on Sunday?", final=True),
        c.QuestionCorrected(1, "When do you open on Sunday?"),
    )
    script.assert_open(2)


def test_the_records_are_told_of_a_late_transcript_once_and_only_if_it_says_something_else() -> None:
    script = Script()
    script.ask("item_1")
    script.begin_answer(at=2_400, ms=100)
    script.at(2_450, e.TranscriptDone("item_1", QUESTION))
    script.at(2_500, done("resp_1"), e.Heard("item_a", 100))
    script.at(3_000, e.TranscriptDone("item_1", QUESTION))
    script.assert_never(c.QuestionCorrected)
    script.at(4_000, e.TranscriptDone("item_1", "Otherwise?"), e.TranscriptDone("item_1", "Otherwise?"))
    assert script.all(c.QuestionCorrected) == [c.QuestionCorrected(1, "Otherwise?")]


def test_the_transcript_of_a_push_whose_turn_was_over_before_it_had_an_item_is_that_turns() -> None:
    script = Script()
    script.at(0, e.PushStarted())
    script.at(800, e.PushReleased(800))
    script.at(810, e.PushStarted())
    script.assert_turn(1, TurnOutcome.INTERRUPTED, question="")
    script.at(900, e.InputCommitted("item_1"), e.TranscriptDone("item_1", QUESTION))
    assert script.all(c.QuestionCorrected) == [c.QuestionCorrected(1, QUESTION)]
    script.assert_open(2)


def test_an_answer_does_not_wait_for_the_final_transcript() -> None:
    script = Script()
    script.ask()
    assert script.when(c.CreateResponse) == [2_000]


def test_a_recogniser_that_revises_what_it_said_replaces_the_text() -> None:
    script = Script()
    script.at(0, e.SpeechStarted("item_u"))
    script.at(500, e.TranscriptPartial("item_u", "Wendy"), e.TranscriptPartial("item_u", "When do you"))
    assert script.last(c.TellUserTranscript) == c.TellUserTranscript("item_u", "When do you", final=False)


def test_no_answer_before_the_question_is_committed_however_long_that_takes() -> None:
    script = Script()
    script.speak()
    script.at(1_500, script.found(HOURS))
    script.at(2_000, e.SpeechStopped("item_u"))
    script.at(4_000, e.InputCommitted("item_u"))
    assert script.when(c.CreateResponse) == [4_000]
    assert script.last(c.TellContext).waited_ms == 0


def test_a_question_that_is_never_committed_fails_in_the_end() -> None:
    script = Script()
    script.speak()
    script.at(2_000, e.SpeechStopped("item_u"))
    script.at(12_000)
    script.assert_turn(1, TurnOutcome.FAILED)
    script.assert_told(c.TellNotice("answer_failed"))
    assert not script.conversation.speaking


def test_a_server_that_commits_without_saying_that_speech_stopped_ends_the_question_too() -> None:
    script = Script()
    script.speak()
    script.at(1_500, script.found(HOURS))
    script.at(2_000, e.InputCommitted("item_u"))
    script.assert_order(c.TellSpeechStopped, c.CreateResponse)
    script.at(2_010, e.SpeechStopped("item_u"))
    assert len(script.all(c.TellSpeechStopped)) == 1


def test_a_question_is_committed_once() -> None:
    script = Script()
    script.ask()
    assert script.at(2_010, e.InputCommitted("item_u")) == []


def test_muting_in_mid_sentence_feeds_the_silence_that_lets_the_upstream_hear_the_end() -> None:
    script = Script()
    script.speak()
    assert script.at(1_200, e.Muted(True)) == [c.SendSilence(1_500)]
    assert script.at(1_300, e.Muted(False)) == []


def test_muting_while_nobody_speaks_changes_nothing() -> None:
    script = Script()
    assert script.at(0, e.Muted(True)) == []
    script.ask(at=100)
    assert script.at(2_200, e.Muted(True)) == []


def test_a_typed_question_goes_in_as_an_item_then_its_context_then_the_request() -> None:
    script = Script()
    script.at(0, e.TextSubmitted("Parking?"))
    script.assert_told(
        c.TellUserTranscript("usr_1", "Parking?", final=True),
        c.SubmitText("usr_1", "Parking?"),
        c.Retrieve("search_1_1", "Parking?"),
    )
    script.assert_never(c.CreateResponse)
    script.at(80, script.found(PARKING))
    script.assert_order(c.SubmitText, c.InjectContext, c.TellContext, c.CreateResponse)
    assert script.last(c.TellContext) == c.TellContext((Source(1, "Parking", "/parking/"),), False, 80)
    script.begin_answer(at=500, ms=10)
    script.at(600, done("resp_1"), e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED, typed=True, question="Parking?")


def test_a_typed_question_waits_for_retrieval_for_a_second_at_most() -> None:
    """Nothing could be searched for while it was being typed."""
    script = Script()
    script.at(0, e.TextSubmitted("Parking?"))
    script.at(2_000)
    assert script.when(c.CreateResponse) == [1_000]


def test_typing_while_speaking_drops_what_was_being_said() -> None:
    script = Script()
    script.speak("item_1")
    script.at(1_100, e.TextSubmitted("Parking?"))
    script.assert_turn(1, TurnOutcome.INTERRUPTED)
    told = script.at(1_200, e.SpeechStopped("item_1"), e.InputCommitted("item_1"))
    assert told == [c.TellCommitted("item_1")]
    script.assert_open(2)


# -- its end --------------------------------------------------------------------------------------------------------


def test_a_turn_is_completed_when_the_upstream_is_done_and_all_was_heard() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_500, done("resp_1"))
    script.at(3_000, e.Heard("item_a", 600))
    script.assert_open(1)
    script.at(3_400, e.Heard("item_a", 1_000))
    script.assert_turn(1, TurnOutcome.COMPLETED)


def test_what_was_heard_before_the_upstream_is_done_completes_nothing() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(3_500, e.Heard("item_a", 1_000))
    script.assert_open(1)
    script.at(3_600, done("resp_1"))
    script.assert_turn(1, TurnOutcome.COMPLETED)


def test_a_browser_that_never_reports_is_believed_to_have_heard_all_a_second_after_the_clock_says_so() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_500, done("resp_1"))
    script.at(10_000)
    assert script.when(c.TurnEnded) == [2_400 + 1_000 + 1_000]
    script.assert_turn(1, TurnOutcome.COMPLETED)


@pytest.mark.parametrize("samples", [1_000, 1_009, 23_999])
def test_audio_of_a_broken_number_of_milliseconds_is_heard_to_its_end_too(samples: int) -> None:
    """Browsers report whole milliseconds."""
    script = Script()
    request_id = script.ask()
    script.at(2_400, e.ResponseStarted("resp_1", request_id), e.AudioDelta("resp_1", "item_a", bytes(2 * samples)))
    script.at(2_500, done("resp_1"))
    script.at(3_600, e.Heard("item_a", samples // 24))
    assert script.when(c.TurnEnded)[-1] <= 3_600


def test_an_answers_beginning_and_its_end_are_told_around_all_that_is_of_it() -> None:
    """To wires that have words for it."""
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_500, done("resp_1", usage={"total_tokens": 9}))
    script.assert_told(
        c.TellCommitted("item_u"),
        c.TellAnswerStarted("resp_1"),
        c.Play("item_a", bytes(48_000)),
        c.TellAnswerDone("resp_1", "completed", None, {"total_tokens": 9}),
    )


@pytest.mark.parametrize(
    "over", [e.SpeechStarted("item_v"), done("resp_1", status="failed")], ids=["by speech", "failed"]
)
def test_an_answer_that_is_interrupted_or_fails_has_no_end_but_the_turns(over: e.Event) -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_500, over, done("resp_1", status="cancelled"))
    script.at(20_000)
    assert script.when(c.TellTurnDone)
    script.assert_never(c.TellAnswerDone)


def test_an_answer_that_nobody_waits_for_is_not_told_to_have_begun() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_100, e.SpeechStarted("item_v"), e.ResponseStarted("resp_1", request_id))
    script.assert_never(c.TellAnswerStarted)


def test_an_answer_without_audio_is_completed_when_it_is_done() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_400, e.ResponseStarted("resp_1", request_id), e.AnswerDelta("resp_1", "item_a", "At ten."))
    script.at(2_500, done("resp_1"))
    script.assert_turn(1, TurnOutcome.COMPLETED, answer="At ten.")


def test_the_end_of_the_session_ends_the_open_turn_once() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.close(2_500)
    script.assert_turn(1, TurnOutcome.INTERRUPTED)
    assert script.close(2_600) == []


def test_the_context_is_taken_out_after_the_turn_where_the_site_wants_that() -> None:
    script = Script(context=ContextPolicy(keep=False))
    script.ask()
    script.begin_answer(at=2_400, ms=10)
    script.assert_never(c.DeleteItem)
    script.at(2_500, done("resp_1"), e.Heard("item_a", 10))
    assert script.all(c.DeleteItem) == [c.DeleteItem(script.last(c.InjectContext).item_id)]


def test_the_context_is_left_in_the_conversation_by_default() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400, ms=10)
    script.at(2_500, done("resp_1"), e.Heard("item_a", 10))
    script.assert_never(c.DeleteItem)


# -- deadlines ------------------------------------------------------------------------------------------------------


def test_a_timeout_that_comes_early_or_twice_changes_nothing() -> None:
    script = Script()
    script.at(0, e.TextSubmitted("Parking?"))
    deadline = script.conversation.deadline
    assert deadline is not None
    assert script.conversation.receive_timeout(deadline - 0.001) == []
    assert script.conversation.receive_timeout(deadline) != []
    assert script.conversation.receive_timeout(deadline) == []


def test_a_conversation_works_on_a_clock_that_begins_at_zero() -> None:
    script = Script(epoch=0.0)
    script.at(0, e.TextSubmitted("Parking?"))
    script.at(80, script.found(PARKING))
    assert script.last(c.TellContext).waited_ms == 80
