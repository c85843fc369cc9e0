"""The words of one utterance: when the recogniser is asked, and which of its answers still counts."""

from __future__ import annotations

from dataclasses import dataclass

from .jobs import Transcribe
from .options import LocalOptions

#: Seconds without a further attempt after a partial transcript was refused for lack of processors.
REFUSED_PAUSE = 1.0


@dataclass(slots=True)
class Dictation:
    """``partial`` and ``final`` are the ids of the jobs under way, ``text`` is the final transcript once it stands."""

    item_id: str
    shown: str = ""
    partial: str | None = None
    final: str | None = None
    text: str | None = None
    _asked_at: float = 0.0
    _next_at: float = 0.0

    def may_ask(self, now: float) -> bool:
        """Whether it is time for a partial transcript."""
        return self.partial is None and now >= self._next_at

    def ask_partial(self, job_id: str, sound: bytes, now: float) -> Transcribe:
        """The job of a partial transcript."""
        self.partial, self._asked_at = job_id, now
        return Transcribe(job_id, sound, final=False)

    def ask_final(self, job_id: str, sound: bytes) -> Transcribe:
        """The job of the final transcript. It takes the place of a partial one."""
        self.partial, self.final = None, job_id
        return Transcribe(job_id, sound, final=True)

    def took(self, now: float, options: LocalOptions) -> None:
        """A partial transcript came back: half of the time is left to others, however slow it was."""
        self.partial = None
        self._next_at = max(self._asked_at + options.partial_ms / 1000, 2 * now - self._asked_at)

    def refused(self, now: float) -> None:
        """A partial transcript failed."""
        self.partial = None
        self._next_at = now + REFUSED_PAUSE

    def show(self, text: str) -> bool:
        """Whether ``text`` is news to whoever reads along."""
        if not text or text == self.shown:
            return False
        self.shown = text
        return True
