"""The response slot: one answer at a time, and a request that comes too soon waits."""

from __future__ import annotations

import pytest

from voice.protocol.commands import CancelResponse, CreateResponse
from voice.protocol.responses import BUSY, BUSY_TRIES, CANCEL_LIMIT, STALL_LIMIT, START_LIMIT, ResponseSlot, SlotState


def requested() -> ResponseSlot:
    slot = ResponseSlot()
    assert slot.request("req_1", 0.0) == [CreateResponse("req_1")]
    return slot


def active() -> ResponseSlot:
    slot = requested()
    assert slot.started("resp_1", "req_1", 0.5) == []
    return slot


def test_a_slot_goes_from_free_to_requested_to_active_and_back() -> None:
    slot = ResponseSlot()
    states = [slot.state]
    slot.request("req_1", 0.0)
    states.append(slot.state)
    slot.started("resp_1", "req_1", 0.5)
    states.append(slot.state)
    assert slot.done("resp_1", "req_1", 1.0) == []
    states.append(slot.state)
    assert states == [SlotState.FREE, SlotState.REQUESTED, SlotState.ACTIVE, SlotState.FREE]
    assert slot.deadline is None


def test_each_state_has_its_own_time_limit() -> None:
    slot = requested()
    assert slot.deadline == START_LIMIT
    slot.started("resp_1", "req_1", 1.0)
    assert slot.deadline == 1.0 + STALL_LIMIT
    assert slot.going_on("resp_1", 5.0) == "req_1"
    assert slot.deadline == 5.0 + STALL_LIMIT
    slot.interrupt(6.0)
    assert slot.deadline == 6.0 + CANCEL_LIMIT
    assert slot.going_on("resp_1", 7.0) == ""
    assert slot.deadline == 6.0 + CANCEL_LIMIT


@pytest.mark.parametrize("taken", [requested, active])
def test_a_request_waits_while_the_slot_is_taken(taken: object) -> None:
    slot = taken() if callable(taken) else None
    assert isinstance(slot, ResponseSlot)
    assert slot.request("req_2", 1.0) == []
    assert slot.done("resp_1", "req_1", 2.0) == [CreateResponse("req_2")]
    assert slot.holder == "req_2"


def test_a_newer_request_replaces_the_waiting_one() -> None:
    slot = active()
    slot.request("req_2", 1.0)
    slot.request("req_3", 1.1)
    assert slot.done("resp_1", "req_1", 2.0) == [CreateResponse("req_3")]


def test_an_interruption_cancels_the_answer_and_forgets_the_waiting_request() -> None:
    slot = active()
    slot.request("req_2", 1.0)
    assert slot.interrupt(1.5) == [CancelResponse("resp_1")]
    assert not slot.accepts("resp_1")
    assert slot.done("resp_1", None, 2.0) == []


def test_an_interrupted_request_is_cancelled_when_it_starts() -> None:
    slot = requested()
    assert slot.interrupt(0.1) == []
    assert slot.started("resp_1", "req_1", 0.5) == [CancelResponse("resp_1")]
    slot.request("req_2", 0.6)
    assert slot.done("resp_1", None, 0.9) == [CreateResponse("req_2")]


def test_an_interruption_of_nothing_does_nothing() -> None:
    slot = ResponseSlot()
    assert slot.interrupt(0.0) == []
    assert slot.state is SlotState.FREE


def test_only_the_answer_of_the_slot_is_accepted() -> None:
    slot = active()
    assert slot.accepts("resp_1")
    assert not slot.accepts("resp_2")
    assert not requested().accepts("")


def test_only_the_end_of_its_own_answer_frees_the_slot() -> None:
    slot = active()
    assert slot.done("resp_2", "req_1", 1.0) is None
    assert slot.state is SlotState.ACTIVE
    assert ResponseSlot().done("resp_1", None, 1.0) is None


def test_an_end_without_a_beginning_is_known_by_its_request() -> None:
    assert requested().done("resp_1", None, 1.0) is None
    assert requested().done("resp_1", "req_1", 1.0) == []


def test_a_refusal_frees_the_slot_if_it_is_about_its_request() -> None:
    slot = requested()
    assert slot.refused("req_9", "invalid_value", 0.1) is None
    assert slot.refused(None, "invalid_value", 0.1) is None
    assert slot.refused("req_1", "invalid_value", 0.1) == []
    assert slot.state is SlotState.FREE


def test_a_busy_upstream_is_asked_again_as_soon_as_any_answer_is_done() -> None:
    slot = requested()
    assert slot.refused("req_1", BUSY, 0.1) is None
    assert slot.holder == ""
    assert slot.done("resp_other", None, 0.9) == [CreateResponse("req_1")]


def test_only_a_busy_upstream_frees_by_the_end_of_another_answer() -> None:
    """The end of an old answer, late or told twice, says nothing of a request that is out."""
    slot = requested()
    slot.interrupt(0.1)
    slot.request("req_2", 0.2)
    assert slot.done("resp_0", "req_0", 0.3) is None
    assert slot.done("resp_1", "req_1", 0.4) == [CreateResponse("req_2")]


def test_a_busy_upstream_is_asked_again_after_the_cancel_limit() -> None:
    slot = requested()
    slot.refused("req_1", BUSY, 0.1)
    assert slot.deadline == 0.1 + CANCEL_LIMIT
    assert slot.expire(slot.deadline) == [CreateResponse("req_1")]


def test_tries_are_numbered_for_each_request_anew() -> None:
    slot = requested()
    for n in range(BUSY_TRIES):
        assert slot.refused("req_1", BUSY, n) is None
        slot.expire(n + 0.5)
    assert slot.refused("req_1", BUSY, 9.0) == []
    slot.request("req_2", 10.0)
    assert slot.refused("req_2", BUSY, 10.1) is None


def test_an_answer_that_stalls_is_left_to_whoever_can_take_another_connection() -> None:
    slot = active()
    assert slot.response_id == "resp_1"
    slot.wait_no_more()
    assert slot.deadline is None
    assert slot.abandon() == "req_1"
    assert slot.request("req_2", 99.0) == [CreateResponse("req_2")]


def test_an_answer_that_nobody_waits_for_is_cancelled() -> None:
    assert ResponseSlot().started("resp_x", None, 0.0) == [CancelResponse("resp_x")]
    assert active().started("resp_x", "req_x", 1.0) == [CancelResponse("resp_x")]


def test_a_start_that_is_told_twice_is_one() -> None:
    slot = active()
    assert slot.started("resp_1", "req_1", 0.6) == []
    assert slot.accepts("resp_1")
