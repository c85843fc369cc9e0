"""Where an utterance begins, pauses, goes on and ends: windows in, signals out."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.local.scripts import OPTIONS, SOUND
from voice.upstream.local.endpointing import Endpointer, Signal, Window


def hear(endpointer: Endpointer, *probabilities: float) -> list[Signal | None]:
    return [endpointer.hear(Window(SOUND, probability)) for probability in probabilities]


def signals(endpointer: Endpointer, *probabilities: float) -> list[Signal]:
    return [signal for signal in hear(endpointer, *probabilities) if signal is not None]


def test_an_utterance_starts_pauses_and_stops() -> None:
    assert hear(Endpointer(OPTIONS), 0.9, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0) == [
        None,
        Signal.STARTED,
        None,
        None,
        Signal.PAUSED,
        None,
        Signal.STOPPED,
    ]


def test_a_click_is_no_utterance() -> None:
    endpointer = Endpointer(OPTIONS)
    assert signals(endpointer, 0.0, 0.9, 0.0, 0.0, 0.9, 0.0) == []
    assert not endpointer.speaking


def test_speech_in_the_pause_takes_it_back() -> None:
    endpointer = Endpointer(OPTIONS)
    hear(endpointer, 0.9, 0.9, 0.0, 0.0)
    assert signals(endpointer, 0.9, 0.9) == [Signal.RESUMED]
    assert signals(endpointer, 0.0, 0.0, 0.0, 0.0) == [Signal.PAUSED, Signal.STOPPED]


def test_one_breath_in_the_pause_does_not() -> None:
    endpointer = Endpointer(OPTIONS)
    hear(endpointer, 0.9, 0.9, 0.0, 0.0)
    assert signals(endpointer, 0.9, 0.0) == [Signal.STOPPED]


def test_soft_endings_of_words_still_belong_to_them_but_begin_none() -> None:
    endpointer = Endpointer(OPTIONS)
    assert signals(endpointer, 0.4, 0.4, 0.4) == []
    hear(endpointer, 0.9, 0.9)
    assert signals(endpointer, 0.4, 0.4, 0.4, 0.4, 0.4) == []
    assert endpointer.in_speech


def test_what_was_just_before_the_speech_is_kept() -> None:
    endpointer = Endpointer(OPTIONS)
    for n in range(6):
        endpointer.hear(Window(bytes([n]), 0.9 if n >= 4 else 0.0))
    assert endpointer.sound() == bytes([2, 3, 4, 5]), "two windows of prefix, two of speech"


def test_very_long_speech_is_cut_but_the_turn_lasts() -> None:
    endpointer = Endpointer(OPTIONS)
    hear(endpointer, *[0.9] * 100)
    assert len(endpointer.sound()) == 30 * len(SOUND)
    assert endpointer.speaking
    assert signals(endpointer, 0.0, 0.0, 0.0, 0.0) == [Signal.PAUSED, Signal.STOPPED]


def test_push_to_talk_never_stops_by_itself() -> None:
    endpointer = Endpointer(OPTIONS, closes=False)
    assert signals(endpointer, 0.9, 0.9, *[0.0] * 50) == [Signal.STARTED, Signal.PAUSED]


def test_without_an_early_start_there_is_no_pause() -> None:
    endpointer = Endpointer(type(OPTIONS)(min_speech_ms=64, early_ms=128, silence_ms=128))
    assert signals(endpointer, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0) == [Signal.STARTED, Signal.STOPPED]


@given(st.lists(st.sampled_from([0.0, 0.4, 0.9]), max_size=80))
def test_signals_alternate_whatever_is_heard(probabilities: list[float]) -> None:
    endpointer = Endpointer(OPTIONS)
    state = "idle"
    after = {
        ("idle", Signal.STARTED): "speaking",
        ("speaking", Signal.PAUSED): "paused",
        ("paused", Signal.RESUMED): "speaking",
        ("paused", Signal.STOPPED): "idle",
    }
    for probability in probabilities:
        signal = endpointer.hear(Window(SOUND, probability))
        if signal is not None:
            state = after[state, signal]
        if signal is Signal.STOPPED:
            endpointer.reset()
        assert endpointer.speaking == (state != "idle")
