"""The upstream goes away in the middle of a conversation, and another connection takes its place."""

from __future__ import annotations

import pytest

from tests.unit.protocol.script import HOURS, QUESTION, Script, done
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import Passage, Source
from voice.protocol.history import NOTHING_SAID, History, Item
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.policy import ContextPolicy

LOST, BACK = e.UpstreamLost(), e.UpstreamBack()
ASKED = Item("user", QUESTION)
SHOWN = (Source(1, "Opening hours", "/hours/"),)


def notices(script: Script) -> list[str]:
    return [notice.code for notice in script.all(c.TellNotice)]


def asked_in_writing(script: Script, at: int = 0) -> None:
    """A typed question whose context is there; its answer is asked for."""
    script.at(at, e.TextSubmitted(QUESTION))
    script.at(at + 100, script.found(HOURS))


def answering(*, ms: int = 1_000) -> Script:
    """A spoken question, and the beginning of its answer: that much sound, and these words."""
    script = Script()
    script.ask()
    script.at(2_300, e.TranscriptDone("item_u", QUESTION))
    script.begin_answer(at=2_400, ms=ms)
    script.at(2_450, e.AnswerDelta("resp_1", "item_a", "At ten, every"))
    return script


# -- between two questions -----------------------------------------------------------------------------------------


def test_the_next_connection_is_told_what_was_said_before_anything_else() -> None:
    script = answering()
    script.at(2_500, e.AudioDone("resp_1", "item_a"), done("resp_1"), e.Heard("item_a", 1_000))
    told = script.at(5_000, LOST)
    history = History((ASKED, Item("assistant", "At ten, every", sources=SHOWN)))
    assert told == [c.TellNotice("reconnecting"), c.Recall(history)]
    assert script.at(5_300, BACK) == [c.TellNotice("reconnected")]


def test_where_nothing_was_said_nothing_is_told() -> None:
    script = Script()
    assert script.at(0, LOST) == [c.TellNotice("reconnecting")]


def test_the_visitors_page_is_shown_again() -> None:
    script = Script(page=Passage("Repairs", "A new tube costs 18 euros.", "/repairs/"))
    assert [type(command) for command in script.at(0, LOST)] == [c.TellNotice], "it was not shown before"
    script.at(100, BACK, e.TextSubmitted("How much?"))
    script.at(3_000, LOST)
    assert [context.item_id for context in script.all(c.InjectContext)] == ["ctx_page", "ctx_page"]


def test_the_conversation_goes_on_with_the_topic_that_it_had() -> None:
    script = answering()
    script.at(2_500, done("resp_1"), e.Heard("item_a", 1_000))
    script.at(5_000, LOST)
    script.at(5_300, BACK, e.TextSubmitted("And on holidays?"))
    assert "Sundays" in script.last(c.Retrieve).query


# -- a question that waits for its answer --------------------------------------------------------------------------


def test_a_typed_question_is_asked_again_with_its_context_and_the_visitor_notices_a_pause() -> None:
    script = Script()
    asked_in_writing(script)
    told = script.at(500, LOST)
    assert told[:3] == [c.TellNotice("reconnecting"), c.CountUsage("req_1", None), c.Recall(History((ASKED,)))]
    assert [type(command) for command in told[3:]] == [c.InjectContext, c.CreateResponse]
    assert script.last(c.InjectContext).passages == (HOURS,)
    script.at(900, BACK)
    script.begin_answer(at=1_000, ms=10)
    script.at(1_100, done("resp_1"), e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED)
    assert notices(script) == ["reconnecting", "reconnected"]
    assert len(script.all(c.TellContext)) == 1


def test_a_spoken_question_whose_words_are_known_is_asked_again_too() -> None:
    script = Script()
    script.ask()
    script.at(2_100, e.TranscriptDone("item_u", QUESTION))
    script.at(2_200, LOST, BACK)
    assert script.all(c.Recall) == [c.Recall(History((ASKED,)))]
    assert [request.request_id for request in script.all(c.CreateResponse)] == ["req_1", "req_1_2"]
    script.assert_open(1)


