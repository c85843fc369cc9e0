"""What a site may turn on the embedded provider. Cheap to import: nothing but the standard library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Times are milliseconds of *audio* unless they say otherwise, and work in steps of 32 ms."""

    languages: tuple[str, ...] = ("en", "fr")
    """Languages, two letters, to load a recogniser and a voice for. A session in another language gets the first."""
    threads: int = 2
    """How many recognitions and syntheses run side by side in this process. With one, a slow one slows everybody."""
    waiting: int = 32
    """How many more may wait. Beyond that, partial transcripts are left out first."""

    speech_threshold: float = 0.5
    """Probability of speech, 0 to 1, from which a window counts as speech."""
    min_speech_ms: int = 128
    """So much speech in one piece begins a turn: a click or a key stroke is shorter, a "yes" is longer."""
    prefix_ms: int = 320
    """Audio kept from before the speech, so that a soft first consonant is not lost."""
    silence_ms: int = 500
    """So much silence ends a turn."""
    early_ms: int = 160
    """After so much silence the answer is prepared, in case the turn ends. The same as ``silence_ms``: never early."""
    max_speech_ms: int = 30_000
    """What is said in one turn beyond this is not transcribed; the turn still lasts until the visitor stops."""

    partial_after_ms: int = 500
    """Speech before the first partial transcript; on less than this it would be a guess."""
    partial_ms: int = 300
    """Shortest time from one partial transcript to the next, by the clock. It grows by itself under load."""

    open_timeout: float = 8.0
    """Seconds that a session waits for the models to be loaded."""
    job_timeout: float = 10.0
    """Seconds after which one recognition or synthesis is given up."""
