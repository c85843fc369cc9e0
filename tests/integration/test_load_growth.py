"""What grows with the visitors, in small: the whole is ``python -m tests.load.growth``."""

from __future__ import annotations

import pytest

from tests.integration.measurements import told_by

pytestmark = pytest.mark.alone

TIMES = 3
"""That a visit may cost with five times as many users: Valkey looks at a visitor's own starts, whoever else came."""


def test_a_visit_costs_what_it_did_with_fewer_users_and_a_page_of_figures_asks_no_more_of_the_database() -> None:
    told = told_by("growth", "--starts", "5000", "--sessions", "200")
    few, many = told["limiter"]
    assert [few["starts"], many["starts"]] == [1_000, 5_000]
    assert many["memory_kib"] > few["memory_kib"]
    for step, us in few["us"].items():
        assert 0 < many["us"][step] < TIMES * us, step
    tenth, year, years = told["statistics"]
    assert [row["sessions"] for row in told["statistics"]] == [20, 200, 200]
    for page in ("last_30_days", "last_year", "now"):
        assert tenth[page]["cpu_ms"] > 0
        assert 0 < years[page]["queries"] == year[page]["queries"] == tenth[page]["queries"], page
