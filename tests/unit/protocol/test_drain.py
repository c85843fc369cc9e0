"""Who is told when, while a server is being stopped."""

from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.drain import Drain, DrainPolicy


def drained(quiet: int, busy: dict[int, float], policy: DrainPolicy) -> dict[int, float]:
    """When each is told: ``quiet`` are between two questions, the ``busy`` are it after so many seconds."""
    plan: Drain[int] = Drain(policy, 0.0)
    told: dict[int, float] = {}
    everybody, now, rounds = {**dict.fromkeys(range(1_000, 1_000 + quiet), 0.0), **busy}, 0.0, 0
    while len(told) < len(everybody):
        here = [each for each in everybody if each not in told]
        free, engaged = ([n for n in here if (everybody[n] <= now) is is_free] for is_free in (True, False))
        for each in plan.leaving(free, engaged, now):
            told[each] = now
        rounds += 1
        now = rounds * policy.pause
    return told


def test_nobody_is_told_twice_and_the_quiet_are_told_in_batches() -> None:
    told = drained(50, {}, DrainPolicy())
    assert sorted(told.values()) == [0.0] * 20 + [0.5] * 20 + [1.0] * 10


def test_an_answer_may_come_to_its_end() -> None:
    told = drained(5, {1: 3.2, 2: 7.0}, DrainPolicy())
    assert (told[1], told[2]) == (3.5, 7.0)


def test_an_answer_without_an_end_is_cut_off_when_the_time_is_over() -> None:
    assert drained(0, {1: 99.0}, DrainPolicy()) == {1: 20.0}


def test_many_who_are_busy_are_told_in_batches_too_so_that_the_last_is_told_in_time() -> None:
    times = sorted(drained(0, dict.fromkeys(range(90), 99.0), DrainPolicy()).values())
    assert times == [18.0] * 10 + [18.5] * 20 + [19.0] * 20 + [19.5] * 20 + [20.0] * 20


def test_where_batches_would_not_suffice_they_are_larger() -> None:
    told = drained(5_000, {}, DrainPolicy())
    assert max(told.values()) <= 20.0
    assert max(list(told.values()).count(moment) for moment in set(told.values())) == 122


def test_without_time_all_are_told_at_once() -> None:
    assert set(drained(30, {1: 5.0}, DrainPolicy(seconds=0)).values()) == {0.0}


@given(
    st.integers(0, 300),
    st.lists(st.floats(0, 100), max_size=300),
    st.floats(0, 60),
    st.integers(1, 50),
    st.floats(0.1, 5),
)
def test_all_are_told_in_time_and_the_quiet_never_after_the_busy(
    quiet: int, busy: list[float], seconds: float, batch: int, pause: float
) -> None:
    told = drained(quiet, dict(enumerate(busy)), DrainPolicy(seconds=seconds, batch=batch, pause=pause))
    assert len(told) == quiet + len(busy)
    assert all(at <= seconds + 1e-9 for at in told.values())
