"""The answer, read out of the retrieved passages: a few whole sentences of the one that fits best, as they stand.

It does not write, so it cannot invent: what it says stands on the site. Where nothing was found it says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from voice.protocol.context import Passage, clean

from . import phrases
from .follow_up import is_follow_up
from .phrases import phrase, small_talk
from .sentences import breaths, sentences
from .words import coverage, language_of, stems

MOST_SENTENCES = 3
MOST_WORDS = 60
"""Longer answers are not listened to: 60 words are some 25 seconds. A longer sentence is left where one breathes."""

#: How much of a passage's worth is the search's own order; the rest is the words it shares with the question.
#: The search compares meanings and is right far more often than shared words are.
_RANK_STEP = 0.25
_EARLIER_PASSAGE = 0.6
_OTHER_LANGUAGE = 0.5
_PAGE = 0.5
#: Where nothing was found, the page is read from only if it speaks of this much of what is asked.
_PAGE_COVERS = 0.5
_TOPIC_WEIGHT = 0.5
#: A sentence that fits this much as well as the best one belongs to the answer too.
_NEARLY = 0.75

_ASKS_NUMBER = re.compile(
    r"\b(when|what time|how (much|many|long|old|far|often)|which day|opening hours|price|cost|"
    r"quand|[àa] quelle heure|quels? horaires|combien|quels? (jours?|prix|tarifs?|d[ée]lais?))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|\b(noon|midnight|free|midi|minuit|gratuite?s?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of an answer that is said in one breath, as written, in the language it is written in."""

    text: str = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class Background:
    """What a question is answered from."""

    passages: tuple[Passage, ...] = ()
    """Retrieved for this question, best first. Trusted to be relevant: the knowledge has its own threshold."""
    earlier: tuple[Passage, ...] = ()
    """Retrieved for earlier questions, newest first."""
    topic: str = field(default="", repr=False)
    """The previous question."""
    said: str = field(default="", repr=False)
    """What was heard of the previous answer."""
    page: Passage | None = None
    """What the visitor looks at, whether it has to do with the question or not."""


def compose(question: str, background: Background, language: str) -> tuple[Sentence, ...]:
    """One to some sentences, in the question's ``language`` as far as the passages are."""
    kind = small_talk(question)
    if kind == phrases.REPEAT:
        return _again(background.said, language)
    if kind is not None:
        return (Sentence(phrase(kind, language), language),)
    if not any(c.isalnum() for c in question):
        return (Sentence(phrase(phrases.UNCLEAR, language), language),)
    passage = _best(question, background, language)
    if passage is None:
        return (Sentence(phrase(phrases.UNKNOWN, language), language),)
    return _read(passage, _about(question, background), question, language)


def greeting(language: str) -> Sentence:
    """What is said where nothing was asked."""
    return Sentence(phrase(phrases.GREETING, language), language)


def needs_knowledge(question: str) -> bool:
    """Whether passages make a difference to the answer."""
    return small_talk(question) is None and any(c.isalnum() for c in question)


@dataclass(frozen=True, slots=True)
class _About:
    question: frozenset[str]
    topic: frozenset[str]

    def coverage(self, text: str) -> float:
        """How much of what is asked a text speaks of; the topic counts where the question leans on it."""
        found = stems(text)
        return coverage(self.question, found) + _TOPIC_WEIGHT * coverage(self.topic, found)


def _about(question: str, background: Background) -> _About:
    topic = background.topic if is_follow_up(question) else ""
    return _About(stems(question), stems(topic))


def _best(question: str, background: Background, language: str) -> Passage | None:
    about = _about(question, background)
    ranked = [(passage, 1 - _RANK_STEP * rank) for rank, passage in enumerate(background.passages)]
    if is_follow_up(question):
        ranked += [(passage, _EARLIER_PASSAGE) for passage in background.earlier]
    if background.page is not None and (ranked or about.coverage(background.page.text) >= _PAGE_COVERS):
        ranked.append((background.page, _PAGE))
    readable = [(passage, worth) for passage, worth in ranked if _sentences(passage)]
    if not readable:
        return None
    return max(readable, key=lambda pair: pair[1] + _fit(pair[0], about, language))[0]


def _fit(passage: Passage, about: _About, language: str) -> float:
    foreign = _language(passage, language) != language
    return about.coverage(f"{passage.title}\n{passage.text}") - (_OTHER_LANGUAGE if foreign else 0.0)


def _read(passage: Passage, about: _About, question: str, language: str) -> tuple[Sentence, ...]:
    spoken_in = _language(passage, language)
    found = _sentences(passage)
    texts = _listenable([piece for n in _choose(found, about, question) for piece in breaths(found[n])])
    warning = () if spoken_in == language else (Sentence(phrase(phrases.ELSEWHERE, language), language),)
    return warning + tuple(Sentence(text, spoken_in) for text in texts)


def _listenable(pieces: Sequence[str]) -> Sequence[str]:
    """As many of the first pieces as are not too long together."""
    words = accumulate(len(piece.split()) for piece in pieces)
    return pieces[: sum(total <= MOST_WORDS for total in words)]


def _choose(found: Sequence[str], about: _About, question: str) -> list[int]:
    """Which sentences, in their order: the one that fits best and those that fit nearly as well, or else the next."""
    fits = [_fits(text, about, question) for text in found]
    best = max(range(len(found)), key=lambda n: (fits[n], -n))
    others = [n for n in range(len(found)) if n != best and fits[n] > 0 and fits[n] >= _NEARLY * fits[best]]
    chosen = [best]
    for n in sorted(others, key=lambda n: -fits[n])[: MOST_SENTENCES - 1] or range(best + 1, len(found))[:1]:
        if sum(len(found[k].split()) for k in [*chosen, n]) <= MOST_WORDS:
            chosen.append(n)
    return sorted(chosen)


def _fits(text: str, about: _About, question: str) -> float:
    """What of the question a sentence speaks of. Asked for a time, a price or an amount, it had better name one."""
    shared = about.coverage(text)
    names_one = _ASKS_NUMBER.search(question) and _NUMBER.search(text)
    return shared + 0.3 if shared and names_one else shared


def _again(said: str, language: str) -> tuple[Sentence, ...]:
    if not said.strip():
        return (Sentence(phrase(phrases.NOTHING_SAID, language), language),)
    spoken_in = language_of(said, language)
    return tuple(Sentence(piece, spoken_in) for text in sentences(said) for piece in breaths(text))


def _language(passage: Passage, otherwise: str) -> str:
    return passage.language[:2].lower() or language_of(passage.text, otherwise)


def _sentences(passage: Passage) -> list[str]:
    return sentences("\n".join(clean(line) for line in passage.text.splitlines()))
