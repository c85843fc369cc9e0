"""What the prefetch finds over the demonstration's knowledge while 140 questions are being said."""

import pytest

from tests.benchmarks.growing_questions import LANGUAGES, Figures, ask, figures, knowledge
from tests.benchmarks.questions import questions


@pytest.fixture(scope="module")
def measured() -> Figures:
    """All questions, once."""
    index = knowledge()
    return figures(ask(question, index) for language in LANGUAGES for question in questions(language))


def test_the_right_passage_stands_there_when_speech_ends(measured: Figures) -> None:
    print(measured)
    assert measured.count >= 60
    assert measured.early >= 0.75


def test_and_more_often_after_the_last_search(measured: Figures) -> None:
    assert measured.right >= 0.9


def test_little_is_searched_for_in_vain(measured: Figures) -> None:
    assert measured.wasted <= 1.5