def test_an_answer_that_had_begun_without_a_word_has_failed_and_another_one_is_asked_for() -> None:
    script = Script()
    asked_in_writing(script)
    script.at(400, e.ResponseStarted("resp_1", "req_1"))
    script.at(500, LOST, BACK)
    script.assert_order(c.TellAnswerStarted, c.TellAnswerDone)
    script.assert_told(c.TellAnswerDone("resp_1", "failed", None, None), c.CreateResponse("req_1_2"))
    script.assert_open(1)


def test_one_that_was_not_taken_by_then_is_a_part_of_what_is_told() -> None:
    """The end of speech and the words are known, the item was never created."""
    script = Script()
    script.speak()
    script.at(1_900, e.SpeechStopped("item_u"), e.TranscriptDone("item_u", QUESTION))
    script.at(2_000, LOST)
    assert script.all(c.Recall) == [c.Recall(History((ASKED,)))]
    script.at(2_100, BACK)
    script.at(12_000)
    assert script.all(c.CreateResponse)


def test_while_its_context_is_searched_for_a_question_waits_as_it_would_have() -> None:
    script = Script()
    script.at(0, e.TextSubmitted(QUESTION))
    script.at(100, LOST)
    script.assert_never(c.CreateResponse)
    script.at(300, script.found(HOURS))
    script.assert_order(c.Recall, c.InjectContext, c.CreateResponse)


def test_one_whose_words_are_not_known_must_be_said_again() -> None:
    script = Script()
    script.ask()
    script.at(2_100, LOST)
    script.assert_turn(1, TurnOutcome.FAILED)
    script.at(2_500, BACK)
    assert notices(script) == ["reconnecting", "say_again"]
    script.at(30_000)
    assert len(script.all(c.CreateResponse)) == 1


# -- the visitor is speaking ---------------------------------------------------------------------------------------


def test_the_sentence_under_way_is_lost_and_asked_for_when_somebody_hears_it() -> None:
    script = Script()
    script.speak()
    script.at(1_500, LOST)
    script.assert_turn(1, TurnOutcome.FAILED)
    assert notices(script) == ["reconnecting"]
    script.at(1_900, BACK)
    assert notices(script) == ["reconnecting", "say_again"]
    script.ask("item_2", at=3_000)
    script.assert_open(2)


def test_who_has_asked_anew_meanwhile_is_not_asked_to() -> None:
    script = Script()
    script.speak()
    script.at(1_500, LOST)
    script.at(1_600, e.TextSubmitted(QUESTION))
    script.at(1_900, BACK)
    assert notices(script) == ["reconnecting", "reconnected"]


def test_who_holds_the_button_goes_on_with_what_follows() -> None:
    script = Script()
    script.at(0, e.PushStarted())
    script.at(1_000, LOST)
    script.at(1_400, BACK)
    script.at(2_000, e.PushReleased(2_000))
    assert script.all(c.CommitAudio) == [c.CommitAudio()]
    script.at(2_100, e.InputCommitted("item_2"))
    script.at(3_000)
    script.assert_open(1)
    assert len(script.all(c.CreateResponse)) == 1


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_commit_that_the_lost_upstream_owed_is_not_expected_of_the_next(interrupted: bool) -> None:
    script = Script(retrieval="off")
    script.at(0, e.PushStarted())
    script.at(1_000, e.PushReleased(1_000))
    if interrupted:
        script.at(1_010, e.Interrupt())
    script.at(1_020, LOST, BACK)
    script.at(2_000, e.PushStarted())
    script.at(3_000, e.PushReleased(1_000), e.InputCommitted("item_2"))
    assert len(script.all(c.CreateResponse)) == 1


# -- an answer that has begun --------------------------------------------------------------------------------------


