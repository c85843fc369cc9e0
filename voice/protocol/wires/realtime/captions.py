"""The visitor's words as deltas, which can only be appended, from texts that may be revised."""

from __future__ import annotations

KEPT = 8
"""Utterances remembered at a time."""


class Captions:
    """What was told of each utterance. The newest word is held back until it is closed: it is the one that changes."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._early: dict[str, str] = {}

    def grow(self, item_id: str, text: str) -> str:
        """What may be appended now that the words so far are ``text``; empty where they revise what was told."""
        told = self._told.pop(item_id, "")
        closed = text[: text.rfind(" ") + 1].rstrip()
        grows = closed.startswith(told)
        _remember(self._told, item_id, closed if grows else told)
        return closed[len(told) :] if grows else ""

    def finish(self, item_id: str, text: str) -> str:
        """The last of them: the words are ``text``, and the whole is told beside."""
        told = self._told.pop(item_id, "")
        return text[len(told) :] if text.startswith(told) else ""

    def keep(self, item_id: str, text: str) -> None:
        """The whole is there before the item."""
        _remember(self._early, item_id, text)

    def early(self, item_id: str) -> str | None:
        """The whole that was kept, once."""
        return self._early.pop(item_id, None)


def _remember(texts: dict[str, str], item_id: str, text: str) -> None:
    texts[item_id] = text
    if len(texts) > KEPT:
        del texts[next(iter(texts))]
