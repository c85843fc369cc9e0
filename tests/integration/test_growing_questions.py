"""What the prefetch finds over the demonstration's knowledge while 140 questions are being said."""

from pathlib import Path

import pytest

from tests import demo
from tests.benchmarks.growing_questions import LANGUAGES, Figures, ask, figures, kept_knowledge
from tests.benchmarks.questions import questions


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """All questions, once. With a key, the demonstration starts without speech models."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with demo.running(folder, OPENAI_API_KEY="sk-test"):
        index = kept_knowledge(folder / "demo.sqlite3")
    return figures(ask(question, index) for language in LANGUAGES for question in questions(language))


def test_the_right_passage_stands_there_when_speech_ends(measured: Figures) -> None:
    print(measured)
    assert measured.count >= 60
    assert measured.early >= 0.75


def test_and_more_often_after_the_last_search(measured: Figures) -> None:
    assert measured.right >= 0.9


def test_little_is_searched_for_in_vain(measured: Figures) -> None:
    assert measured.wasted <= 1.5
