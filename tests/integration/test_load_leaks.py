"""Nothing is left of a session, in small: the whole is ``python -m tests.load.leaks``."""

from __future__ import annotations

from tests.integration.measurements import told_by

MOST_KIB = 3 * 20
"""That the process grows by for each session: what the allocator still spreads out after so few of them."""
SPARE = 4
"""Connections that a pool may open later than in the first ten sessions."""


def test_a_hundred_sessions_leave_no_task_no_object_no_socket_and_no_file() -> None:
    told = told_by("leaks", "--server", "uvicorn", "--sessions", "100")
    before, after = told["before"], told["after"]
    assert told["sessions"] == 100
    assert after["tasks"] <= before["tasks"]
    assert after["objects"] <= before["objects"] + SPARE
    for kind in ("sockets", "files", "threads"):
        assert after[kind] <= before[kind] + SPARE, kind
    assert told["rss_kib_per_session"] < MOST_KIB
