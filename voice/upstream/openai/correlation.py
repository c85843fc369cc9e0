"""Whose words are these? Two sessions hear the same visitor and number what they hear independently.

Theory of operation. The conversation has turn detection: it says where an utterance begins and ends, and gives it the
item id that the core knows it by. The second session has none: to it, all is one long item until it is told to commit,
which happens where the conversation's utterance ends. So the n-th commit of the second session is the n-th utterance
that was ended there, and a word of an item that is not committed yet is of the utterance whose commit is under way,
else of the one that is open, else (recognition can be faster than turn detection) of the one that begins next.

Each utterance has its words from one side only: from the second session if the conversation does not transcribe.

With push-to-talk nobody says where an utterance begins, and its item id comes into being when it is committed, too
late to search by. There an utterance of the second session is given an id of ours before, and the conversation's own
events about it are told under that one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from voice.protocol.events import (
    Fault,
    InputCommitted,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
    TranscriptPartial,
    UpstreamEvent,
)
from voice.upstream.openai.wire import COMMIT_ID

KEPT = 8
"""Utterances remembered at a time."""
EARLY = 8
"""Deltas kept from before an utterance begins. Those of one are a word or two; older ones are of something else."""

_Value = TypeVar("_Value")


@dataclass(slots=True)
class Utterance:
    """What the visitor says from beginning to end, under the id that the core knows it by."""

    item_id: str
    second: bool
    """Whether its words are the second session's."""
    words: bool = False
    """Whether one has come from there."""
    ended: bool = False
    finished: bool = False
    """Whether its final transcript has come, from either side."""


