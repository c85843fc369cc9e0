"""The upstream answers one thing at a time: how answers are asked for, and how they go wrong."""

from __future__ import annotations

import pytest

from tests.unit.protocol.script import Script, audio, done
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.responses import BUSY, BUSY_TRIES

ANSWER_FAILED = c.TellNotice("answer_failed")


def requests(script: Script) -> list[str]:
    """The answers asked for."""
    return [request.request_id for request in script.all(c.CreateResponse)]


def test_an_answer_that_fails_fails_its_turn_in_words() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_500, done("resp_1", status="failed", reason="rate_limit_exceeded"))
    script.assert_told(ANSWER_FAILED)
    script.assert_turn(1, TurnOutcome.FAILED)
    script.at(9_000)
    assert requests(script) == ["req_1"], "half an answer was heard, and nobody wants to hear it twice"


@pytest.mark.parametrize("reason", ["server_error", "rate_limit_exceeded", "inference_rate_limit_exceeded"])
def test_an_answer_that_fails_unheard_for_a_passing_reason_is_asked_for_once_more_after_a_second(reason: str) -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_400, done("resp_1", status="failed", reason=reason, request_id=request_id))
    script.at(9_000)
    assert script.when(c.CreateResponse) == [2_000, 3_400]
    assert script.all(c.TellAnswerDone) == [c.TellAnswerDone("resp_1", "failed", reason, None)]
    assert requests(script) == ["req_1", "req_1_2"]
    script.begin_answer("resp_2", at=9_100, ms=10)
    script.at(9_200, done("resp_2"), e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED)
    script.assert_never(c.TellNotice)


def test_a_request_that_is_refused_for_a_passing_reason_is_made_once_more() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_100, e.Fault("server_error", event_id=request_id))
    script.at(4_000)
    assert script.when(c.CreateResponse) == [2_000, 3_100]


def test_an_answer_that_fails_twice_has_failed() -> None:
    script = Script()
    script.ask()
    script.at(2_400, done("resp_1", status="failed", reason="server_error", request_id="req_1"))
    script.at(3_500, done("resp_2", status="failed", reason="server_error", request_id="req_1_2"))
    script.at(9_000)
    assert requests(script) == ["req_1", "req_1_2"]
    script.assert_turn(1, TurnOutcome.FAILED)
    script.assert_told(ANSWER_FAILED)


def test_who_interrupts_in_that_second_is_not_answered_after_all() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_400, done("resp_1", status="failed", reason="server_error", request_id=request_id))
    script.at(2_900, e.Interrupt())
    script.at(9_000)
    assert requests(script) == ["req_1"]


def test_an_answer_without_a_word_is_none_whatever_cut_it_short() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_400, done("resp_1", status="incomplete", reason="content_filter", request_id=request_id))
    script.assert_turn(1, TurnOutcome.FAILED)
    script.assert_told(ANSWER_FAILED)


def test_an_answer_that_was_cut_short_by_its_token_limit_is_an_answer() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400, ms=10)
    script.at(2_500, done("resp_1", status="incomplete", reason="max_output_tokens"), e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED)


def test_an_answer_that_the_upstream_cancelled_ends_its_turn_interrupted() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_400, e.ResponseStarted("resp_1", request_id))
    script.at(2_500, done("resp_1", status="cancelled", reason="turn_detected"))
    script.assert_turn(1, TurnOutcome.INTERRUPTED)


@pytest.mark.parametrize(("status", "outcome"), [("completed", TurnOutcome.COMPLETED), ("failed", TurnOutcome.FAILED)])
def test_an_answer_that_is_over_without_having_begun(status: str, outcome: TurnOutcome) -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_400, done("resp_1", status=status, request_id=request_id))
    script.assert_turn(1, outcome)
    script.ask("item_2", at=3_000)
    assert requests(script) == ["req_1", "req_2"]


def test_an_answer_that_never_begins_is_asked_for_again_after_8_seconds_and_fails_after_16() -> None:
    script = Script()
    script.ask()
    script.at(30_000)
    assert script.when(c.CreateResponse) == [2_000, 10_000]
    assert script.when(c.TurnEnded) == [18_000]
    script.assert_turn(1, TurnOutcome.FAILED)


def test_an_answer_that_stalls_costs_the_connection_10_seconds_after_its_last_sign_of_life() -> None:
    """A ``response.done`` that never comes."""
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(5_000, e.AnswerDelta("resp_1", "item_a", "Well"))
    script.at(40_000)
    assert script.when(c.Reconnect) == [15_000]
    script.assert_open(1)


def test_a_cancelled_answer_that_never_says_it_is_done_holds_up_the_next_for_2_seconds() -> None:
    script = Script()
    script.ask("item_1")
    script.begin_answer(at=2_400)
    script.at(2_900, e.Interrupt())
    script.at(3_000, e.TextSubmitted("Parking?"))
    script.at(10_000)
    assert script.when(c.CreateResponse) == [2_000, 4_900]


def test_an_answer_that_begins_after_it_was_given_up_is_cancelled() -> None:
    script = Script()
    script.ask()
    script.at(19_000)
    told = script.at(19_500, e.ResponseStarted("resp_1", "req_1"), audio("resp_1", "item_a", 100))
    assert told == [c.CancelResponse("resp_1")]


def test_an_answer_that_nobody_asked_for_is_cancelled() -> None:
    script = Script()
    assert script.at(0, e.ResponseStarted("resp_x", "req_x")) == [c.CancelResponse("resp_x")]
    script.ask(at=100)
    assert script.at(2_200, e.ResponseStarted("resp_y", "req_x")) == [c.CancelResponse("resp_y")]
    script.begin_answer(at=2_400)
    script.assert_told(c.Play("item_a", bytes(48_000)))


