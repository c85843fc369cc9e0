"""Searching while the visitor still speaks: when, for what, and what became of it. One machine for each turn.

Theory of operation. The first search goes out as soon as five words stand. As the question grows, the machine asks
again, and once more when a question mark closes it; but never while a search is out: one that keeps being replaced
would never come back. When speech ends, what was found is used if its query knew enough of the whole question (a
knowledge that has shown itself quick must know more); if not, one last search is made, and the *turn* decides how long
that may hold up the answer. Each search that is asked ends in exactly one
:class:`~voice.protocol.outcomes.SearchOutcome`, so that the waste of speculation is seen.

``sequential`` is the way without prefetching, for comparison: one search, once the question is transcribed to its
end, and the answer waits for it.

A result that came too late for its own answer may fit the next question, when somebody asks again. It is *carried*
to the next turn's machine, which uses it in place of a first search if it fits.

The question of a turn may be elliptical ("and on Sundays?"). A question shorter than ``first_words`` is therefore
searched together with the one before it (``topic``); how well a search *fits* is still judged by the turn's words.

It may also be about the page that the visitor looks at ("how much does it cost?"). A question of up to ``page_words``
is therefore searched twice at the same time, as it stands and behind the page's title. Both are needed: of 96 such
questions on articles of the sample site 3 % had their article among the five best passages without the title and
100 % with it, but of 78 questions about something else 97 % had theirs without it and 79 % with it. Both searches
together leave 100 % and 97 %.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from voice.protocol import words
from voice.protocol.commands import CancelRetrieval, Retrieve, ToKnowledge
from voice.protocol.context import Passage
from voice.protocol.outcomes import SearchOutcome
from voice.protocol.policy import PrefetchPolicy, Retrieval


@dataclass(frozen=True, slots=True)
class Search:
    """A search and the words that were known when it was asked."""

    search_id: str
    known: str


@dataclass(frozen=True, slots=True)
class Found:
    """The newest search that brought something."""

    search: Search
    passages: tuple[Passage, ...]
    carried: bool = False
    """Whether it was asked for in the turn before, where it came too late and is accounted for."""


class Prefetch:
    """The searches of one turn. Methods return what to tell the knowledge; ``deadline`` asks for :meth:`tick`."""

    def __init__(
        self,
        policy: PrefetchPolicy,
        turn: int,
        *,
        topic: str = "",
        page_title: str = "",
        retrieval: Retrieval = "prefetch",
        carried: Found | None = None,
    ) -> None:
        self.outcomes: Counter[SearchOutcome] = Counter()
        self.found: Found | None = None
        self.leftover: Found | None = None
        """What came too late for the answer; for the next turn's ``carried``."""
        self._policy = policy
        self._turn = turn
        self._topic = topic
        self._page_title = page_title
        self._enabled = retrieval != "off"
        self._sequential = retrieval == "sequential"
        self._carried = carried
        self._text = ""
        self._now = self._changed_at = self._asked_at = 0.0
        self._quick = False
        self._pending: Search | None = None
        self._late: Search | None = None
        self._last: Search | None = None
        self._asked = 0
        self._asked_words = 0
        self._concluded = False
        self._final = False
        self._closed = False

    # -- what was said -------------------------------------------------------------------------------------------

    def hear(self, text: str, now: float, *, final: bool = False) -> list[ToKnowledge]:
        """The question as far as it is known has become ``text``; with ``final`` it will not be known any better."""
        if not self._enabled or self._closed:
            return []
        self._now = now
        if text != self._text:
            self._text, self._changed_at = text, now
        elif not final:
            return []
        self._final = self._final or final
        return self._ask_last() if self._concluded else self._ask_if_grown(closed_only=True)

    def tick(self, now: float) -> list[ToKnowledge]:
        """The clock has moved: a last word that stood still long enough is closed."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        self._now = now
        return self._ask_if_grown(closed_only=False)

    @property
    def deadline(self) -> float | None:
        """When a quiet last word would be closed and make a search due."""
        if self._concluded or self._closed or self._pending or not self._enabled or self._sequential:
            return None
        return self._changed_at + self._policy.quiet_ms / 1000 if self._is_due(closed_only=False) else None

    def conclude(self, text: str, now: float, *, final: bool = False) -> list[ToKnowledge]:
        """The visitor has stopped; ``text`` is the best there is. Unless it is ``final``, more may come by
        :meth:`hear`."""
        if not self._enabled or self._closed:
            return []
        self._text, self._changed_at, self._concluded, self._now = text, now, True, now
        self._final = self._final or final
        return self._ask_last()

    # -- what was found ------------------------------------------------------------------------------------------

    def answered(self, search_id: str, passages: tuple[Passage, ...], now: float) -> list[ToKnowledge]:
        """A search came back. :attr:`found` is then what should stand in the conversation."""
        late = self._take_late(search_id, SearchOutcome.LATE)
        if late is not None:
            self.leftover = Found(late, passages, carried=True) if passages else None
            return []
        search = self._take_pending(search_id)
        if search is None:
            return []
        self._now, self._quick = now, now - self._asked_at <= self._policy.quick_ms / 1000
        if passages:
            self._replace_found(Found(search, passages))
        else:
            self.outcomes[SearchOutcome.NONE] += 1
            if self._concluded:
                self._replace_found(None)
        return [] if self._concluded else self._ask_if_grown(closed_only=True)

    def failed(self, search_id: str) -> None:
        """A search came to nothing."""
        if self._take_late(search_id, SearchOutcome.FAILED) is not None:
            return
        if self._take_pending(search_id) is not None:
            self.outcomes[SearchOutcome.FAILED] += 1

    @property
    def settled(self) -> bool:
        """Whether waiting longer could not improve the context."""
        if not self._enabled or self._closed:
            return True
        if self._pending is None:
            known = self._final or (not self._sequential and bool(words.tokens(self._text)))
            return self._concluded and known
        return self.found is not None and self._fits(self.found.search)

    # -- how it ends ---------------------------------------------------------------------------------------------

    def requested(self) -> list[ToKnowledge]:
        """The answer has been requested with what is there; whatever still comes is too late."""
        if self._closed:
            return []
        self._closed = True
        self._account_for_found(SearchOutcome.HIT)
        if self._pending is None:
            return []
        if self.found is not None and self._fits(self.found.search):
            return self._cancel(SearchOutcome.SUPERSEDED)
        self._late, self._pending = self._pending, None
        return []

    def close(self) -> list[ToKnowledge]:
        """The turn is over. Nothing is left out after this."""
        if not self._closed:
            self._closed = True
            self._replace_found(None)
            return self._cancel(SearchOutcome.SUPERSEDED)
        if self._late is None:
            return []
        late, self._late = self._late, None
        self.outcomes[SearchOutcome.LATE] += 1
        return [CancelRetrieval(late.search_id)]

    def budget_ms(self, *, typed: bool) -> int:
        """How long the answer may wait for the context, from the end of the question."""
        if self._sequential:
            return self._policy.sequential_budget_ms
        return self._policy.typed_budget_ms if typed else self._policy.budget_ms

    @property
    def started(self) -> int:
        """How many searches were asked."""
        return self._asked

    # -- inside --------------------------------------------------------------------------------------------------

    def _count(self, *, closed_only: bool) -> int:
        return words.count(self._text, self._policy.characters_per_word, closed_only=closed_only)

    def _is_due(self, *, closed_only: bool) -> bool:
        count = self._count(closed_only=closed_only)
        if self._last is None:
            return count >= self._policy.first_words
        more = self._policy.closing_words if words.is_asked(self._text) else self._policy.more_words
        return count >= self._asked_words + min(more, self._policy.more_words)

    def _ask_if_grown(self, *, closed_only: bool) -> list[ToKnowledge]:
        if self._pending is not None or self._sequential or not self._is_due(closed_only=closed_only):
            return []
        return [] if self._take_carried() else self._ask()

    def _ask_last(self) -> list[ToKnowledge]:
        if not words.asking_words(self._text) or (self._last is not None and self._fits(self._last)):
            return []
        if self._sequential and not self._final:
            return []
        if self._take_carried():
            return self._cancel(SearchOutcome.SUPERSEDED)
        return [*self._cancel(SearchOutcome.SUPERSEDED), *self._ask()]

    def _take_carried(self) -> bool:
        """Whether what was found too late for the turn before fits this one's question; it is tried once."""
        carried, self._carried = self._carried, None
        if carried is None or self._sequential or not self._fits(carried.search):
            return False
        self._replace_found(carried)
        self._last, self._asked_words = carried.search, self._count(closed_only=False)
        return True

    def _ask(self) -> list[ToKnowledge]:
        self._asked += 1
        self._asked_at = self._now
        self._asked_words = self._count(closed_only=False)
        self._pending = self._last = Search(f"search_{self._turn}_{self._asked}", self._text)
        return [Retrieve(self._pending.search_id, self._query(), self._query_on_page())]

    def _query(self) -> str:
        question = self._text.strip()
        elliptical = self._topic and self._count(closed_only=False) < self._policy.first_words
        return f"{self._topic.strip()} {question}" if elliptical else question

    def _query_on_page(self) -> str:
        short = self._count(closed_only=False) <= self._policy.page_words
        return f"{self._page_title} {self._text.strip()}" if self._page_title and short else ""

    def _fits(self, search: Search) -> bool:
        wanted = self._policy.quick_fit if self._quick else self._policy.fit
        return words.coverage(search.known, self._text) >= wanted

    def _cancel(self, outcome: SearchOutcome) -> list[ToKnowledge]:
        if self._pending is None:
            return []
        cancelled, self._pending = self._pending, None
        self.outcomes[outcome] += 1
        return [CancelRetrieval(cancelled.search_id)]

    def _replace_found(self, found: Found | None) -> None:
        self._account_for_found(SearchOutcome.SUPERSEDED)
        self.found = found

    def _account_for_found(self, outcome: SearchOutcome) -> None:
        if self.found is not None and not self.found.carried:
            self.outcomes[outcome] += 1

    def _take_pending(self, search_id: str) -> Search | None:
        if self._pending is None or self._pending.search_id != search_id:
            return None
        search, self._pending = self._pending, None
        return search

    def _take_late(self, search_id: str, outcome: SearchOutcome) -> Search | None:
        if self._late is None or self._late.search_id != search_id:
            return None
        late, self._late = self._late, None
        self.outcomes[outcome] += 1
        return late