def test_what_was_sent_is_still_heard_then_the_visitor_is_asked_to_say_it_again() -> None:
    script = answering()
    script.at(2_600, LOST)
    script.assert_open(1)
    script.at(2_800, BACK)
    script.at(3_400, e.Heard("item_a", 1_000))
    script.assert_turn(1, TurnOutcome.FAILED)
    assert notices(script) == ["reconnecting", "reconnected", "say_again"]
    assert script.all(c.PlayDone) == [c.PlayDone("item_a")]
    script.assert_never(c.StopPlayback)
    assert script.all(c.Recall) == [c.Recall(History((ASKED, Item("assistant", "At ten, every", True, SHOWN))))]


def test_if_that_is_over_before_the_other_connection_is_there_it_is_said_then() -> None:
    script = answering(ms=100)
    script.at(2_600, e.Heard("item_a", 100))
    script.at(2_700, LOST)
    script.assert_turn(1, TurnOutcome.FAILED)
    script.at(4_000, BACK)
    assert notices(script) == ["reconnecting", "say_again"]


def test_context_that_the_next_connection_never_had_is_not_taken_out_of_it() -> None:
    script = Script(context=ContextPolicy(keep=False))
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_600, LOST, BACK)
    script.at(3_400, e.Heard("item_a", 1_000))
    script.assert_turn(1, TurnOutcome.FAILED)
    script.assert_never(c.DeleteItem)


def test_a_barge_in_stops_it_and_does_not_bother_the_next_connection_with_what_it_never_knew() -> None:
    script = answering()
    script.at(2_600, LOST, BACK)
    script.at(2_900, e.SpeechStarted("item_2"))
    script.at(2_950, e.Heard("item_a", 500))
    script.assert_told(c.StopPlayback("item_a"))
    script.assert_never(c.Truncate, c.DeleteItem, c.CancelResponse)
    script.assert_turn(1, TurnOutcome.INTERRUPTED)
    assert script.conversation.history.items[-1] == Item("assistant", "At", True, SHOWN)


def test_a_cut_that_waits_for_the_browsers_word_is_not_made_any_more() -> None:
    script = answering()
    script.at(2_900, e.SpeechStarted("item_2"))
    script.at(2_950, LOST)
    script.at(4_000)
    script.assert_never(c.Truncate, c.DeleteItem)
    assert script.last(c.Recall).history.items[-1] == Item("assistant", "At", True, SHOWN)


def test_an_answer_that_was_complete_is_heard_as_if_nothing_had_happened() -> None:
    script = answering()
    script.at(2_500, e.AudioDone("resp_1", "item_a"), done("resp_1"))
    script.at(2_600, LOST)
    script.at(2_700, BACK)
    script.at(3_400, e.Heard("item_a", 1_000))
    script.assert_turn(1, TurnOutcome.COMPLETED)
    assert notices(script) == ["reconnecting", "reconnected"]
    assert len(script.all(c.CreateResponse)) == 1


def test_what_the_lost_answer_cost_is_not_known() -> None:
    script = answering()
    script.at(2_600, LOST)
    assert script.all(c.CountUsage) == [c.CountUsage("req_1", None)]


def test_an_answer_that_stalls_is_lost_with_its_connection() -> None:
    script = answering()
    script.at(12_450)
    assert script.all(c.Reconnect)
    script.at(12_460, LOST)
    script.at(12_700, BACK)
    script.assert_turn(1, TurnOutcome.FAILED)
    assert notices(script) == ["reconnecting", "say_again"]


def test_a_second_try_that_was_due_is_made_there() -> None:
    script = Script()
    asked_in_writing(script)
    script.at(500, done("resp_1", status="failed", reason="server_error", request_id="req_1"))
    script.at(600, LOST, BACK)
    script.at(5_000)
    assert script.when(c.CreateResponse) == [100, 600]


# -- a conversation that goes on from another one --------------------------------------------------------------------


@pytest.mark.parametrize(("history", "told"), [(NOTHING_SAID, 0), (History((ASKED,)), 1)])
def test_the_first_connection_is_told_of_a_conversation_that_goes_on(history: History, told: int) -> None:
    script = Script(history=history)
    assert script.conversation.begin(0.0) == [c.Recall(history)] * told
