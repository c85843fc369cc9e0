"""The conversation as the provider remembers it: questions, context and answers, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.protocol.audio import duration_ms
from voice.protocol.context import Passage

#: Items remembered; some forty turns. The oldest go first.
MOST_ITEMS = 128


@dataclass(slots=True)
class Question:
    """What the visitor asked, and in which language; ``""`` if it could not be made out."""

    item_id: str
    language: str
    text: str = field(repr=False)


@dataclass(slots=True)
class Context:
    """Passages of the site's knowledge, best first."""

    item_id: str
    passages: tuple[Passage, ...] = field(repr=False)


@dataclass(slots=True)
class Spoken:
    """A piece of an answer. Without a voice it lasts no time."""

    text: str = field(repr=False)
    ms: int = 0


@dataclass(slots=True)
class Answer:
    """What was said, as far as anybody heard it."""

    item_id: str
    pieces: list[Spoken] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(piece.text for piece in self.pieces)

    def cut(self, heard_ms: int) -> None:
        """Keep what was heard; of a piece that was cut short, a share of its words."""
        kept = []
        for piece in self.pieces:
            if heard_ms <= 0:
                break
            kept.append(_beginning(piece, heard_ms))
            heard_ms -= piece.ms
        self.pieces = kept


class History:
    """Items are appended; each can be deleted by its id."""

    def __init__(self) -> None:
        self._items: list[Question | Context | Answer] = []

    @property
    def last_id(self) -> str | None:
        """The newest item, after which the next one stands."""
        return self._items[-1].item_id if self._items else None

    def add(self, item: Question | Context | Answer) -> None:
        """Append an item; the oldest is forgotten when there are too many."""
        self._items.append(item)
        del self._items[:-MOST_ITEMS]

    def delete(self, item_id: str) -> bool:
        """Take an item out; ``False`` if there is none of that id."""
        before = len(self._items)
        self._items = [item for item in self._items if item.item_id != item_id]
        return len(self._items) < before

    def truncate(self, item_id: str, heard_ms: int) -> bool:
        """Keep of an answer what was heard; ``False`` if there is no such answer."""
        for item in self._items:
            if isinstance(item, Answer) and item.item_id == item_id:
                item.cut(heard_ms)
                return True
        return False

    def said(self, item_id: str, text: str) -> None:
        """An answer begins, or goes on with one more piece."""
        answer = self.last_answer
        if answer is None or answer.item_id != item_id:
            answer = Answer(item_id)
            self.add(answer)
        answer.pieces.append(Spoken(text))

    def sounded(self, item_id: str, pcm: bytes) -> None:
        """The newest piece of an answer lasts longer."""
        answer = self.last_answer
        if answer is not None and answer.item_id == item_id:
            answer.pieces[-1].ms += duration_ms(len(pcm))

    @property
    def last_answer(self) -> Answer | None:
        """The newest answer."""
        return next((item for item in reversed(self._items) if isinstance(item, Answer)), None)

    @property
    def question(self) -> Question | None:
        """The newest question."""
        return next(iter(self._questions()), None)

    @property
    def open_question(self) -> Question | None:
        """The newest question, unless something was said after it."""
        for item in reversed(self._items):
            if not isinstance(item, Context):
                return item if isinstance(item, Question) else None
        return None

    def topic(self, before: Question | None) -> str:
        """The words of the question before this one (``None``: before one that is not asked yet), or ``""``."""
        earlier = [question for question in self._questions() if question is not before]
        return earlier[0].text if earlier else ""

    def passages(self, question: Question | None) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
        """Context for this question (``None``: one not asked yet), newest first; and that of earlier turns."""
        start = self._turn_start(question)
        return _passages(self._items[start:]), _passages(self._items[:start])

    def _turn_start(self, question: Question | None) -> int:
        """A turn begins behind the last answer or question before its own question."""
        end = len(self._items) if question is None else self._items.index(question)
        before = (n for n in range(end - 1, -1, -1) if not isinstance(self._items[n], Context))
        return next(before, -1) + 1

    def _questions(self) -> list[Question]:
        return [item for item in reversed(self._items) if isinstance(item, Question)]


def _passages(items: list[Question | Context | Answer]) -> tuple[Passage, ...]:
    contexts = (item for item in reversed(items) if isinstance(item, Context))
    return tuple(dict.fromkeys(passage for context in contexts for passage in context.passages))


def _beginning(piece: Spoken, heard_ms: int) -> Spoken:
    if heard_ms >= piece.ms:
        return piece
    words = piece.text.split(" ")
    return Spoken(" ".join(words[: len(words) * heard_ms // piece.ms]), heard_ms)
