"""Whose turn an item of the visitor belongs to."""

from __future__ import annotations

from voice.protocol import commands as c
from voice.protocol.injection import TurnContext
from voice.protocol.policy import ContextPolicy, PrefetchPolicy
from voice.protocol.prefetch import Prefetch
from voice.protocol.timeline import Timeline
from voice.protocol.turn import Turn, TurnState
from voice.protocol.utterances import Utterances


def turn(number: int, item_id: str = "", *, pushed: bool = False) -> Turn:
    prefetch, context = Prefetch(PrefetchPolicy(), number), TurnContext(number, ContextPolicy())
    return Turn(number, item_id, prefetch, context, Timeline(0.0), pushed=pushed)


def test_an_utterance_of_a_turn_that_is_over_is_never_the_open_ones() -> None:
    utterances, first, second = Utterances(), turn(1, "item_1"), turn(2, pushed=True)
    assert utterances.owner(first, "item_1") is first
    utterances.turn_ended(first, "When?", 1.0)
    assert utterances.owner(second, "item_1") is None
    assert utterances.is_known(second, "item_1")
    assert utterances.owner(second, "item_2") is second


def test_an_utterance_that_the_turn_was_taken_for_before_is_nobodys() -> None:
    utterances, pushed = Utterances(), turn(1, pushed=True)
    utterances.assign(pushed, "item_taken_back")
    utterances.assign(pushed, "item_1")
    assert utterances.owner(pushed, "item_1") is pushed
    assert utterances.owner(pushed, "item_taken_back") is None


def test_a_commit_that_is_owed_is_not_the_next_turns() -> None:
    utterances, first, second = Utterances(), turn(1, pushed=True), turn(2, pushed=True)
    first.state, first.commit_deadline = TurnState.AWAITING_CONTEXT, 8.0
    utterances.turn_ended(first, "", 1.0)
    utterances.committed("item_1")
    assert utterances.owner(second, "item_1") is None
    assert utterances.corrected("item_1", "When?") == [c.QuestionCorrected(1, "When?")]
    utterances.committed("item_2")
    assert utterances.owner(second, "item_2") is second


def test_a_lost_upstream_owes_no_commit() -> None:
    utterances, first, second = Utterances(), turn(1, pushed=True), turn(2, pushed=True)
    first.state, first.commit_deadline = TurnState.AWAITING_CONTEXT, 8.0
    utterances.turn_ended(first, "", 1.0)
    utterances.upstream_lost()
    utterances.committed("item_2")
    assert utterances.owner(second, "item_2") is second
