"""Outage: what the visitor is told while the upstream is lost, and what the loss leaves of their turn."""

from __future__ import annotations

from enum import Enum, auto

from voice.protocol.commands import TellNotice
from voice.protocol.turn import Turn, TurnState


class Remains(Enum):
    """What a lost upstream leaves of the open turn."""

    ALL = auto()
    """It goes on as if nothing had happened: the answer is complete, or the visitor still holds the key."""
    ANSWER = auto()
    """What was sent of the answer is still heard; no more will come."""
    QUESTION = auto()
    """Its words are known, so the next upstream can be asked."""
    NOTHING = auto()
    """It must be said again."""


def remains(turn: Turn) -> Remains:
    """What is left of the open ``turn`` when the upstream is lost."""
    if turn.upstream_done or (turn.pushed and turn.state is TurnState.SPEAKING):
        return Remains.ALL
    if turn.answered:
        return Remains.ANSWER
    if turn.written and turn.state is not TurnState.SPEAKING:
        return Remains.QUESTION
    return Remains.NOTHING


class Outage:
    """A visitor who must say it again is told so when somebody can hear it: never while the upstream is away."""

    def __init__(self) -> None:
        self._away = False
        self._must_repeat = False

    def lost(self) -> list[TellNotice]:
        """The upstream is lost."""
        self._away = True
        return [TellNotice("reconnecting")]

    def back(self) -> list[TellNotice]:
        """It is there again."""
        notice = TellNotice("say_again" if self._must_repeat else "reconnected")
        self._away = self._must_repeat = False
        return [notice]

    def turn_lost(self) -> list[TellNotice]:
        """The visitor must say it again."""
        if not self._away:
            return [TellNotice("say_again")]
        self._must_repeat = True
        return []

    def turn_opened(self) -> None:
        """They do already."""
        self._must_repeat = False
