"""The spoken-style questions about the demonstration's texts, each with the document that answers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

QUESTIONS = Path(__file__).parent.parent / "questions.json"
DOCUMENTS = Path("project/demo/knowledge")
ASKED_ALONE = ("literal", "paraphrase")
"""The kinds of question that need no other one before them, and that the site can answer."""


@dataclass(frozen=True)
class Question:
    """What is asked, and the title of the document that answers it."""

    language: str
    text: str
    title: str


def questions(language: str) -> list[Question]:
    """All of this language that can be asked alone."""
    titles = {row["slug"]: row["title"] for row in documents(language)}
    rows = json.loads(QUESTIONS.read_text())[language]
    return [Question(language, row["question"], titles[row["slug"]]) for row in rows if row["kind"] in ASKED_ALONE]


def documents(language: str) -> list[dict[str, str]]:
    """The demonstration's texts, as its files have them."""
    rows: list[dict[str, str]] = json.loads((DOCUMENTS / f"{language}.json").read_text())
    return rows
