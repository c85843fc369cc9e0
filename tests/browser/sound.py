"""What of an answer was really played: its samples, found again among those that left the player."""

from array import array

from voice.protocol.audio import BYTES_PER_MS, BYTES_PER_SAMPLE

WINDOW = 50 * BYTES_PER_MS
"""So much speech occurs once in an answer."""
STEP = 10 * BYTES_PER_MS
AUDIBLE = 160
"""Amplitude (of 32,767) above which a sample is heard: some -46 dB."""


def played_ms(item: bytes, output: bytes) -> tuple[float, float]:
    """How many milliseconds of ``item`` are in ``output``: at least, and at most, for silence looks like any other."""
    for end in range(len(item), WINDOW, -STEP):
        window = item[end - WINDOW : end]
        if _loudest(window) > AUDIBLE and (at := _find(output, window)) >= 0:
            most = end + _alike(item[end:], output[at + WINDOW :])
            least = most - _silence(item[:most])
            return least / BYTES_PER_MS, most / BYTES_PER_MS
    return 0.0, 0.0


def last_audible(output: bytes) -> int:
    """The number of the last sample that can be heard; 0 if none."""
    samples = array("h", output)
    return next((n for n in range(len(samples) - 1, 0, -1) if abs(samples[n]) > AUDIBLE), 0)


def _find(output: bytes, window: bytes) -> int:
    at = output.find(window)
    while at >= 0 and at % BYTES_PER_SAMPLE:
        at = output.find(window, at + 1)
    return at


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes of whole samples two beginnings have in common."""
    pairs = zip(array("h", one), array("h", other[: len(other) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]), strict=False)
    return BYTES_PER_SAMPLE * next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)) // 2)


def _silence(pcm: bytes) -> int:
    """How many bytes of zeros stand at the end."""
    samples = array("h", pcm)
    return len(pcm) - BYTES_PER_SAMPLE * next((n + 1 for n in range(len(samples) - 1, -1, -1) if samples[n]), 0)


def _loudest(pcm: bytes) -> int:
    return max(abs(sample) for sample in array("h", pcm))
