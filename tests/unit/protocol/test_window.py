"""What a client has in its hands and does not report."""

import pytest

from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.window import Window

SECOND = 1_000 * BYTES_PER_MS


def test_twenty_seconds_without_a_report_and_no_more() -> None:
    window = Window()
    for _ in range(20):
        window.sent("a", SECOND)
    assert not window.is_over
    window.sent("a", 2)
    assert window.is_over


def test_who_reports_what_is_played_may_listen_for_ever() -> None:
    window = Window()
    for second in range(1, 600):
        item = f"item_{second // 40}"
        window.sent(item, SECOND)
        window.played(item, (second % 40) * 1_000)
        assert not window.is_over


@pytest.mark.parametrize(("item_id", "played_ms"), [("b", 20_000), ("a", 0)])
def test_a_report_of_nothing_helps_nobody(item_id: str, played_ms: int) -> None:
    window = Window()
    window.sent("a", 21 * SECOND)
    window.played(item_id, played_ms)
    assert window.is_over


def test_a_report_is_not_believed_beyond_what_was_sent() -> None:
    """Or one report would do for an hour."""
    window = Window()
    window.sent("a", SECOND)
    window.played("a", 3_600_000)
    window.sent("a", 21 * SECOND)
    assert window.is_over


def test_what_was_stopped_is_not_owed() -> None:
    window = Window()
    window.sent("a", 19 * SECOND)
    window.stopped()
    window.sent("b", 19 * SECOND)
    assert not window.is_over
