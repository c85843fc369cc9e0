"""Turns as they are measured, written down."""

from voice.probe.figures import Measured, Mode


def turn(
    mode: Mode = "prefetch", *, added: int = 0, latency: int | None = 558, question: str = "Why?", **outcomes: int
) -> Measured:
    """A turn of four seconds of speech, a search that began at its second and a half, and an answer, if any."""
    requested = 4_000 + added
    marks = {
        "speech_started": 0,
        "search_started": 1_500,
        "context_ready": 4_447 if mode == "sequential" else 1_947,
        "speech_stopped": 4_000,
        "committed": 4_000,
        "response_requested": requested,
    }
    if latency is not None:
        marks["first_audio"] = requested + latency
    return Measured(mode, question, marks, outcomes or {"hit": 1}, (400, 800, 1_200), ((1_500, 1_947),))
