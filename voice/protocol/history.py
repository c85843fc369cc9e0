"""The conversation so far, as text: what another connection to a model needs to go on with it.

It holds what was said and heard, in its order: the visitor's questions as they were written down, and of each answer
what reached their ear, with the sources that they were shown. What only served one answer (injected context) is not in
it, nor is any sound. It is bounded, and the oldest goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from voice.protocol.context import Source
from voice.protocol.playback import Unheard

MOST_ITEMS = 100
"""Some fifty exchanges; ten minutes hold fewer."""
MOST_CHARACTERS = 16_000
"""Of all items together: some 4,000 tokens, a conversation of ten minutes."""
ITEM_LIMIT = 4_000
"""Characters of one item, four minutes of speech. Of a longer one the beginning is kept."""
MOST_OF_SOURCES = 16_000
"""Characters of all titles and addresses together: more than twenty answers with five sources each. The oldest answers
are kept without theirs."""

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Item:
    """What one side said."""

    role: Role
    text: str = field(repr=False)
    cut: bool = False
    """An answer that was broken off, or not heard to its end; ``text`` is what was heard."""
    sources: tuple[Source, ...] = field(default=(), repr=False)
    """What the visitor was told that an answer may lean on. For the visitor's eyes; no model is told again."""


@dataclass(frozen=True, slots=True)
class History:
    """Items, oldest first. Never changed; :meth:`of` makes one that keeps the bounds."""

    items: tuple[Item, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Item]) -> History:
        """The newest of ``items``, as far as they fit; those that say nothing are left out."""
        kept: list[Item] = []
        left, left_of_sources = MOST_CHARACTERS, MOST_OF_SOURCES
        for item in reversed([item for item in items if item.text]):
            left_of_sources -= sum(len(source.title) + len(source.url) for source in item.sources)
            kept.append(
                replace(item, text=item.text[:ITEM_LIMIT], sources=item.sources if left_of_sources >= 0 else ())
            )
            left -= len(kept[-1].text)
            if left < 0 or len(kept) > MOST_ITEMS:
                kept.pop()
                break
        return cls(tuple(reversed(kept)))

    @classmethod
    def load(cls, dumped: object) -> History:
        """What :meth:`dump` gave.

        Raises:
            ValueError: it is something else.
        """
        if not isinstance(dumped, list):
            raise ValueError("a history is a list of items")
        return cls.of(_loaded(item) for item in dumped)

    def dump(self) -> list[dict[str, Any]]:
        """As JSON has it: ``[{"role": "user", "text": "…", "cut": false, "sources": []}, …]``."""
        return [_dumped(item) for item in self.items]

    @property
    def topic(self) -> str:
        """The newest question, on which a follow-up leans; empty if nothing was asked."""
        return next((item.text for item in reversed(self.items) if item.role == "user"), "")

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


NOTHING_SAID = History()


def _dumped(item: Item) -> dict[str, Any]:
    # By hand: dataclasses.asdict takes ten times as long, and a conversation is kept as often as once a second.
    sources = [{"n": source.n, "title": source.title, "url": source.url} for source in item.sources]
    return {"role": item.role, "text": item.text, "cut": item.cut, "sources": sources}


def _loaded(item: object) -> Item:
    match item:
        case {"role": str(role), "text": str(text), "cut": bool(cut), "sources": list(found)} if role in get_args(Role):
            return Item("user" if role == "user" else "assistant", text, cut, tuple(map(_source, found)))
    raise ValueError("an item is a role, a text, whether it was cut, and sources")


def _source(dumped: object) -> Source:
    match dumped:
        case {"n": int(n), "title": str(title), "url": str(url)}:
            return Source(n, title, url)
    raise ValueError("a source is a number, a title and an address")


class HistoryBuilder:
    """Collects a history from what happens. Items are known by the ids that the upstream's connection gave them.

    An item stands where it was first told of, however late its text comes.
    """

    def __init__(self, earlier: History) -> None:
        self._earlier = earlier
        self._items: dict[str, Item] = {}
        self._sources: tuple[Source, ...] = ()

    def ask(self, item_id: str, text: str) -> None:
        """The visitor's utterance is a part of the conversation now; ``text`` is what is known of it so far."""
        if item_id not in self._items:
            self._put(item_id, Item("user", text))

    def correct(self, item_id: str, text: str) -> None:
        """The whole text of an utterance, or what is known of it now. What was never asked is left out."""
        if item_id in self._items:
            self._put(item_id, Item("user", text))

    def lean_on(self, sources: tuple[Source, ...]) -> None:
        """The coming answer may use these: they belong to the first item of it."""
        self._sources = sources

    def answer(self, item_id: str, delta: str) -> None:
        """An answer begins, or goes on."""
        before = self._items.get(item_id)
        if before is None:
            before, self._sources = Item("assistant", "", sources=self._sources), ()
        self._put(item_id, replace(before, text=before.text + delta))

    def break_off(self) -> None:
        """The answer that was being made will not be finished."""
        newest = next(reversed(self._items), None)
        if newest is not None and self._items[newest].role == "assistant":
            self._items[newest] = replace(self._items[newest], cut=True)

    def cut(self, unheard: Iterable[Unheard]) -> None:
        """So much was heard of these answers, and no more will be."""
        for item in unheard:
            if item.item_id in self._items:
                self._items[item.item_id] = _heard(self._items[item.item_id], item)

    def history(self, unheard: Iterable[Unheard] = ()) -> History:
        """What was said so far. ``unheard``: what is known to be unheard at this moment, and may be heard yet."""
        sounding = {item.item_id: item for item in unheard}
        said = (_heard(item, sounding[key]) if key in sounding else item for key, item in self._items.items())
        return History.of([*self._earlier, *said])

    def _put(self, item_id: str, item: Item) -> None:
        self._items[item_id] = replace(item, text=item.text[:ITEM_LIMIT])
        while len(self._items) > MOST_ITEMS:
            del self._items[next(iter(self._items))]


def _heard(item: Item, unheard: Unheard) -> Item:
    """The words of which the sound was heard: speech is even enough for that."""
    if unheard.heard_ms >= unheard.sent_ms:
        return item
    words = item.text.split(" ")
    return replace(item, text=" ".join(words[: len(words) * unheard.heard_ms // unheard.sent_ms]), cut=True)