class Correlation:
    """Puts the events of both sessions into the one order and numbering of the conversation.

    ``second_writes`` says whether the conversation itself does not transcribe. ``connection`` is in the ids that are
    made here, so that those of two connections of one session are different.
    """

    def __init__(self, *, push_to_talk: bool, second_writes: bool, connection: str = "") -> None:
        self.second_writes = second_writes
        """Whether utterances that begin now have their words from the second session."""
        self._push_to_talk = push_to_talk
        self._numbers, self._connection = count(1), connection
        self._open = self._next_push()
        self._utterances: dict[str, Utterance] = {}
        """By the item id that the conversation gave them."""
        self._pushed: deque[Utterance | None] = deque(maxlen=KEPT)
        """Push-to-talk: committed in the conversation, without an item there as yet."""
        self._committing: deque[Utterance] = deque(maxlen=KEPT)
        """Ended, and the second session has not confirmed its commit yet."""
        self._items: dict[str, Utterance] = {}
        """By the item id that the second session gave them."""
        self._early: deque[str] = deque(maxlen=EARLY)

    # -- what we do to both ----------------------------------------------------------------------------------

    def ends(self, event: UpstreamEvent) -> bool:
        """Whether this event of the conversation ends the utterance that is open: the second session should commit."""
        if self._open is None or not isinstance(event, SpeechStopped | InputCommitted):
            return False
        return event.item_id == self._open.item_id

    def end(self, *, committed: bool) -> None:
        """The open utterance is over. ``committed``: the second session was told so."""
        utterance, self._open = self._open, self._next_push()
        if self._push_to_talk:
            self._pushed.append(utterance)
        if utterance is not None:
            utterance.ended = True
            if committed:
                self._committing.append(utterance)

    def clear(self) -> None:
        """Push-to-talk: what was said since the last commit is forgotten, by both."""
        self._open = self._next_push()
        self._early.clear()

    def take_over(self) -> None:
        """From now on the second session writes, also what is being said: the other would, too late, only after it."""
        self.second_writes = True
        if self._open is not None:
            self._open.second = True
        else:
            self._open = self._next_push()

    def lose(self) -> list[UpstreamEvent]:
        """The second session is gone, and the conversation writes again. What nobody will finish has failed."""
        self.second_writes = False
        self._early.clear()
        self._committing.clear()
        if self._open is not None and not self._open.words:
            self._open.second = False
            self._open = None if self._push_to_talk else self._open
        return [self._fail(each) for each in self._known() if each.second and each.ended and not each.finished]

    # -- what the conversation says --------------------------------------------------------------------------

    def main(self, event: UpstreamEvent) -> list[UpstreamEvent]:
        """What the core is told when the conversation says ``event``."""
        match event:
            case SpeechStarted(item_id=item_id):
                return [event, *self._begin(item_id)]
            case InputCommitted():
                return [self._committed(event)]
            case TranscriptDelta() | TranscriptPartial() | TranscriptFailed():
                utterance = self._utterance(event.item_id)
                return [] if utterance is not None and utterance.second else [event]
            case TranscriptDone():
                return [self._final(event)]
            case Fault(event_id=event_id) if event_id == COMMIT_ID and self._pushed:
                self._pushed.popleft()
        return [event]

    def _begin(self, item_id: str) -> list[UpstreamEvent]:
        if self._open is not None and self._open.item_id == item_id:
            return []
        utterance = self._open = Utterance(item_id, self.second_writes)
        _keep(self._utterances, item_id, utterance)
        early = [told for delta in self._early for told in self._word(utterance, delta)]
        self._early.clear()
        return early

    def _committed(self, event: InputCommitted) -> InputCommitted:
        utterance = self._pushed.popleft() if self._pushed else None
        if utterance is None:
            return event
        _keep(self._utterances, event.item_id, utterance)
        return InputCommitted(utterance.item_id, event.previous_item_id)

    def _final(self, event: TranscriptDone) -> TranscriptDone:
        utterance = self._utterance(event.item_id)
        if utterance is None:
            return event
        utterance.finished = True
        return TranscriptDone(utterance.item_id, event.text)

    def _utterance(self, item_id: str) -> Utterance | None:
        # With push-to-talk an item that nobody has told of yet is the one that is being said.
        return self._utterances.get(item_id) or (self._open if self._push_to_talk else None)

    # -- what the second session says ------------------------------------------------------------------------

    def second(self, event: UpstreamEvent) -> list[UpstreamEvent]:
        """What the core is told when the second session says ``event``."""
        match event:
            case TranscriptDelta(item_id=item_id, delta=delta):
                return self._delta(item_id, delta)
            case InputCommitted(item_id=item_id):
                self._identify(item_id)
            case TranscriptDone(item_id=item_id, text=text):
                utterance = self._finish(self._identify(item_id))
                return [TranscriptDone(utterance.item_id, text)] if utterance else []
            case TranscriptFailed(item_id=item_id):
                utterance = self._finish(self._identify(item_id))
                return [TranscriptFailed(utterance.item_id)] if utterance else []
            case Fault(event_id=event_id) if event_id == COMMIT_ID and self._committing:
                utterance = self._finish(self._committing.popleft())
                return [TranscriptFailed(utterance.item_id)] if utterance else []
        return []

    def _delta(self, item_id: str, delta: str) -> list[UpstreamEvent]:
        utterance = self._items.get(item_id) or (self._committing[0] if self._committing else self._open)
        if utterance is None:
            self._early.append(delta)
            return []
        return self._word(utterance, delta)

    def _word(self, utterance: Utterance, delta: str) -> list[UpstreamEvent]:
        if not utterance.second or utterance.finished:
            return []
        utterance.words = True
        return [TranscriptDelta(utterance.item_id, delta)]

    def _identify(self, item_id: str) -> Utterance | None:
        """The utterance that an item of the second session is, once it is committed there."""
        utterance = self._items.get(item_id)
        if utterance is None and self._committing:
            utterance = self._committing.popleft()
            _keep(self._items, item_id, utterance)
        return utterance

    def _finish(self, utterance: Utterance | None) -> Utterance | None:
        """``utterance``, if this is its end and nobody else has told it."""
        if utterance is None or not utterance.second or utterance.finished:
            return None
        utterance.finished = True
        return utterance

    def _fail(self, utterance: Utterance) -> TranscriptFailed:
        utterance.finished = True
        return TranscriptFailed(utterance.item_id)

    # -- bookkeeping -----------------------------------------------------------------------------------------

    def _next_push(self) -> Utterance | None:
        """Push-to-talk: the utterance that is open from now on, where it needs a name before it has an item."""
        if not (self._push_to_talk and self.second_writes):
            return None
        return Utterance(f"said_{self._connection}{next(self._numbers)}", second=True)

    def _known(self) -> list[Utterance]:
        """Each utterance that is remembered, once; with push-to-talk some have no item yet."""
        named = [*self._utterances.values(), *(pushed for pushed in self._pushed if pushed is not None)]
        return list({each.item_id: each for each in named}.values())


def _keep(among: dict[str, _Value], item_id: str, value: _Value) -> None:
    among[item_id] = value
    while len(among) > KEPT:
        del among[next(iter(among))]