def test_an_upstream_that_does_not_echo_the_request_is_believed_to_answer_it() -> None:
    script = Script()
    script.ask()
    script.at(2_400, e.ResponseStarted("resp_1"), audio("resp_1", "item_a", 10), done("resp_1"))
    script.at(2_500, e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED)


def test_audio_of_an_answer_that_was_never_begun_is_not_played() -> None:
    script = Script()
    script.ask()
    assert script.at(2_400, audio("resp_9", "item_z", 100)) == []


# -- the one error that every bridge repeats --------------------------------------------------------------------------


def test_a_busy_upstream_is_asked_again_when_its_answer_is_done() -> None:
    script = Script()
    request_id = script.ask()
    assert script.at(2_100, e.Fault(BUSY, event_id=request_id)) == []
    script.assert_open(1)
    script.at(2_600, done("resp_other"))
    assert script.when(c.CreateResponse) == [2_000, 2_600]
    script.begin_answer(at=3_000, ms=10)
    script.at(3_100, done("resp_1"), e.Heard("item_a", 10))
    script.assert_turn(1, TurnOutcome.COMPLETED)


def test_a_busy_upstream_that_says_no_more_is_asked_again_after_2_seconds() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_100, e.Fault(BUSY, event_id=request_id))
    script.at(5_000)
    assert script.when(c.CreateResponse) == [2_000, 4_100]


def test_an_upstream_that_stays_busy_fails_the_turn_after_three_more_tries() -> None:
    script = Script()
    request_id = script.ask()
    for n in range(BUSY_TRIES + 1):
        script.assert_open(1)
        script.at(2_100 + 3_000 * n, e.Fault(BUSY, event_id=request_id))
    assert len(requests(script)) == 1 + BUSY_TRIES
    script.assert_turn(1, TurnOutcome.FAILED)


def test_each_question_has_its_own_tries() -> None:
    script = Script()
    request_id = script.ask()
    for n in range(BUSY_TRIES + 1):
        script.at(2_100 + 3_000 * n, e.Fault(BUSY, event_id=request_id))
    second = script.ask("item_2", at=20_000)
    script.at(22_100, e.Fault(BUSY, event_id=second))
    script.assert_open(2)


def test_a_barge_in_while_the_upstream_is_busy_takes_the_request_back() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_100, e.Fault(BUSY, event_id=request_id))
    script.at(2_200, e.Interrupt())
    script.at(2_600, done("resp_other"))
    script.at(10_000)
    assert requests(script) == [request_id]


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_refused_request_fails_its_turn() -> None:
    script = Script()
    request_id = script.ask()
    script.at(2_100, e.Fault("invalid_value", "secret prompt", event_id=request_id))
    script.assert_turn(1, TurnOutcome.FAILED)
    assert "secret" not in script.transcript()
    script.ask("item_2", at=3_000)
    assert requests(script) == ["req_1", "req_2"]


@pytest.mark.parametrize("event_id", [None, "evt_other", "req_0"])
def test_a_fault_of_another_request_changes_nothing(event_id: str | None) -> None:
    script = Script()
    script.ask()
    assert script.at(2_100, e.Fault("item_truncate_invalid_item_id", event_id=event_id)) == []
    script.begin_answer(at=2_400)
    assert script.at(2_450, e.Fault("response_cancel_not_active", event_id=event_id)) == []
    script.assert_open(1)


def test_a_fault_about_a_request_whose_answer_has_begun_changes_nothing() -> None:
    script = Script()
    request_id = script.ask()
    script.begin_answer(at=2_400)
    assert script.at(2_450, e.Fault("server_error", event_id=request_id)) == []


# -- what it cost -----------------------------------------------------------------------------------------------------


def test_usage_is_told_of_each_answer_also_of_one_that_nobody_heard() -> None:
    script = Script()
    script.ask("item_1")
    script.begin_answer(at=2_400)
    script.at(2_900, e.Interrupt())
    script.at(2_950, done("resp_1", status="cancelled", usage={"total_tokens": 7}))
    assert script.all(c.CountUsage) == [c.CountUsage("resp_1", {"total_tokens": 7})]


def test_an_answer_that_says_nothing_of_usage_is_told_too() -> None:
    script = Script()
    script.ask()
    script.begin_answer(at=2_400)
    script.at(2_500, done("resp_1"))
    assert script.all(c.CountUsage) == [c.CountUsage("resp_1", None)]


def test_a_cancelled_answer_that_never_says_it_is_done_was_used_without_a_figure() -> None:
    script = Script()
    script.ask("item_1")
    script.begin_answer(at=2_400)
    script.at(2_900, e.Interrupt())
    script.at(9_000)
    assert script.all(c.CountUsage) == [c.CountUsage("req_1", None)]


def test_a_request_that_nobody_answers_may_have_been_used_without_a_figure() -> None:
    """The service may have answered, and the answer may have been lost."""
    script = Script()
    script.ask("item_1")
    script.at(12_000)
    assert script.all(c.CountUsage) == [c.CountUsage("req_1", None)]


def test_a_transcript_has_a_bill_of_its_own() -> None:
    script = Script()
    script.ask("item_1")
    script.at(2_500, e.TranscriptBilled("item_1", "whisper", {"type": "duration", "seconds": 2}))
    assert script.all(c.CountUsage) == [c.CountUsage("item_1", {"type": "duration", "seconds": 2}, "whisper")]


def test_an_answer_that_is_under_way_at_the_end_was_used_without_a_figure() -> None:
    script = Script()
    script.ask("item_1")
    script.begin_answer(at=2_400)
    script.close(2_900)
    assert script.all(c.CountUsage) == [c.CountUsage("req_1", None)]
