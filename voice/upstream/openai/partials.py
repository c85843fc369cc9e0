"""Whether what the visitor says is written while they say it: nobody promises it, so it is observed.

A turn is judged by its first words: they come before its commit (``streaming``) or only after it (``late``). One turn
that streams shows that the session does; until then, the first late turn says that it does not.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Literal

from voice.protocol.events import InputCommitted, TranscriptDelta, TranscriptDone, TranscriptPartial, UpstreamEvent

logger = logging.getLogger(__name__)

Verdict = Literal["streaming", "late"]

_KEPT = 8
"""Turns remembered at a time; a transcript may come a few turns late."""


class PartialsObserver:
    """Judges each turn of a session, and the session, from the events that the conversation is told."""

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        """That of the session; ``None`` while no word has come."""
        self._turns: dict[str, Verdict | None] = {}

    def restart(self) -> None:
        """The words come another way from now on. Turns that were judged are not judged again."""
        self.verdict = None

    def see(self, event: UpstreamEvent) -> Verdict | None:
        """The verdict on a turn, at the event that decides it; otherwise ``None``."""
        match event:
            case InputCommitted(item_id=item_id) if item_id not in self._turns:
                self._note(item_id, None)
            case (
                TranscriptDelta(item_id=item_id, delta=words)
                | TranscriptPartial(item_id=item_id, text=words)
                | TranscriptDone(item_id=item_id, text=words)
            ):
                return self._judge(item_id) if words.strip() else None
        return None

    def _judge(self, item_id: str) -> Verdict | None:
        if self._turns.get(item_id):
            return None
        verdict: Verdict = "late" if item_id in self._turns else "streaming"
        self._note(item_id, verdict)
        if self.verdict != "streaming":
            self.verdict = verdict
        return verdict

    def _note(self, item_id: str, verdict: Verdict | None) -> None:
        self._turns[item_id] = verdict
        while len(self._turns) > _KEPT:
            del self._turns[next(iter(self._turns))]


@cache
def tell_operators(partials: str, model: str) -> None:
    """Log how words come in this process's sessions: once for each way, as it is the same in all of them."""
    match partials:
        case "streaming":
            logger.info("OpenAI writes what visitors say while they say it (%s)", model)
        case "second_socket":
            logger.info("OpenAI writes what visitors say while they say it, over a second connection (%s)", model)
        case "late":
            logger.warning("OpenAI writes what visitors say only after they have said it (%s)", model)
