"""What waits to go upstream: the visitor's audio and the conversation's commands, in one order.

Their order matters (a commit belongs behind the audio that it commits), so they share one lane. Commands are few and
never dropped. Audio is bounded: old audio is worthless, so when the upstream stalls, the oldest goes first.
"""

from __future__ import annotations

from collections import deque

from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.commands import ToUpstream

AUDIO_LIMIT = 2_000 * BYTES_PER_MS
"""Bytes of audio kept while the upstream is being dialled, or stalls: two seconds."""
SMALLEST = BYTES_PER_MS
"""A piece counts as at least a millisecond, so that a flood of tiny ones is bounded too."""


class Backlog:
    """The lane to the upstream."""

    def __init__(self) -> None:
        self._lane: deque[bytes | ToUpstream] = deque()
        self._audio = self.deepest = 0
        """Bytes of audio waiting, and the most that ever were."""
        self.dropped = 0
        """Pieces of audio that had to go, in all."""

    def push_audio(self, pcm: bytes) -> None:
        """Put a piece of the visitor's audio at the end, at the cost of the oldest if there is too much."""
        self._lane.append(pcm)
        self._audio += max(len(pcm), SMALLEST)
        while self._audio > AUDIO_LIMIT:
            self._drop_oldest_audio()
        self.deepest = max(self.deepest, self._audio)

    def push(self, command: ToUpstream) -> None:
        """Put a command at the end."""
        self._lane.append(command)

    def pop(self) -> bytes | ToUpstream | None:
        """What goes out next."""
        if not self._lane:
            return None
        first = self._lane.popleft()
        if isinstance(first, bytes):
            self._audio -= max(len(first), SMALLEST)
        return first

    def clear(self) -> list[bytes]:
        """Take everything out; returns the audio. The commands were for somebody who is gone."""
        audio = [waiting for waiting in self._lane if isinstance(waiting, bytes)]
        self._lane.clear()
        self._audio = 0
        return audio

    def _drop_oldest_audio(self) -> None:
        for n, waiting in enumerate(self._lane):
            if isinstance(waiting, bytes):
                del self._lane[n]
                self._audio -= max(len(waiting), SMALLEST)
                self.dropped += 1
                return
