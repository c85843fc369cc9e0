"""Utterances: whose turn is it that an item of the visitor belongs to?

The upstream names items, and what it says of them comes late and out of order. An utterance of a turn that is over
must never be taken for the open one's. Push-to-talk opens its turn before the item has a name, so a turn can end
while its commit is still to come: that commit is *owed*, and the next to come is its own.
"""

from __future__ import annotations

from collections import deque

from voice.protocol.commands import QuestionCorrected
from voice.protocol.transcripts import KEPT, Asked
from voice.protocol.turn import Turn, TurnState


class Utterances:
    """Which items are whose."""

    def __init__(self) -> None:
        self._past: deque[str] = deque(maxlen=KEPT)
        self._asked = Asked()
        self._owed: deque[int] = deque()  # the numbers of turns

    def is_known(self, turn: Turn | None, item_id: str) -> bool:
        """Whether it is an utterance of the open ``turn`` or of an earlier one."""
        return item_id in self._past or (turn is not None and turn.item_id == item_id)

    def owner(self, turn: Turn | None, item_id: str) -> Turn | None:
        """The open ``turn``, if this utterance is its own or may become so; one of an earlier turn never is."""
        return turn if turn is not None and turn.owns(item_id) and item_id not in self._past else None

    def assign(self, turn: Turn, item_id: str) -> None:
        """The utterance is the turn's; one that it was taken for before is nobody's."""
        if turn.item_id not in ("", item_id):
            self._past.append(turn.item_id)
        turn.item_id = item_id

    def committed(self, item_id: str) -> None:
        """The upstream has taken this utterance. Call it before :meth:`owner`."""
        if self._owed:
            self._past.append(item_id)
            self._asked.note(item_id, self._owed.popleft(), "")

    def turn_ended(self, turn: Turn, question: str, now: float) -> None:
        """The turn ends; ``question`` is what is known of what was asked."""
        awaited = turn.commit_deadline is not None and now < turn.commit_deadline
        if turn.state is TurnState.AWAITING_CONTEXT and not turn.item_id and awaited:
            self._owed.append(turn.number)
        self._past.append(turn.item_id)
        self._asked.note(turn.item_id, turn.number, question)

    def corrected(self, item_id: str, text: str) -> list[QuestionCorrected]:
        """The final transcript came. What the records are to be told of it, if the turn is over."""
        return self._asked.corrected(item_id, text)

    def upstream_lost(self) -> None:
        """No commit will come."""
        self._owed.clear()
