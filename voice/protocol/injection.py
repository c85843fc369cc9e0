"""Injection: which context stands in the upstream's conversation, for the page and for the open turn.

Each turn has one item at most. It is injected the moment it is found; a better one takes its place.
"""

from __future__ import annotations

from voice.protocol.commands import DeleteItem, InjectContext, ToUpstream
from voice.protocol.context import Passage, covers, render, render_page, within
from voice.protocol.policy import ContextPolicy

CONTEXT_ITEM = "ctx_"
"""How the ids of context items begin, and of no other items."""

PAGE_ITEM = f"{CONTEXT_ITEM}page"
"""The id of the context item that holds the visitor's page."""


class PageContext:
    """The page that the visitor looks at. It stands from before the first question for as long as the connection."""

    def __init__(self, page: Passage | None) -> None:
        """``page`` is as :func:`voice.protocol.context.page_of` gives it."""
        self.title = page.title if page else ""
        self._page = page if page and page.text else None
        self._shown = False

    def show(self) -> list[ToUpstream]:
        """A question begins."""
        if self._shown:
            return []
        self._shown = True
        return self.show_again()

    def show_again(self) -> list[ToUpstream]:
        """The upstream is another one. It is shown what the lost one was."""
        if self._page is None or not self._shown:
            return []
        return [InjectContext(PAGE_ITEM, render_page(self._page), (self._page,))]


class TurnContext:
    """What the knowledge has to say to one turn's question."""

    def __init__(self, turn: int, policy: ContextPolicy) -> None:
        self.passages: tuple[Passage, ...] = ()
        """What stands in the conversation, or stood in the one that is lost."""
        self.prefetched = False
        """It stood there before the visitor's question ended."""
        self.confirmed: bool | None = None
        """Whether the upstream placed the question right behind it; ``None`` if it did not say."""
        self._turn = turn
        self._policy = policy
        self._items = 0
        self._item_id = ""
        self._question_ended = False

    def replace(self, found: tuple[Passage, ...]) -> list[ToUpstream]:
        """This is the best that is known now. Nothing follows where what stands is as good."""
        passages = within(found, self._policy)
        # Once the question is over, a last search that confirms the best passage is not worth a new context: the one
        # that stands is proved to stand before the question, and is cached.
        wanted = passages[:1] if self._question_ended else passages
        if self._item_id and passages and covers(self.passages, wanted):
            return []
        commands = self._delete()
        if commands:
            self.passages, self.prefetched, self.confirmed = (), False, None
        if passages:
            self.passages = passages
            commands += self._inject()
        return commands

    def question_ended(self) -> None:
        """What comes from now on was not prefetched."""
        self._question_ended = True
        self.prefetched = bool(self._item_id)

    def question_committed(self, previous_item_id: str | None) -> None:
        """The upstream has placed the question behind this item, where it says so."""
        if self.prefetched and previous_item_id is not None:
            self.confirmed = previous_item_id == self._item_id

    def upstream_lost(self) -> None:
        """Nothing stands any more."""
        self._item_id = ""

    def inject_again(self) -> list[ToUpstream]:
        """The upstream is another one. It is told what the lost one was."""
        return self._inject() if self.passages else []

    def close(self) -> list[ToUpstream]:
        """The turn is over."""
        return [] if self._policy.keep else self._delete()

    def _inject(self) -> list[ToUpstream]:
        self._items += 1
        self._item_id = f"{CONTEXT_ITEM}{self._turn}_{self._items}"  # the Realtime API refuses more than 32 characters
        return [InjectContext(self._item_id, render(self.passages), self.passages)]

    def _delete(self) -> list[ToUpstream]:
        item_id, self._item_id = self._item_id, ""
        return [DeleteItem(item_id)] if item_id else []
