"""What is found of a question while it is being said: the prefetch over the demonstration's knowledge.

    python -m tests.benchmarks.growing_questions

Each question is fed to the core word by word, as a transcript grows, at the pace of speech and on a simulated clock;
the knowledge is the real one. It is right if the document that answers the question is among the first three.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.questions import Question, documents, questions
from tests.unit.protocol.script import Script
from voice.knowledge.encoder import Encoder, sentence_encoder
from voice.knowledge.local.embedding import vectors_of
from voice.knowledge.local.index import Index
from voice.knowledge.local.shelf import Document
from voice.knowledge.options import KnowledgeOptions
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.policy import ContextPolicy, PrefetchPolicy

LANGUAGES = ("en", "fr")
WORD_MS = 400
"""2.5 words a second."""
SILENCE_MS = 300
"""From the last word to the VAD's word that speech has stopped."""
SEARCH_MS = 20
"""What a search takes. The embedded knowledge needs about 10 ms."""
STEP_MS = 10
TOP = 3


@dataclass(frozen=True)
class Asked:
    """How that went."""

    question: Question
    early: bool
    """The right document stood in the conversation when speech ended."""
    right: bool
    """It did when the answer was requested."""
    searches: int
    wasted: int
    """Searches that no answer used."""


@dataclass(frozen=True)
class Figures:
    """Shares (0 to 1) and means over questions."""

    count: int
    early: float
    right: float
    searches: float
    wasted: float

    def __str__(self) -> str:
        return (
            f"{self.count} questions; right document among the first {TOP}: {self.early:.0%} when speech ends,"
            f" {self.right:.0%} after the last search; {self.searches:.1f} searches a turn, {self.wasted:.1f} wasted"
        )


def knowledge() -> Index:
    """The demonstration's texts, with their vectors."""
    encoder = sentence_encoder()
    assert encoder is not None, "the sentence encoder is missing"
    rows = [(language, row) for language in LANGUAGES for row in documents(language)]
    return Index((_document(pk, language, row, encoder) for pk, (language, row) in enumerate(rows, 1)), encoder)


def kept_knowledge(database: Path) -> Index:
    """The same, out of the ``database`` of a site that has made the vectors: that takes half a minute."""
    encoder = sentence_encoder()
    assert encoder is not None, "the sentence encoder is missing"
    query = "SELECT id, revision, title, body, url, language, vector FROM voice_knowledgedocument"
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(query).fetchall()
    return Index((Document(*row[:-1], vectors=row[-1]) for row in rows), encoder)


def ask(question: Question, index: Index) -> Asked:
    """One turn, from the first word to the request of an answer."""
    script, words = Script(PrefetchPolicy()), question.text.split()
    stopped, early = WORD_MS * len(words) + SILENCE_MS, False
    script.at(0, e.SpeechStarted("item_u"))
    for now in range(STEP_MS, stopped + 1_000, STEP_MS):
        if now == stopped:
            early = question.title in _standing(script)
            script.at(now, e.SpeechStopped("item_u"), e.InputCommitted("item_u"))
        elif now % WORD_MS == 0 and now // WORD_MS <= len(words):
            script.at(now, e.TranscriptPartial("item_u", " ".join(words[: now // WORD_MS])))
        script.at(now, *_results(script, now, question.language, index))
    right = question.title in _standing(script)
    script.close(stopped + 1_000)
    searches = script.last(c.TurnEnded).searches
    asked = sum(searches.values())
    return Asked(question, early, right, asked, asked - searches.get("hit", 0))


def figures(asked: Iterable[Asked]) -> Figures:
    """Over all of them."""
    turns = list(asked)
    early, right = sum(turn.early for turn in turns), sum(turn.right for turn in turns)
    searches, wasted = sum(turn.searches for turn in turns), sum(turn.wasted for turn in turns)
    return Figures(len(turns), *(total / len(turns) for total in (early, right, searches, wasted)))


def _results(script: Script, now: int, language: str, index: Index) -> list[e.PassagesRetrieved]:
    due = [told.command for told in script.told if told.at == now - SEARCH_MS and isinstance(told.command, c.Retrieve)]
    limit = ContextPolicy().passages
    return [
        e.PassagesRetrieved(each.search_id, index.search(each.query, language, KnowledgeOptions(), limit))
        for each in due
    ]


def _standing(script: Script) -> list[str]:
    """The titles of the first passages of the context that stands in the conversation."""
    deleted = {command.item_id for command in script.all(c.DeleteItem)}
    standing = [command for command in script.all(c.InjectContext) if command.item_id not in deleted]
    return [passage.title for each in standing[-1:] for passage in each.passages[:TOP]]


def _document(pk: int, language: str, row: dict[str, str], encoder: Encoder) -> Document:
    return vectors_of(Document(pk, pk, row["title"], row["body"], row.get("url", ""), language), encoder)


def main() -> None:
    """The command line."""
    index = knowledge()
    asked = [ask(question, index) for language in LANGUAGES for question in questions(language)]
    for language in LANGUAGES:
        print(f"{language}: {figures(turn for turn in asked if turn.question.language == language)}")
    print(f"all: {figures(asked)}")
    for turn in asked:
        if not turn.right:
            print(f"  {turn.question.text}  ->  {turn.question.title}")


if __name__ == "__main__":
    main()
