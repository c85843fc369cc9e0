"""Whether words come while they are said."""

import logging

import pytest

from voice.protocol.events import (
    InputCommitted,
    SpeechStarted,
    TranscriptDelta,
    TranscriptDone,
    TranscriptPartial,
    UpstreamEvent,
)
from voice.upstream.openai.partials import PartialsObserver, tell_operators


def watched(*events: UpstreamEvent) -> PartialsObserver:
    observer = PartialsObserver()
    for event in events:
        observer.see(event)
    return observer


IN_TIME = (TranscriptDelta("item_1", "when"), InputCommitted("item_1"))
LATE = (InputCommitted("item_2"), TranscriptDelta("item_2", "when"))


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ((), None),
        ((SpeechStarted("item_1"), InputCommitted("item_1")), None),
        ((*IN_TIME, TranscriptDelta("item_1", " do")), "streaming"),
        ((TranscriptPartial("item_1", "when do"), InputCommitted("item_1")), "streaming"),
        (LATE, "late"),
        ((InputCommitted("item_1"), TranscriptDone("item_1", "Yes.")), "late"),
        ((InputCommitted("item_1"), TranscriptDone("item_1", " ")), None),
        ((TranscriptDelta("item_1", " "), *LATE), "late"),
        ((TranscriptDelta("item_1", " "), InputCommitted("item_1"), TranscriptDelta("item_1", "a")), "late"),
        ((*LATE, *IN_TIME), "streaming"),
        ((*IN_TIME, *LATE), "streaming"),
    ],
)
def test_a_session_streams_if_one_of_its_turns_did(events: tuple[UpstreamEvent, ...], verdict: str | None) -> None:
    assert watched(*events).verdict == verdict


def test_each_turn_is_judged_once_by_its_first_words() -> None:
    observer = PartialsObserver()
    turn: list[UpstreamEvent] = [*LATE, TranscriptDelta("item_2", " do"), TranscriptDone("item_2", "when do")]
    assert [observer.see(event) for event in turn] == [None, "late", None, None]


def test_words_of_a_turn_from_before_a_restart_say_nothing_new() -> None:
    observer = watched(InputCommitted("item_0"), *LATE)
    observer.restart()
    observer.see(TranscriptDone("item_2", "when do you open"))
    assert observer.verdict is None
    observer.see(TranscriptDone("item_0", "a turn that is transcribed only now"))
    assert observer.verdict == "late"


def test_a_session_of_many_turns_takes_no_more_memory() -> None:
    observer = PartialsObserver()
    for n in range(100):
        observer.see(InputCommitted(f"item_{n}"))
        observer.see(TranscriptDone(f"item_{n}", "hello"))
    assert len(observer._turns) < 10


def test_operators_are_told_once_in_a_process(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tell_operators.cache_clear()
    for _ in range(2):
        tell_operators("streaming", "gpt-live-transcribe")
        tell_operators("late", "whisper-1")
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "whisper-1" in caplog.text
