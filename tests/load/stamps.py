"""What a frame of audio carries so that it can be recognised behind a bridge: its number, and when it was sent.

Twelve bytes at the beginning of the PCM, so sixteen characters of its base64. The clock is the machine's monotonic one,
which all its processes share.
"""

from __future__ import annotations

import struct
import time
from array import array
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

_STAMP = struct.Struct(">IQ")
SIZE = _STAMP.size
GRACE = 0.5
"""Seconds that a frame may take; one that takes longer is late, and counts as an error."""
ENCODED = SIZE * 4 // 3
"""Characters of base64."""


class Departures:
    """The frames of one session in one direction, as they are sent. Each has its number, then ``body``."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._sent_at = array("q")

    def frame(self) -> bytes:
        """The next, which is sent now."""
        now = time.monotonic_ns()
        self._sent_at.append(now)
        return _STAMP.pack(len(self._sent_at) - 1, now) + self._body

    def within(self, begin: int, end: int) -> int:
        """How many were sent between these two instants."""
        return sum(begin <= sent_at < end for sent_at in self._sent_at)


@dataclass
class Arrivals:
    """The frames of one session in one direction, as they arrive."""

    expected: int = 0
    lost: int = 0
    """Numbers that were left out, or came again."""
    sent_at: array[int] = field(default_factory=lambda: array("q"))
    took: array[int] = field(default_factory=lambda: array("q"))
    """Nanoseconds, for each frame."""

    def add(self, frame: bytes) -> None:
        """This frame arrives now."""
        number, sent_at = _STAMP.unpack_from(frame)
        self.lost += abs(number - self.expected)
        self.expected = number + 1
        self.sent_at.append(sent_at)
        self.took.append(time.monotonic_ns() - sent_at)

    def add_encoded(self, frame: bytes, key: bytes) -> None:
        """The frame that stands as base64 behind ``key`` in this event arrives now."""
        begin = frame.index(b'"', frame.index(key) + len(key) + 1) + 1
        self.add(b64decode(frame[begin : begin + ENCODED]))

    def within(self, begin: int, end: int) -> list[int]:
        """What the frames took that were sent between these two instants."""
        return [took for sent_at, took in zip(self.sent_at, self.took, strict=True) if begin <= sent_at < end]


BEHIND_MS = 20.0
"""A server that adds more than this, at the median, has fallen behind."""


def is_behind(figures: Mapping[str, Any]) -> bool:
    """Whether its CPU time is worth nothing: it has no more of it, and handles frames in batches."""
    return any(added > BEHIND_MS for added in figures["added_ms"].values())


def percentile(values: list[float], percent: float) -> float:
    """Of the nearest rank: a value that was measured. 0 if there is none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def summary(took: list[int]) -> dict[str, float]:
    """The percentiles in milliseconds."""
    return {f"p{percent}": round(percentile(list(took), percent) / 1e6, 2) for percent in (50, 95, 99)}
