"""A long text in pieces that are found, and read to a model, one by one.

A piece ends where a sentence ends. What is said on the border is in both of its pieces, so that a question about it
finds it beside what it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from voice.knowledge.sentences import sentences

LIMIT: Final = 600
"""Characters of a piece, five or six sentences. Five pieces fill the 3,000 characters that a turn has for its
context, and one vector still says what six sentences are about."""
OVERLAP: Final = 150
"""Characters at most, in whole sentences, that a piece repeats of the one before it: the last one or two."""

Span = tuple[int, int]
"""Where a part of the text begins and ends."""

_PART: Final = re.compile(rf"\S(?:.{{0,{LIMIT - 1}}}(?<=\S))(?!\S)|\S{{1,{LIMIT}}}", re.DOTALL)


def pieces(text: str) -> list[str]:
    """``text`` in order, in slices of at most :data:`LIMIT` characters; none of a text without words.

    A sentence that is longer than a piece is cut between two words, or within a word that is longer than a piece.
    """
    return [text[start:end] for start, end in _joined(list(_parts(text)))]


def _parts(text: str) -> Iterator[Span]:
    """The sentences, each in one part if it fits into a piece."""
    end = 0
    for sentence in sentences(text):
        start = text.index(sentence, end)
        end = start + len(sentence)
        yield from (part.span() for part in _PART.finditer(text, start, end))


def _joined(parts: Sequence[Span]) -> Iterator[Span]:
    """As many parts in each piece as fit."""
    first = 0
    while first < len(parts):
        limit = parts[first][0] + LIMIT
        end = next((index for index in range(first, len(parts)) if parts[index][1] > limit), len(parts))
        yield parts[first][0], parts[end - 1][1]
        first = _following(parts, first, end)


def _following(parts: Sequence[Span], first: int, end: int) -> int:
    """Where the piece after ``parts[first:end]`` begins: as early as its overlap and its size allow."""
    if end == len(parts):
        return end
    earliest = max(parts[end - 1][1] - OVERLAP, parts[end][1] - LIMIT)
    return next((index for index in range(first + 1, end) if parts[index][0] >= earliest), end)
