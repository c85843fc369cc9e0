"""When what happened in a turn."""

from __future__ import annotations

from voice.protocol.timeline import Mark, Timeline


def test_each_mark_is_the_first_of_its_kind() -> None:
    timeline = Timeline(10.0)
    timeline.mark(Mark.FIRST_AUDIO, 11.0)
    timeline.mark(Mark.FIRST_AUDIO, 12.0)
    assert timeline.at(Mark.FIRST_AUDIO) == 11.0


def test_a_remark_is_the_last_of_its_kind() -> None:
    timeline = Timeline(10.0)
    timeline.remark(Mark.CONTEXT_READY, 11.0)
    timeline.remark(Mark.CONTEXT_READY, 12.0)
    assert timeline.at(Mark.CONTEXT_READY) == 12.0


def test_marks_are_milliseconds_since_the_turn_began_in_the_order_in_which_they_happened() -> None:
    timeline = Timeline(10.0)
    timeline.mark(Mark.SPEECH_STOPPED, 12.0)
    timeline.mark(Mark.CONTEXT_READY, 11.0004)
    assert list(timeline.marks().items()) == [("context_ready", 1_000), ("speech_stopped", 2_000)]


def test_latencies_count_from_the_end_of_speech_and_are_negative_before_it() -> None:
    timeline = Timeline(10.0)
    timeline.mark(Mark.SPEECH_STARTED, 10.0)
    timeline.mark(Mark.CONTEXT_READY, 11.5)
    timeline.mark(Mark.SPEECH_STOPPED, 12.0)
    timeline.mark(Mark.FIRST_AUDIO, 12.25)
    assert timeline.latencies() == {"context_ready": -500, "first_audio": 250}


def test_without_an_end_of_speech_there_are_no_latencies() -> None:
    timeline = Timeline(10.0)
    timeline.mark(Mark.FIRST_AUDIO, 12.25)
    assert timeline.latencies() == {}


def test_what_did_not_happen_has_no_time() -> None:
    assert Timeline(0.0).at(Mark.FIRST_HEARD) is None
    assert Timeline(0.0).marks() == {}
