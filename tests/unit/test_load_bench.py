"""The benchmark's arithmetic, and its bounds."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest

from tests.load import picture
from tests.load.bench import compared, middle, parsed, table
from tests.load.stamps import Arrivals, Departures, percentile, summary


def figures(cpu: float, lost: int = 0) -> dict[str, object]:
    """Of one server in one round."""
    took = {"p50": cpu / 10, "p95": cpu / 5, "p99": cpu}
    return {
        "cpu_ms_per_session_s": cpu,
        "rss_kib_per_session": 100,
        "up_ms": took,
        "down_ms": took,
        "errors": {"lost": lost, "late": 0, "gone": 0},
        "opened_per_s": 50.0,
        "lag_ms": {"p99": 1.0},
    }


def test_a_frame_is_known_by_its_number_and_by_when_it_was_sent() -> None:
    arrivals, departures, begin = Arrivals(), Departures(b"body"), time.monotonic_ns()
    for _ in range(3):
        arrivals.add(departures.frame())
    end = time.monotonic_ns() + 1
    assert len(arrivals.within(begin, end)) == departures.within(begin, end) == 3
    assert arrivals.within(begin - 10, begin) == []
    assert arrivals.lost == 0


@pytest.mark.parametrize("numbers", [[0, 2, 3], [0, 0, 1, 2]])
def test_a_frame_that_is_missing_or_comes_twice_is_an_error(numbers: list[int]) -> None:
    arrivals, departures = Arrivals(), Departures(b"")
    frames = [departures.frame() for _ in range(4)]
    for number in numbers:
        arrivals.add(frames[number])
    assert arrivals.lost == 1


@pytest.mark.parametrize("event", [b'{"type":"x","audio":"%b"}', b'{"type": "x", "audio": "%b"}'])
def test_a_frame_is_known_in_base64_too(event: bytes) -> None:
    arrivals = Arrivals()
    arrivals.add_encoded(event % b64encode(Departures(b"the body").frame()), b'"audio"')
    assert len(arrivals.took) == 1
    assert arrivals.lost == 0


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([float(n) for n in range(1, 101)], 95) == 95.0
    assert percentile([7.0], 50) == 7.0
    assert percentile([], 99) == 0.0
    assert summary([2_000_000] * 99 + [9_000_000] * 1) == {"p50": 2.0, "p95": 2.0, "p99": 2.0}


def test_a_figure_is_the_median_of_the_rounds_and_every_error_counts() -> None:
    told = middle([figures(9.0, lost=1), figures(5.0), figures(6.0, lost=2)])
    assert told["cpu_ms_per_session_s"] == 6.0
    assert told["errors"] == {"lost": 3, "late": 0, "gone": 0}


def test_a_ratio_is_of_one_round() -> None:
    """The second round met a busy machine. That changes no ratio, though it would change one of the medians."""
    rounds = [
        {
            "direct": figures(0.0),
            "bridge": figures(2.0 * busy),
            "relay": figures(1.0 * busy),
            "picows": figures(0.5 * busy),
        }
        for busy in (1, 10, 3)
    ]
    told = compared(rounds)
    assert told["ratio"] == 2.0
    assert told["ratios"] == {"relay": 2.0, "picows": 4.0}


def test_what_a_server_adds_is_the_way_through_it_less_the_way_without() -> None:
    told = compared([{"direct": figures(1.0), "bridge": figures(5.0), "relay": figures(4.0)}])
    assert told["bridge"]["added_ms"] == {"up": 0.4, "down": 0.4}


@pytest.mark.parametrize(
    "wrong",
    ["--sessions 0", "--sessions 401", "--seconds 61", "--rounds 10", "--seconds 60 --rounds 9", "--frame-ms 7"],
)
def test_nobody_can_ask_for_a_measurement_without_end(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(wrong.split())
    assert "error" in capsys.readouterr().err


def test_results_are_a_table_and_a_picture() -> None:
    results = {"20": compared([{"direct": figures(1.0), "bridge": figures(8.0), "relay": figures(9.0)}])}
    assert "| 20 | relay | 9.0 | 0.89 |" in table(results)
    assert "this site" in picture.cpu(results, "daphne", 20)
    assert "picows" not in picture.cpu(results, "daphne", 20)


def test_the_cpu_time_of_a_server_that_has_fallen_behind_is_marked_and_not_drawn() -> None:
    results = {"100": compared([{"direct": figures(1.0), "bridge": figures(400.0), "relay": figures(9.0)}])}
    assert "| 100 | bridge | 400.0* |" in table(results)
    assert "| 100 | relay | 9.0 |" in table(results)
    drawn = picture.cpu(results, "daphne", 20)
    assert ">9<" in drawn
    assert ">400<" not in drawn
