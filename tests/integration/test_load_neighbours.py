"""Conversations and the pages of the same process, in small: the whole is ``python -m tests.load.neighbours``.

Medians are compared, since a busy machine makes the rest late; and with three times what is promised.
"""

from __future__ import annotations

import pytest

from tests.integration.measurements import told_by

pytestmark = pytest.mark.alone

PAGE_RISE_MS, FRAME_RISE_MS = 3 * 10, 3 * 5
QUERY_MS = 2000


def test_a_page_hardly_feels_conversations_and_they_do_not_feel_its_query() -> None:
    options = ["--server", "uvicorn", "--sessions", "10", "--seconds", "2", "--rounds", "1"]
    told = told_by("neighbours", *options, seconds=180)
    assert told["sessions"] == 10
    assert told["page_ms"]["alone"]["p50"] > 0
    assert told["page_ms"]["rise"]["p50"] < PAGE_RISE_MS
    assert told["frame_ms"]["during"]["p50"] > 0
    assert told["frame_ms"]["rise"]["p50"] < FRAME_RISE_MS
    # A frame that had to wait for the query would take up to the whole of it.
    assert told["frame_ms"]["during"]["p95"] < QUERY_MS / 2
