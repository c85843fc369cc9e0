"""The upstream's memory of an answer, cut to what was heard."""

from __future__ import annotations

import pytest

from voice.protocol import commands as c
from voice.protocol.playback import Unheard
from voice.protocol.truncation import REPORT_LIMIT, Truncation


def waiting(*unheard: Unheard) -> Truncation:
    truncation = Truncation()
    truncation.wait(list(unheard), 10.0)
    return truncation


def cut() -> Truncation:
    return waiting(Unheard("item_a", 400, 390), Unheard("item_b", 400, 0), Unheard("item_c", 400, 0))


def test_a_cut_waits_200_ms_for_the_browsers_word() -> None:
    assert cut().deadline == 10.0 + REPORT_LIMIT
    assert [item.heard_ms for item in cut().pending] == [390, 0, 0]


def test_the_browsers_word_counts_for_all_items() -> None:
    assert cut().report("item_b", 120) == [
        Unheard("item_a", 400, 400),
        Unheard("item_b", 400, 120),
        Unheard("item_c", 400, 0),
    ]


def test_the_report_of_an_items_end_does_not_say_what_was_heard_of_the_next() -> None:
    assert cut().report("item_a", 400) is None
    assert cut().report("item_c", 400) == [
        Unheard("item_a", 400, 400),
        Unheard("item_b", 400, 400),
        Unheard("item_c", 400, 400),
    ]


def test_a_report_of_another_item_is_not_the_browsers_word() -> None:
    assert cut().report("item_x", 10) is None


@pytest.mark.parametrize(("played", "believed"), [(-5, 0), (0, 0), (399, 399), (9_999, 400)])
def test_the_browsers_word_is_believed_up_to_what_was_sent(played: int, believed: int) -> None:
    heard = waiting(Unheard("item_a", 400, 100)).report("item_a", played)
    assert heard == [Unheard("item_a", 400, believed)]


def test_what_was_heard_in_part_is_truncated_what_was_not_heard_is_deleted_and_nothing_waits_any_more() -> None:
    truncation = cut()
    heard = [Unheard("item_a", 400, 400), Unheard("item_b", 400, 120), Unheard("item_c", 400, 0)]
    assert truncation.settle(heard) == [c.Truncate("item_b", 120), c.DeleteItem("item_c")]
    assert (truncation.pending, truncation.deadline) == ([], None)
    assert truncation.report("item_b", 130) is None


def test_an_upstream_that_is_new_is_told_nothing_of_items_that_it_never_had() -> None:
    truncation = cut()
    truncation.forget(("item_b",))
    assert (truncation.pending, truncation.deadline) == ([], None)
    assert truncation.settle([Unheard("item_b", 400, 120), Unheard("item_d", 400, 100)]) == [c.Truncate("item_d", 100)]
