"""Counting and comparing words of a transcript that is still growing.

A streaming transcript ends in the middle of a word most of the time. A word counts as *closed* when white space or
punctuation follows it. Scripts that put no spaces between words are measured in characters instead.
"""

from __future__ import annotations

import re
import unicodedata

_MARKS = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0610-\u061a\u064b-\u065f"
_TOKEN = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?:['’](?:[^\W_]|[{_MARKS}])+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_PIECE = re.compile(rf"{_UNSPACED.pattern}|(?:(?!{_UNSPACED.pattern}).)+")

_QUESTION_MARKS = ("?", "？", "؟")

# What people say before they say anything. Closed lists: a wrong entry only delays a search by a word.
# fmt: off
_FILLER = frozenset({
    "um", "uh", "uhm", "er", "erm", "hmm", "hm", "mm", "oh", "ah", "so", "well", "okay", "ok", "hi", "hello", "hey",
    "there", "please", "euh", "heu", "hum", "ben", "bah", "alors", "bon", "bonjour", "bonsoir", "salut", "allô",
    "allo", "coucou",
})
# fmt: on


def tokens(text: str) -> list[str]:
    """The words of ``text``, case folded; in unspaced scripts each character is one."""
    words = _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())
    return [piece for word in words for piece in _PIECE.findall(word)]


def asking_words(text: str) -> list[str]:
    """The words of ``text`` behind the greeting and filler that it opens with."""
    words = tokens(text)
    start = next((n for n, word in enumerate(words) if word not in _FILLER), len(words))
    return words[start:]


def last_word_is_open(text: str) -> bool:
    """Whether the last word of ``text`` may still grow."""
    return bool(text) and text[-1].isalnum() and not _UNSPACED.match(text[-1])


def is_asked(text: str) -> bool:
    """Whether a question mark closes ``text``."""
    return text.rstrip().endswith(_QUESTION_MARKS)


def count(text: str, characters_per_word: int, *, closed_only: bool) -> int:
    """How many words ask something in ``text``; with ``closed_only`` without a last one that may still grow."""
    words = asking_words(text)
    unspaced = sum(1 for word in words if _UNSPACED.match(word))
    spaced = len(words) - unspaced
    if closed_only and spaced and last_word_is_open(text):
        spaced -= 1
    return spaced + unspaced // characters_per_word


def coverage(known: str, text: str) -> float:
    """Share (0 to 1) of the words of ``text`` that ``known`` has too; 1 where ``text`` has none."""
    wanted = set(asking_words(text))
    return len(wanted & set(tokens(known))) / len(wanted) if wanted else 1.0
