"""What a soak finds wrong: each rule, broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.load.soak.verdict import LOST_ANSWERS, Found, noise, slope, violations
from tests.load.soak.visitors import WORDS, Seen

BILL = Counter(text_in=100, audio_in=30, text_out=10, audio_out=40)
DEAREST = Counter({kind: 2 * count for kind, count in BILL.items()})
ROW: dict[str, Any] = {
    "user_id": 1,
    "conversation_id": "c",
    "resumed_from_id": None,
    "ready_at": "2026-11-28 10:00:01",
    "ended_at": "2026-11-28 10:00:40",
    "end_reason": "client_hangup",
    "turns_count": 3,
    "interruptions": 1,
    "reconnects": 0,
    "estimated": False,
    **BILL,
}
FOUND = Found(
    rows={"one": ROW, "two": ROW | {"resumed_from_id": "one", **DEAREST}},
    turns={name: Counter(completed=2, interrupted=1) for name in ("one", "two")},
    seen=[Seen("one", 1), Seen("two", 1, resumed_from="one")],
    bills={"one": [BILL], "two": [DEAREST]},
)


def wrong(**changes: Any) -> list[str]:
    """What is wrong when the row of ``one`` is changed."""
    return list(violations(replace(FOUND, rows={**FOUND.rows, "one": ROW | changes}), 45))


def test_nothing_is_wrong_where_all_is_told_once() -> None:
    assert wrong() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ended_at": None, "end_reason": ""}, "is not final"),
        ({"end_reason": ""}, "is not final"),
        ({"ended_at": "2026-11-28 10:00:52"}, "lasted 51.0 s"),
        ({"turns_count": 4}, "counts {'turns': 4"),
        ({"interruptions": 0}, "counts {'turns': 3, 'interruptions': 0}"),
        ({"user_id": 2}, "recorded as somebody else's"),
        ({"conversation_id": "d"}, "goes on with another conversation"),
        ({"audio_out": 39}, "counts 39 of audio_out, and was billed 40"),
        ({"audio_out": 41}, "counts 41 of audio_out, and was billed 40"),
        ({"audio_out": 41, "estimated": True}, "counts 41 of audio_out"),
    ],
)
def test_a_record_that_is_not_right_is_said(changes: dict[str, Any], said: str) -> None:
    [violation] = wrong(**changes)
    assert said in violation


def test_a_session_without_a_record_is_said() -> None:
    gone = replace(FOUND, rows={"two": FOUND.rows["two"]}, seen=FOUND.seen[:1])
    assert list(violations(gone, 45)) == [
        "session one began, and has no record",
        "session one was billed, and has no record",
    ]


def test_a_session_that_went_on_without_its_record_is_said() -> None:
    [violation] = violations(
        replace(FOUND, rows={**FOUND.rows, "two": FOUND.rows["two"] | {"resumed_from_id": None}}), 45
    )
    assert "went on, and its record does not say so" in violation


def test_what_a_lost_connection_was_billed_is_missing_only_where_that_is_marked() -> None:
    nothing = dict.fromkeys(BILL, 0)
    assert len(wrong(**nothing)) == len(BILL)
    assert wrong(**nothing, estimated=True) == []
    many = replace(FOUND, bills={**FOUND.bills, "one": [DEAREST] * (2 * LOST_ANSWERS + 1)})
    lost = ROW | nothing | {"estimated": True, "reconnects": 1}
    assert len(list(violations(replace(many, rows={**FOUND.rows, "one": lost}), 45))) == len(BILL)
    few = replace(many, bills={**FOUND.bills, "one": [DEAREST] * (2 * LOST_ANSWERS)})
    assert list(violations(replace(few, rows={**FOUND.rows, "one": lost}), 45)) == []


def test_a_killed_server_may_have_written_a_turn_that_it_had_not_counted_yet() -> None:
    assert wrong(turns_count=2, interruptions=0, end_reason="server_lost") == []
    assert wrong(turns_count=1, end_reason="server_lost")


LINE = "2026-11-28 20:35:17,082 INFO voice.session [-]: ends after 4.7 s\n"
TRACEBACK = "Traceback (most recent call last):\n  File x\n"
AWAY = (
    "2026-11-28 20:35:17,082 ERROR channels_redis.pubsub [-]: Unexpected exception in receive task\n"
    "  /site-packages/channels_redis/pubsub.py:314 _do_receiving\nredis.exceptions.ConnectionError\n"
)


def test_a_log_is_quiet_but_for_a_library_that_tells_of_redis() -> None:
    started = (
        "/site-packages/django/core/handlers/base.py:61: UserWarning: No directory\n  mw_instance = middleware()\n"
    )
    assert list(noise(LINE + AWAY + LINE + AWAY + started)) == []


@pytest.mark.parametrize(
    "entry",
    [
        "2026-11-28 20:35:17,082 ERROR voice.session [-]: a bug\n",
        LINE + TRACEBACK + "KeyError: 'x'\n",
        AWAY.replace("redis.exceptions.ConnectionError", "builtins.KeyError"),
        "Task exception was never retrieved\n",
        f"2026-11-28 20:35:17,082 INFO voice.session [-]: {WORDS}\n",
    ],
)
def test_anything_else_in_a_log_is_said(entry: str) -> None:
    assert len(list(noise(LINE + AWAY + entry + LINE))) == 1


def test_a_slope_is_by_how_much_it_grows() -> None:
    assert slope([(0, 10.0), (1, 12.0), (2, 14.0)]) == 2.0
    assert slope([(0, 10.0), (1, 11.0), (2, 10.0)]) == 0.0
    assert slope([(0, 10.0)]) == 0.0
