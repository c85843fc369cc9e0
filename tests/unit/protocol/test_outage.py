"""What a lost upstream leaves of the open turn, and what the visitor is told."""

from __future__ import annotations

import pytest

from voice.protocol import commands as c
from voice.protocol.injection import TurnContext
from voice.protocol.outage import Outage, Remains, remains
from voice.protocol.policy import ContextPolicy, PrefetchPolicy
from voice.protocol.prefetch import Prefetch
from voice.protocol.timeline import Timeline
from voice.protocol.turn import Turn, TurnState

RECONNECTING, RECONNECTED, SAY_AGAIN = (
    c.TellNotice("reconnecting"),
    c.TellNotice("reconnected"),
    c.TellNotice("say_again"),
)


def turn(state: TurnState, *, pushed: bool = False, **known: str | bool) -> Turn:
    opened = Turn(1, "item_1", Prefetch(PrefetchPolicy(), 1), TurnContext(1, ContextPolicy()), Timeline(0.0))
    opened.state, opened.pushed = state, pushed
    for name, value in known.items():
        setattr(opened, name, value)
    return opened


@pytest.mark.parametrize(
    ("lost", "left"),
    [
        (turn(TurnState.SPEAKING), Remains.NOTHING),
        (turn(TurnState.SPEAKING, written=True), Remains.NOTHING),
        (turn(TurnState.SPEAKING, pushed=True), Remains.ALL),
        (turn(TurnState.AWAITING_CONTEXT), Remains.NOTHING),
        (turn(TurnState.AWAITING_CONTEXT, written=True), Remains.QUESTION),
        (turn(TurnState.AWAITING_CONTEXT, pushed=True), Remains.NOTHING),
        (turn(TurnState.RESPONDING, written=True), Remains.QUESTION),
        (turn(TurnState.RESPONDING, written=True, answer="At"), Remains.ANSWER),
        (turn(TurnState.RESPONDING, answer="At ten.", upstream_done=True), Remains.ALL),
    ],
)
def test_what_a_lost_upstream_leaves_of_the_turn(lost: Turn, left: Remains) -> None:
    assert remains(lost) is left


def test_a_visitor_is_asked_to_say_it_again_when_somebody_can_hear_it() -> None:
    outage = Outage()
    assert outage.lost() == [RECONNECTING]
    assert outage.turn_lost() == []
    assert outage.back() == [SAY_AGAIN]
    assert outage.turn_lost() == [SAY_AGAIN]


def test_a_visitor_who_has_said_it_again_is_not_asked_to() -> None:
    outage = Outage()
    outage.lost()
    outage.turn_lost()
    outage.turn_opened()
    assert outage.back() == [RECONNECTED]
