"""Which texts fit, and in which order."""

from voice.knowledge.local.lexical import LexicalIndex, Match
from voice.knowledge.local.ranking import by_meaning, by_words


def rank(closeness: dict[int, float], matches: dict[int, Match], weight: float = 0.05) -> list[int]:
    return [n for n, _ in by_meaning(closeness, matches, min_score=0.2, lexical_weight=weight)]


def test_the_closest_meaning_is_first() -> None:
    assert rank({1: 0.3, 2: 0.5, 3: 0.4}, {}) == [2, 3, 1]


def test_equal_words_decide_between_like_meanings() -> None:
    assert rank({1: 0.41, 2: 0.40}, {2: Match(7.0, 1.0)}) == [2, 1]


def test_equal_words_count_relative_to_the_best_match() -> None:
    assert rank({1: 0.41, 2: 0.40}, {1: Match(70.0, 1.0), 2: Match(7.0, 1.0)}) == [1, 2]


def test_what_is_too_far_in_meaning_does_not_fit_whatever_its_words() -> None:
    assert rank({1: 0.19, 2: 0.2}, {1: Match(9.0, 1.0)}) == [2]


def test_without_vectors_enough_of_the_words_must_be_there() -> None:
    matches = {1: Match(2.0, 0.5), 2: Match(9.0, 0.2), 3: Match(3.0, 0.4)}
    assert by_words(matches, min_overlap=0.33) == [(3, 3.0), (1, 2.0)]


def test_equal_scores_have_a_fixed_order() -> None:
    assert rank({3: 0.4, 1: 0.4, 2: 0.4}, {}) == [1, 2, 3]


def test_english_words_are_compared_by_their_stems() -> None:
    found = LexicalIndex({1: "Refunds are paid in a week"}, "en").search("refund payment", "en")
    assert found[1].overlap == 0.5


def test_accents_are_no_matter() -> None:
    assert LexicalIndex({1: "Entrée gratuite"}, "fr").search("ENTREE", "fr")[1].overlap == 1.0


def test_a_rare_word_says_more_than_a_common_one() -> None:
    texts = {1: "museum shop", 2: "museum garden", 3: "museum tower", 4: "museum cafe"}
    found = LexicalIndex(texts, "en").search("museum tower", "en")
    assert max(found, key=lambda n: found[n].relevance) == 3
    assert found.keys() == texts.keys()


def test_operators_are_plain_words() -> None:
    assert LexicalIndex({1: "NEAR the NOT"}, "de").search('near" OR x*', "de").keys() == {1}
