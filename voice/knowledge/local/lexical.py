"""Search by words: SQLite's FTS5 and its BM25, in memory.

The connection is our own, so that it is the same whatever database the site uses.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final
from weakref import finalize

from voice.knowledge.words import content_words, folded, primary

QUERY_WORDS: Final = 32
"""A longer question is searched by its last words, so that the time is bounded: each word is a query."""


@dataclass(frozen=True, slots=True)
class Match:
    """How a text matches the words of a question."""

    relevance: float
    """BM25; greater is better. Comparable within one search only."""
    overlap: float
    """The share of the question's words that the text contains, above 0 to 1."""


class LexicalIndex:
    """The words of an unchanging set of texts, by their numbers. Safe to use from any thread."""

    def __init__(self, texts: Mapping[int, str], language: str) -> None:
        # English words are cut to stems ("refunds" finds "refund"); FTS5 has no stems for other languages.
        tokenizer = "porter unicode61" if primary(language) == "en" else "unicode61"
        self._lock = Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        # Not closed by hand: another thread may still be searching the index that a newer one has replaced.
        finalize(self, self._connection.close)
        self._connection.execute(f"CREATE VIRTUAL TABLE texts USING fts5(text, content='', tokenize='{tokenizer}')")
        self._connection.executemany(
            "INSERT INTO texts(rowid, text) VALUES (?, ?)", ((n, folded(text)) for n, text in texts.items())
        )

    def search(self, question: str, language: str) -> dict[int, Match]:
        """The texts that share a word with ``question``, which is in ``language``."""
        words = content_words(question, language)[-QUERY_WORDS:]
        relevance: dict[int, float] = {}
        count: dict[int, int] = {}
        for word in words:
            for n, bm25 in self._containing(word):
                # BM25 is a sum over the words of the question; FTS5 makes it negative.
                relevance[n] = relevance.get(n, 0.0) - bm25
                count[n] = count.get(n, 0) + 1
        return {n: Match(relevance[n], found / len(words)) for n, found in count.items()}

    def _containing(self, word: str) -> list[tuple[int, float]]:
        # The quotes make any word a plain string: NEAR, OR and the like are no operators here.
        with self._lock:
            return self._connection.execute(
                "SELECT rowid, bm25(texts) FROM texts WHERE texts MATCH ?", (f'"{word}"',)
            ).fetchall()
