"""What the visitor said, item by item. Transcripts come early, late, out of order, and for items nobody knows yet."""

from __future__ import annotations

from voice.protocol.commands import QuestionCorrected

KEPT = 8
"""Utterances remembered at a time. A final transcript has been seen 20 s late, a few turns at most."""
LIMIT = 20_000
"""Characters kept of one utterance; nobody says more in ten minutes."""


class Transcripts:
    """The text of the newest utterances by item id."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def append(self, item_id: str, delta: str) -> str:
        """Add ``delta`` verbatim; returns the whole."""
        return self.replace(item_id, self._texts.get(item_id, "") + delta)

    def replace(self, item_id: str, text: str) -> str:
        """``text`` is the whole now."""
        if item_id not in self._texts and len(self._texts) >= KEPT:
            del self._texts[next(iter(self._texts))]
        self._texts[item_id] = text[:LIMIT]
        return self._texts[item_id]

    def get(self, item_id: str) -> str:
        """What is known of this utterance; empty if nothing is."""
        return self._texts.get(item_id, "")


class Asked:
    """The questions of the newest turns that are over, as they were recorded, by item id."""

    def __init__(self) -> None:
        self._questions: dict[str, tuple[int, str]] = {}

    def note(self, item_id: str, number: int, question: str) -> None:
        """Turn ``number`` is over, and this was known of what was asked. Without an ``item_id`` nothing can follow."""
        if item_id:
            self._questions[item_id] = number, question
            if len(self._questions) > KEPT:
                del self._questions[next(iter(self._questions))]

    def corrected(self, item_id: str, text: str) -> list[QuestionCorrected]:
        """The final transcript came; what the records are to be told of it, if the turn is over and they know less."""
        number, known = self._questions.get(item_id, (0, text))
        if known == text:
            return []
        self._questions[item_id] = number, text
        return [QuestionCorrected(number, text)]
