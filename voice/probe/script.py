"""What a scripted upstream says while it hears a question, and when. Pure: a question and figures give a timetable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from voice.protocol import events as e
from voice.protocol.events import UpstreamEvent

ITEM = "item_question"
_WORD = re.compile(r"\W*\w\S*(?:\s+[^\w\s]+(?=\s|$))*")
"""A word with the punctuation around it, also where a space stands between, as in French: nobody takes time to say a
question mark."""


@dataclass(frozen=True, slots=True)
class Script:
    """How a question is spoken, heard and answered. Milliseconds, unless they say otherwise."""

    words_per_second: float = 2.5
    transcript_lag_ms: float = 0
    """From the end of a word until its partial transcript is there."""
    silence_ms: float = 300
    """From the end of the last word until the VAD says that speech has stopped, and the question is committed."""
    transcription_ms: float = 0
    """From the commit until the final transcript is there, at the earliest. Nothing at all flatters the sequential
    way: what is left of the difference is retrieval alone."""
    latency_ms: float = 558
    """From the request of an answer to its first audio."""
    answer_ms: int = 200
    """Length of the answer."""


def timetable(question: str, script: Script) -> list[tuple[float, UpstreamEvent]]:
    """What is said while ``question`` is heard, in order, each with its second from the first sound on.

    Partial transcripts that lag behind the VAD come after its word, as they do from a real service.
    """
    words = _WORD.findall(question)
    spoken = len(words) / script.words_per_second
    stopped = spoken + script.silence_ms / 1000
    done = max(stopped + script.transcription_ms / 1000, spoken + script.transcript_lag_ms / 1000)
    said: list[tuple[float, UpstreamEvent]] = [
        (0.0, e.SpeechStarted(ITEM)),
        *_partials(words, script),
        (stopped, e.SpeechStopped(ITEM)),
        (stopped, e.InputCommitted(ITEM)),
        (done, e.TranscriptDone(ITEM, question)),
    ]
    return sorted(said, key=lambda entry: entry[0])  # stable: what is said at one instant keeps this order


def _partials(words: list[str], script: Script) -> Iterator[tuple[float, UpstreamEvent]]:
    for n, word in enumerate(words, start=1):
        at = n / script.words_per_second + script.transcript_lag_ms / 1000
        yield at, e.TranscriptDelta(ITEM, word)
