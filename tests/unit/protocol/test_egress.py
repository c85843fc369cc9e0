"""The lanes to the browser: the answer is paced, what must be known goes past it."""

from __future__ import annotations

from voice.protocol.audio import silence
from voice.protocol.commands import (
    Play,
    PlayDone,
    StopPlayback,
    TellAnswerDone,
    TellAnswerTranscript,
    TellNotice,
    TellSpeechStarted,
    ToBrowser,
)
from voice.protocol.egress import (
    AHEAD,
    ANSWER_LIMIT_MS,
    HEARD_SECONDS,
    MESSAGES_LIMIT,
    UNHEARD_LIMIT_MS,
    Egress,
)


def due(egress: Egress, now: float) -> list[ToBrowser]:
    """All that may go out at that time."""
    out = []
    while egress.is_due(now):
        out.append(egress.pop(now))
    return out


def answer(milliseconds: int, *, piece: int = 100) -> list[Play]:
    """So much audio in pieces of 100 ms."""
    return [Play("item_a", silence(piece))] * (milliseconds // piece)


def filled(milliseconds: int, *, reports: bool = False) -> Egress:
    egress = Egress(reports=reports)
    for play in answer(milliseconds):
        egress.push(play, 0.0)
    return egress


def played_ms(commands: list[ToBrowser]) -> int:
    return sum(len(command.pcm) // 48 for command in commands if isinstance(command, Play))


def test_nothing_waits_at_first() -> None:
    assert not Egress().is_due(0.0)
    assert Egress().wait(0.0) is None


def test_the_answers_end_goes_behind_all_of_its_sound() -> None:
    """And its beginning before: nothing of an earlier one is left when it begins."""
    egress = filled(10_000)
    egress.push(TellAnswerDone("resp_1", "completed", None, None), 0.0)
    sent = [command for second in range(20) for command in due(egress, float(second))]
    assert isinstance(sent[-1], TellAnswerDone)
    assert played_ms(sent) == 10_000


def test_messages_go_at_once_past_the_answer() -> None:
    egress = filled(10_000)
    due(egress, 0.0)
    egress.push(TellNotice("answer_failed"), 0.0)
    assert egress.wait(0.0) == 0.0
    assert due(egress, 0.0) == [TellNotice("answer_failed")]


def test_an_answer_runs_ahead_of_what_plays_by_two_seconds_and_one_piece_at_most() -> None:
    egress = filled(10_000)
    assert AHEAD * 1000 <= played_ms(due(egress, 0.0)) <= AHEAD * 1000 + 100
    for second in range(1, 8):
        due(egress, float(second))
        assert played_ms(due(egress, second + 0.5)) <= 600


def test_it_says_when_the_next_piece_is_due() -> None:
    egress = filled(10_000)
    due(egress, 0.0)
    wait = egress.wait(0.0)
    assert wait is not None
    assert 0.0 < wait <= 0.11
    assert not egress.is_due(wait - 0.01)
    assert egress.is_due(wait + 0.001)


def test_after_a_pause_the_pace_starts_anew() -> None:
    """What was not said in a pause is not caught up with in one burst."""
    egress = filled(1_000)
    due(egress, 0.0)
    for play in answer(10_000):
        egress.push(play, 60.0)
    assert AHEAD * 1000 <= played_ms(due(egress, 60.0)) <= AHEAD * 1000 + 100


def test_the_answers_text_and_its_end_keep_their_place_in_the_answer() -> None:
    egress = Egress()
    commands = [Play("item_a", silence(3_000)), TellAnswerTranscript("item_a", "At ten."), PlayDone("item_a")]
    for command in commands:
        egress.push(command, 0.0)
    assert due(egress, 0.0) == commands[:1]
    assert due(egress, 1.1) == commands[1:]


def test_a_stop_drops_what_was_not_sent_and_is_told_at_once() -> None:
    egress = filled(10_000)
    due(egress, 0.0)
    egress.push(StopPlayback("item_a"), 0.5)
    assert due(egress, 0.5) == [StopPlayback("item_a")]
    assert egress.answer_ms == 0
    assert due(egress, 60.0) == []


def test_what_was_stopped_does_not_slow_the_next_answer_down() -> None:
    egress = filled(10_000)
    due(egress, 0.0)
    egress.push(StopPlayback("item_a"), 0.5)
    for play in answer(10_000):
        egress.push(play, 0.6)
    assert AHEAD * 1000 <= played_ms(due(egress, 0.6)) <= AHEAD * 1000 + 100


def test_it_is_full_with_a_minute_of_audio() -> None:
    egress = filled(ANSWER_LIMIT_MS - 100)
    assert not egress.is_full(0.0)
    egress.push(Play("item_a", silence(100)), 0.0)
    assert egress.is_full(0.0)
    due(egress, 0.0)
    assert not egress.is_full(0.0)


def test_a_client_that_should_say_what_it_plays_has_less_of_an_answer_waiting_until_it_does() -> None:
    egress = filled(UNHEARD_LIMIT_MS, reports=True)
    assert egress.is_full(0.0)
    egress.heard(0.5)
    assert not egress.is_full(0.5)
    assert not egress.is_full(0.5 + HEARD_SECONDS - 0.1)
    assert egress.is_full(0.5 + HEARD_SECONDS), "its silence is no sign of life"
    assert not filled(UNHEARD_LIMIT_MS - 100, reports=True).is_full(0.0)


def test_whoever_plays_may_have_a_minute_waiting_and_no_more() -> None:
    egress = filled(ANSWER_LIMIT_MS - 100, reports=True)
    egress.heard(0.0)
    assert not egress.is_full(0.0)
    egress.push(Play("item_a", silence(100)), 0.0)
    assert egress.is_full(0.0)


def test_a_client_that_does_not_read_is_seen() -> None:
    egress = Egress()
    for _ in range(MESSAGES_LIMIT - 1):
        egress.push(TellSpeechStarted("item_u"), 0.0)
    assert not egress.is_stuck
    egress.push(TellSpeechStarted("item_u"), 0.0)
    assert egress.is_stuck
