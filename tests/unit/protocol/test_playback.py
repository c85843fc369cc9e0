"""The playback ledger: what was sent, what was heard, and what a barge-in cuts."""

from __future__ import annotations

import pytest

from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.playback import (
    GRACE,
    MOST_UNDERRUNS,
    REMEMBERED,
    PlaybackLedger,
    Underruns,
    Unheard,
)


def ledger(*items: tuple[str, int], at: float = 0.0) -> PlaybackLedger:
    """A ledger of items of so many milliseconds, all sent at once."""
    filled = PlaybackLedger()
    for item_id, milliseconds in items:
        filled.sent(item_id, milliseconds * BYTES_PER_MS, at)
    return filled


def test_nothing_is_audible_before_something_was_sent() -> None:
    assert not PlaybackLedger().audible(0.0)
    assert PlaybackLedger().deadline is None
    assert PlaybackLedger().stop(0.0) == []


def test_audio_is_audible_until_it_was_heard() -> None:
    book = ledger(("item_a", 1_000))
    book.heard("item_a", 999, 1.1)
    assert book.audible(1.2)
    book.heard("item_a", 1_000, 1.2)
    assert not book.audible(1.2)
    assert book.deadline is None


def test_without_reports_audio_is_audible_for_its_length_and_a_second_of_grace() -> None:
    book = ledger(("item_a", 1_000), at=5.0)
    assert book.deadline == 5.0 + 1.0 + GRACE
    assert book.audible(6.9)
    assert not book.audible(book.deadline)


def test_a_report_moves_the_clock() -> None:
    book = ledger(("item_a", 1_000))
    book.heard("item_a", 200, 0.7)
    assert book.deadline == pytest.approx(0.7 + 0.8 + GRACE)


def test_a_report_is_not_believed_beyond_what_was_sent_nor_backwards() -> None:
    book = ledger(("item_a", 1_000))
    book.heard("item_a", 5_000, 0.5)
    assert not book.audible(0.5)
    book = ledger(("item_a", 1_000))
    book.heard("item_a", 600, 0.6)
    book.heard("item_a", 100, 0.7)
    assert book.stop(0.7) == [Unheard("item_a", 1_000, 600)]


def test_a_report_of_an_unknown_item_says_nothing() -> None:
    book = ledger(("item_a", 1_000))
    assert not book.heard("item_x", 1_000, 0.5)
    assert book.audible(0.5)


def test_a_report_of_a_later_item_says_that_those_before_were_heard() -> None:
    book = ledger(("item_a", 500), ("item_b", 500))
    book.heard("item_b", 100, 0.6)
    assert book.stop(0.6) == [Unheard("item_b", 500, 100)]


def test_a_report_beyond_the_end_of_an_item_says_nothing_of_the_next() -> None:
    book = ledger(("item_a", 500), ("item_b", 500))
    book.heard("item_a", 5_000, 0.5)
    assert book.stop(0.5) == [Unheard("item_b", 500, 0)]


def test_what_is_sent_after_a_pause_begins_to_sound_then() -> None:
    book = ledger(("item_a", 100))
    book.heard("item_a", 100, 0.1)
    book.sent("item_a", 100 * BYTES_PER_MS, 3.0)
    assert book.stop(3.05) == [Unheard("item_a", 200, 150)]


def test_a_stop_forgets_everything() -> None:
    book = ledger(("item_a", 1_000))
    book.stop(0.5)
    assert not book.audible(0.5)
    assert not book.heard("item_a", 700, 0.6)
    assert book.stop(0.7) == []


def test_a_stop_tells_what_was_heard_of_each_item_in_the_order_of_playing() -> None:
    book = ledger(("item_a", 400), ("item_b", 400), ("item_c", 400))
    assert book.stop(0.6) == [
        Unheard("item_a", 400, 400),
        Unheard("item_b", 400, 200),
        Unheard("item_c", 400, 0),
    ]


def test_a_stop_long_after_the_end_cuts_nothing() -> None:
    assert ledger(("item_a", 1_000)).stop(60.0) == []


# -- a cut ----------------------------------------------------------------------------------------------------------


def test_underruns_are_reported_as_the_count_of_an_item_and_added_up() -> None:
    underruns = Underruns()
    for item_id, count in (("item_a", 1), ("item_a", 3), ("item_a", 2), ("item_b", 1), ("item_a", 3)):
        underruns.report(item_id, count)
    assert underruns.total == 4


def test_a_browser_that_makes_up_items_and_counts_takes_no_room_and_is_not_believed() -> None:
    underruns = Underruns()
    for n in range(1_000):
        underruns.report(f"item_{n}", 10**6)
    assert underruns.total == MOST_UNDERRUNS
    assert len(underruns._by_item) == REMEMBERED
