"""Words as retrieval sees them: folded, stripped of endings and of what says nothing; and a guess at the language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP = {
    "en": _set(
        "a about after all also am an and any are as at be been before between both but by can could did do does doing "
        "for from get give go had has have he her here him his how i if in into is it its just know let like many me "
        "more most much must my need no not of off on one only or other our out over please same shall she should so "
        "some tell than that the their them then there these they this those to too under until up us very want was "
        "we were what when where which while who whom why will with would you your yours"
    ),
    "fr": _set(
        "a ai ainsi alors apres as au aucun aussi autre aux avant avec avez avoir avons bien c ca car ce cela ces "
        "cet cette ceux chez combien comme comment d dans de depuis des deux dire dit dites doit donc dont du elle "
        "elles en encore entre es est et etaient etait etes etre eu eux fait faire faut il ils j je jusqu l la le les "
        "leur leurs lui lorsque m ma mais me meme mes moi mon n ne ni nos notre nous on ont ou par pas peu peut peux "
        "plait plus pour pourquoi pouvez puis puisque qu quand que quel quelle quelles quels qui quoi s sa sans se "
        "sera ses si sil sont sous suis sur t ta te tes toi ton tous tout toute toutes tres tu un une vers veux "
        "voici voila vos votre voudrais vous y"
    ),
}

_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ement", "ing", "ent", "ee", "er", "ed", "ez", "on", "ir", "e", "y")
_SHORTEST_STEM = 3
_LONGEST_STEM = 7


def fold(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """The words of a text, folded, in order; an apostrophe separates."""
    return _WORD.findall(fold(text))


def stems(text: str) -> frozenset[str]:
    """What a text is about, in a form in which "Sundays" and "Sunday", "ouvert" and "ouverts" are the same."""
    return frozenset(_stem(word) for word in words(text) if word not in _STOP["en"] and word not in _STOP["fr"])


def coverage(asked: frozenset[str], text: Iterable[str]) -> float:
    """The share of ``asked`` that occurs in ``text``, both stems; 0.0 if nothing is asked."""
    return len(asked.intersection(text)) / len(asked) if asked else 0.0


def language_of(text: str, otherwise: str) -> str:
    """English or French, whichever has more of its small words in ``text``; ``otherwise`` where that says nothing."""
    found = words(text)
    counts = {language: sum(word in stop for word in found) for language, stop in _STOP.items()}
    best, other = sorted(counts, key=lambda language: -counts[language])
    return best if counts[best] > counts[other] else otherwise


def _stem(word: str) -> str:
    if len(word) > _SHORTEST_STEM and word.endswith("s"):
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)][:_LONGEST_STEM]
    return word[:_LONGEST_STEM]
