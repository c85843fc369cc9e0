"""The words that say what a question is about."""

import pytest

from voice.knowledge.sentences import sentences
from voice.knowledge.words import content_words, folded, primary


@pytest.mark.parametrize(
    ("tag", "language"), [("fr", "fr"), ("fr-CA", "fr"), ("FR_ca", "fr"), (" en-GB ", "en"), ("", "")]
)
def test_a_tag_begins_with_its_language(tag: str, language: str) -> None:
    assert primary(tag) == language


@pytest.mark.parametrize(
    ("question", "language", "words"),
    [
        ("Hi, could you tell me the price of a ticket?", "en-GB", ("price", "ticket")),
        ("Bonjour, est-ce que l’entrée est gratuite ?", "fr", ("entree", "gratuite")),
        ("tickets, tickets and tickets", "en", ("tickets",)),
        ("wo ist das Museum", "de", ("wo", "ist", "das", "museum")),
    ],
)
def test_words_that_any_question_could_contain_are_left_out(
    question: str, language: str, words: tuple[str, ...]
) -> None:
    assert content_words(question, language) == words


def test_small_words_count_where_there_are_no_others() -> None:
    assert content_words("Who are you?", "en") == ("who", "are", "you")


def test_accents_and_case_make_no_difference() -> None:
    assert folded("Élève À L’ŒUVRE") == folded("eleve a l’œuvre")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open daily. Closed on Mondays!  Why?", ["Open daily.", "Closed on Mondays!", "Why?"]),
        ("Costs 2.50 euros", ["Costs 2.50 euros"]),
        ("A list\n- one\n\n- two", ["A list", "- one", "- two"]),
        ("开放时间。周一闭馆。", ["开放时间。", "周一闭馆。"]),
        ("  ", []),
    ],
)
def test_a_text_is_cut_into_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected
