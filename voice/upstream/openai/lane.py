"""What waits for the second socket: frames and commits in one order, never more than two seconds of audio.

Nobody waits for it. When the second service stalls the oldest audio goes first, as it does where audio waits for the
first; a commit stays, for the words before it are then those of what is left.
"""

from __future__ import annotations

from collections import deque

AUDIO_LIMIT_MS = 2_000
COMMIT_MIN_MS = 100
"""The service refuses to commit less audio."""

_SMALLEST_MS = 1
"""A frame counts as at least a millisecond, so that a flood of tiny ones is bounded too."""


class Lane:
    """Frames as they will be sent, each with the audio in it: 0 ms for a commit."""

    def __init__(self) -> None:
        self.uncommitted_ms = 0
        """Audio since the last commit."""
        self.dropped_ms = 0
        """Audio that had to go, in all."""
        self._frames: deque[tuple[bytes, int]] = deque()
        self._waiting_ms = 0

    def push(self, frame: bytes, milliseconds: int) -> None:
        """Put a frame of audio at the end, at the cost of the oldest if there is too much."""
        milliseconds = max(milliseconds, _SMALLEST_MS)
        self._frames.append((frame, milliseconds))
        self._waiting_ms += milliseconds
        self.uncommitted_ms += milliseconds
        while self._waiting_ms > AUDIO_LIMIT_MS:
            self._drop_oldest()

    def commit(self, frame: bytes) -> bool:
        """Put a commit at the end, if there is enough to commit; whether there is."""
        if self.uncommitted_ms < COMMIT_MIN_MS:
            return False
        self._frames.append((frame, 0))
        self.uncommitted_ms = 0
        return True

    def clear(self, frame: bytes) -> None:
        """Forget what was said since the last commit: here, and by the event in ``frame`` where it was sent already."""
        while self._frames and self._frames[-1][1]:
            self._waiting_ms -= self._frames.pop()[1]
        if not self._frames or self._frames[-1][0] != frame:
            self._frames.append((frame, 0))
        self.uncommitted_ms = 0

    def pop(self) -> bytes | None:
        """What goes out next."""
        if not self._frames:
            return None
        frame, milliseconds = self._frames.popleft()
        self._waiting_ms -= milliseconds
        return frame

    def _drop_oldest(self) -> None:
        for n, (_, milliseconds) in enumerate(self._frames):
            if milliseconds:
                del self._frames[n]
                self._waiting_ms -= milliseconds
                self.dropped_ms += milliseconds
                return
