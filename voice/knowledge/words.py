"""The words of a question that say what it is about."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from voice.knowledge.stop_words import STOP_WORDS

_WORD: Final = re.compile(r"\w+")


def primary(language: str) -> str:
    """The language proper of a language tag: ``fr`` of ``fr-CA`` and ``FR_ca``."""
    return re.split(r"[-_]", language.strip().lower(), maxsplit=1)[0]


def content_words(text: str, language: str) -> tuple[str, ...]:
    """The different words of ``text``, folded, in order, without those that any question could contain.

    If nothing else is left ("who are you?"), the small words are what it is about.
    """
    words = tuple(dict.fromkeys(_WORD.findall(folded(text))))
    stop_words = STOP_WORDS.get(primary(language), frozenset())
    return tuple(word for word in words if word not in stop_words) or words


def folded(text: str) -> str:
    """``text`` in lower case and without accents, as a recogniser or a hurried typist may leave them out."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
