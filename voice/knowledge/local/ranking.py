"""Which texts answer a question, best first, and which do not fit at all."""

from __future__ import annotations

from collections.abc import Mapping

from voice.knowledge.local.lexical import Match

Ranked = list[tuple[int, float]]
"""Number and score of the texts that fit, best first."""


def by_meaning(
    closeness: Mapping[int, float], matches: Mapping[int, Match], *, min_score: float, lexical_weight: float
) -> Ranked:
    """By closeness of meaning, corrected a little by equal words; the words alone never let a text in.

    BM25 has no fixed scale: it counts relative to the best match of the same question.
    """
    best = max((match.relevance for match in matches.values()), default=0.0)
    scale = lexical_weight / best if best > 0 else 0.0
    scores = {n: score for n, score in closeness.items() if score >= min_score}
    for n in scores.keys() & matches.keys():
        scores[n] += scale * matches[n].relevance
    return _best_first(scores)


def by_words(matches: Mapping[int, Match], *, min_overlap: float) -> Ranked:
    """By equal words alone, for texts that have no vectors."""
    return _best_first({n: match.relevance for n, match in matches.items() if match.overlap >= min_overlap})


def _best_first(scores: Mapping[int, float]) -> Ranked:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
