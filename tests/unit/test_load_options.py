"""No measurement goes on without end, whatever is asked for; and each says what it is about."""

from __future__ import annotations

import pytest

from tests.load import bench, growth, leaks, neighbours


@pytest.mark.parametrize("measurement", [bench, growth, leaks, neighbours])
def test_a_person_is_told_a_table_and_a_program_the_figures_alone(measurement):
    assert measurement.parsed([]).json is False
    assert measurement.parsed(["--json"]).json is True


@pytest.mark.parametrize(
    ("measurement", "wrong"),
    [
        (growth, "--starts 999"),
        (growth, "--starts 200001"),
        (growth, "--sessions 99"),
        (growth, "--sessions many"),
        (leaks, "--sessions 10"),
        (leaks, "--sessions 10001"),
        (neighbours, "--sessions 401"),
        (neighbours, "--seconds 0.9"),
        (neighbours, "--seconds nan"),
        (neighbours, "--rounds 10"),
    ],
)
def test_nobody_can_ask_for_a_measurement_without_end(measurement, wrong, capsys):
    with pytest.raises(SystemExit):
        measurement.parsed(wrong.split())
    assert f"error: argument {wrong.split()[0]}" in capsys.readouterr().err


@pytest.mark.parametrize("measurement", [bench, growth, leaks, neighbours])
def test_its_help_says_what_it_measures(measurement, capsys):
    with pytest.raises(SystemExit):
        measurement.parsed(["--help"])
    assert measurement.__doc__.partition("\n")[0].rstrip(":") in " ".join(capsys.readouterr().out.split())
