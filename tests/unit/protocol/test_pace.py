"""How fast a client may send, whatever its network does with it."""

from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.pace import AUDIO_BURST, AUDIO_HELD, AUDIO_RATE, EXCESS_LIMIT, SECOND, Pace

FRAME = 40 * BYTES_PER_MS


def seconds(pace: Pace, frames: int, now: float, size: int = FRAME) -> float:
    """How much of so many frames at once is taken."""
    return sum(pace.audio(size, now) for _ in range(frames)) * size / BYTES_PER_MS / 1000


def test_a_microphone_is_never_too_fast() -> None:
    pace = Pace(0.0)
    assert all(pace.audio(FRAME, n * 0.04) for n in range(15_000))
    assert pace.excess == 0


def test_one_that_runs_a_fifth_too_fast_is_not_either() -> None:
    """A sound card's clock is its own."""
    pace = Pace(0.0)
    assert all(pace.audio(FRAME, n * 0.04 / 1.2) for n in range(15_000))


def test_what_a_network_held_for_ten_seconds_may_come_at_once() -> None:
    pace = Pace(0.0)
    for n in range(1_000):
        pace.audio(FRAME, n * 0.04)
    assert seconds(pace, 250, 50.0) == 10.0
    assert not pace.is_flood


def test_what_waited_while_the_server_was_busy_may_come_at_once() -> None:
    pace = Pace(0.0)
    assert seconds(pace, 200, 8.0) == 8.0


def test_a_recording_at_twenty_times_its_speed_is_a_flood_within_a_second() -> None:
    pace, now = Pace(0.0), 0.0
    while not pace.is_flood:
        pace.audio(FRAME, now)
        now += 0.04 / 20
    assert now < 1.0


def test_tiny_frames_cost_as_much_as_frames_of_ten_milliseconds() -> None:
    pace = Pace(0.0)
    assert sum(pace.audio(2, 0.0) for _ in range(10_000)) == 300
    assert pace.is_flood


def test_a_client_may_be_quick_for_a_moment_and_talkative_for_ever_is_a_flood() -> None:
    pace = Pace(0.0)
    assert all(pace.message(n / 20) for n in range(10_000))
    assert sum(pace.message(500.0) for _ in range(10_000)) <= 200
    assert pace.is_flood


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 48_000)), max_size=200))
def test_never_more_is_taken_than_time_has_passed(story: list[tuple[float, int]]) -> None:
    """Whatever the pattern: that is what a session can cost."""
    pace, now, taken = Pace(0.0), 0.0, 0.0
    for pause, size in story:
        now += pause
        if pace.audio(size, now):
            taken += size / BYTES_PER_MS / 1000
        assert taken <= AUDIO_BURST + AUDIO_RATE * now + 1e-6
        assert pace.is_flood == (pace.excess >= EXCESS_LIMIT * SECOND)


@given(st.floats(0, 10_000))
def test_no_more_than_thirteen_seconds_ever_come_at_once(pause: float) -> None:
    assert seconds(Pace(0.0), 2_000, pause) <= AUDIO_HELD
