"""When what happened in a turn. The figures of records, statistics and the latency probe come from here only."""

from __future__ import annotations

from enum import StrEnum


class Mark(StrEnum):
    """The instants of a turn that are kept. Each is the first of its kind, ``CONTEXT_READY`` the last."""

    SPEECH_STARTED = "speech_started"
    FIRST_PARTIAL = "first_partial"
    SEARCH_STARTED = "search_started"
    CONTEXT_READY = "context_ready"
    SPEECH_STOPPED = "speech_stopped"
    """The VAD's word, its silence window included; of a typed question, the instant it came."""
    COMMITTED = "committed"
    RESPONSE_REQUESTED = "response_requested"
    RESPONSE_STARTED = "response_started"
    FIRST_AUDIO = "first_audio"
    FIRST_HEARD = "first_heard"
    ENDED = "ended"


_LATENCIES = (
    Mark.CONTEXT_READY,
    Mark.RESPONSE_REQUESTED,
    Mark.RESPONSE_STARTED,
    Mark.FIRST_AUDIO,
    Mark.FIRST_HEARD,
)


class Timeline:
    """The marks of one turn, in seconds of whatever clock the conversation is told."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._at: dict[Mark, float] = {}

    def mark(self, mark: Mark, now: float) -> None:
        """Keep the first instant of ``mark``."""
        if mark not in self._at:
            self._at[mark] = now

    def remark(self, mark: Mark, now: float) -> None:
        """Keep the last instant of ``mark``."""
        self._at[mark] = now

    def at(self, mark: Mark) -> float | None:
        """When that was, if it was."""
        return self._at.get(mark)

    def marks(self) -> dict[str, int]:
        """Milliseconds since the turn began, by name, in order."""
        return {m.value: round((at - self._began) * 1000) for m, at in sorted(self._at.items(), key=lambda kv: kv[1])}

    def latencies(self) -> dict[str, int]:
        """Milliseconds from ``speech_stopped`` (negative: before it), by name; empty if there was none."""
        stopped = self._at.get(Mark.SPEECH_STOPPED)
        if stopped is None:
            return {}
        return {m.value: round((self._at[m] - stopped) * 1000) for m in _LATENCIES if m in self._at}
