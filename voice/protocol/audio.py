"""The one audio format of the product: PCM, 16 bit little endian, mono, 24 kHz.

It is what the Realtime API speaks (``{"type": "audio/pcm", "rate": 24000}``), what the browser sends and plays,
and what the ports carry, so that no floor has to convert or to ask.
"""

from __future__ import annotations

SAMPLE_RATE = 24_000
"""Samples a second."""

BYTES_PER_SAMPLE = 2

BYTES_PER_MS = SAMPLE_RATE * BYTES_PER_SAMPLE // 1000
"""48 bytes are a millisecond."""


def duration_ms(byte_count: int) -> int:
    """How many whole milliseconds of audio ``byte_count`` bytes hold."""
    return byte_count // BYTES_PER_MS


def silence(milliseconds: int) -> bytes:
    """``milliseconds`` of digital silence."""
    return bytes(milliseconds * BYTES_PER_MS)
