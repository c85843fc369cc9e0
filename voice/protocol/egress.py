"""What waits to go to the browser, and when it may: two lanes.

The model makes an answer faster than it can be listened to. Sent at once, it would lie in the browser's and the
network's buffers, out of reach of a barge-in, and a slow reader would cost memory without bound. So the answer's lane
(audio, and the text that goes with it) is paced: never more than :data:`AHEAD` seconds before what plays now. All
else goes at once, past the answer: what the visitor must know (a transcript, the end of the session) cannot wait
behind half a minute of speech.
"""

from __future__ import annotations

from collections import deque
from math import inf

from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.commands import (
    Play,
    PlayDone,
    StopPlayback,
    TellAnswerDone,
    TellAnswerTranscript,
    ToBrowser,
)

AHEAD = 2.0
"""Seconds of audio that the browser may hold."""
ANSWER_LIMIT_MS = 60_000
"""Audio that may wait here. An answer of 1,024 output tokens is 51 s long (a token is 50 ms of speech), and the
upstream must be listened to all the while: it is the upstream that hears a barge-in."""
UNHEARD_LIMIT_MS = 20_000
"""The same for a client that should say what it has played, and does not: whoever reads nothing costs a megabyte."""
HEARD_SECONDS = 8.0
"""From one such report to when it is forgotten. A network that stands still for longer is lost anyway."""
MESSAGES_LIMIT = 1_000
"""Messages that may wait here; a client that leaves so many unread does not read at all."""

_ANSWER = (Play, PlayDone, TellAnswerTranscript, TellAnswerDone)


class Egress:
    """The lanes to the browser. Pure: the clock is told. ``reports``: the client has to say what it has played."""

    def __init__(self, *, reports: bool = False) -> None:
        self.answer_ms = 0
        """Audio waiting."""
        self.deepest_ms = 0
        """The most that ever was."""
        self._answer: deque[ToBrowser] = deque()
        self._messages: deque[ToBrowser] = deque()
        self._plays_until = 0.0
        self._heard_until = -inf if reports else inf

    def heard(self, now: float) -> None:
        """The client has played something."""
        self._heard_until = max(self._heard_until, now + HEARD_SECONDS)

    def is_full(self, now: float) -> bool:
        """The answer is longer than what may wait: stop reading the upstream until it is not."""
        return self.answer_ms >= (ANSWER_LIMIT_MS if now < self._heard_until else UNHEARD_LIMIT_MS)

    @property
    def is_stuck(self) -> bool:
        """The client does not read."""
        return len(self._messages) >= MESSAGES_LIMIT

    def push(self, command: ToBrowser, now: float) -> None:
        """Put a command into its lane. A :class:`StopPlayback` empties the answer's lane first."""
        if isinstance(command, _ANSWER):
            self._answer.append(command)
            if isinstance(command, Play):
                self.answer_ms += len(command.pcm) // BYTES_PER_MS
                if self.answer_ms > self.deepest_ms:
                    self.deepest_ms = self.answer_ms
            return
        if isinstance(command, StopPlayback):
            self.silence(now)
        self._messages.append(command)

    def silence(self, now: float) -> None:
        """Drop what was not sent of the answer; the browser will drop what it holds."""
        self._answer.clear()
        self.answer_ms = 0
        self._plays_until = now

    def is_due(self, now: float) -> bool:
        """Whether something may go out now."""
        return bool(self._messages) or (bool(self._answer) and self._plays_until - now <= AHEAD)

    def pop(self, now: float) -> ToBrowser:
        """What goes out next. Only while something is due."""
        if self._messages:
            return self._messages.popleft()
        first = self._answer.popleft()
        if isinstance(first, Play):
            milliseconds = len(first.pcm) // BYTES_PER_MS
            self.answer_ms -= milliseconds
            self._plays_until = (self._plays_until if self._plays_until > now else now) + milliseconds / 1000
        return first

    def wait(self, now: float) -> float | None:
        """Seconds until something is due, ``None`` if only a :meth:`push` can bring it."""
        if self._messages:
            return 0.0
        return max(0.0, self._plays_until - now - AHEAD) if self._answer else None
