"""What must hold after every step of every conversation, whatever comes and in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import BYTES_PER_MS

LONGEST_ITEM_ID = 32
"""Characters: the Realtime API refuses more."""


class Witness:
    """Watches a conversation from outside, by events and commands alone, and fails on the first broken rule."""

    def __init__(self) -> None:
        self.opened = 0
        self.ended = 0
        self._begun: set[str] = set()
        self._dead: set[str] = set()
        self._sent: Counter[str] = Counter()
        self._context = ""
        self._item_ids: set[str] = set()
        self._told_context = 0
        self._requests: set[str] = set()
        self._lost = 0
        self._searches: Counter[int] = Counter()
        self._searching: set[str] = set()
        self._search_ids: set[str] = set()

    def saw(self, event: e.Event | None, commands: Iterable[c.Command]) -> None:
        """``commands`` followed ``event``, or a timeout."""
        if isinstance(event, e.ResponseStarted):
            self._begun.add(event.response_id)
        if isinstance(event, e.UpstreamLost):
            self._dead |= self._begun
            self._context, self._lost = "", self._lost + 1
        for command in commands:
            self._check(event, command)
        if isinstance(event, e.PushStarted):
            self.opened += 1  # what followed was about the turn before
        if isinstance(event, e.PassagesRetrieved | e.RetrievalFailed):
            self._searching.discard(event.search_id)

    def closed(self) -> None:
        """The session is over: nothing is left open."""
        assert self.ended == self.opened, "a turn has not ended, or ended twice"
        assert not self._searching, "a search was neither answered nor cancelled"

    def _check(self, event: e.Event | None, command: c.Command) -> None:
        match command:
            case c.TellSpeechStarted():
                self.opened += 1
            case c.SubmitText(item_id):
                self.opened += 1
                self._fresh(item_id)
            case c.Play(item_id, pcm):
                assert isinstance(event, e.AudioDelta)
                assert event.response_id not in self._dead, "an interrupted answer is heard"
                self._sent[item_id] += len(pcm)
            case c.StopPlayback():
                self._dead |= self._begun
            case c.Truncate(item_id, heard):
                assert 0 < heard * BYTES_PER_MS <= self._sent[item_id], "cut beyond what was sent"
            case c.InjectContext(item_id):
                self._inject(item_id, again=isinstance(event, e.UpstreamLost))
            case c.DeleteItem(item_id):
                self._context = "" if item_id == self._context else self._context
            case c.TellContext():
                assert self._told_context < self._turn(), "an answer is requested twice"
                self._told_context = self._turn()
            case c.CreateResponse(request_id):
                assert self._told_context == self._turn()
                assert f"{request_id}_".startswith(f"req_{self._turn()}_")
                self._requests.add(request_id)
                assert len(self._requests) <= 2 * self._turn() + self._lost, "an answer is asked for again and again"
            case c.Retrieve(search_id):
                self._search(search_id)
            case c.CancelRetrieval(search_id):
                self._searching.remove(search_id)
            case c.TurnEnded():
                self._end(command)
            case c.QuestionCorrected(number):
                assert number <= self.ended, "a question is corrected while its turn is open"

    def _turn(self) -> int:
        assert self.opened == self.ended + 1, "there is no open turn, or more than one"
        return self.opened

    def _fresh(self, item_id: str) -> None:
        assert len(item_id) <= LONGEST_ITEM_ID
        assert item_id not in self._item_ids, "an id is used twice"
        self._item_ids.add(item_id)

    def _inject(self, item_id: str, *, again: bool) -> None:
        self._fresh(item_id)
        assert not self._context, "two contexts of one turn"
        assert item_id.startswith(f"ctx_{self._turn()}_"), "context of another turn"
        assert again or self._told_context < self._turn(), "context after the answer was requested"
        self._context = item_id

    def _search(self, search_id: str) -> None:
        assert search_id not in self._search_ids, "an id is used twice"
        assert len(self._searching) <= 1, "more than one search of a turn is out"
        self._search_ids.add(search_id)
        self._searching.add(search_id)
        self._searches[self._turn()] += 1

    def _end(self, turn: c.TurnEnded) -> None:
        assert turn.number == self._turn()
        assert sum(turn.searches.values()) == self._searches[turn.number], "a search is not accounted for"
        self.ended += 1
        self._context = ""
        self._dead |= self._begun
