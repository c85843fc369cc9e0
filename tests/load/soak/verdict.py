"""What must hold whatever happened. Pure: what was found goes in, what is wrong comes out, in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.load.soak.visitors import WORDS, Seen
from tests.realtime_server import RealtimeSession

Row = Mapping[str, Any]
Bill = Counter[str]

KINDS = ("text_in", "audio_in", "text_out", "audio_out")
LOST_ANSWERS = 2
"""Whose usage may be unknown each time that a connection to the upstream, or its server, is lost: the one under way,
and the one before it, which was cancelled and whose bill was on its way."""
OVERTIME = 5.0
"""Seconds that a session may last beyond its limit: two, and a machine that is busy."""
NOISE = re.compile(r"Traceback|ERROR|CRITICAL|never retrieved|was destroyed|never awaited|Unhandled")
"""What the log of a server has when something happened that nobody had thought of."""
LIBRARY = " ERROR channels_redis.pubsub [-]: Unexpected exception "
"""What channels_redis says, with a traceback, whenever Redis is away; then it dials again."""
ITS_ERRORS = "redis.exceptions.", "builtins.RuntimeError"
"""With which that ends; the second, where it subscribes on a connection that its own task still reads from."""
_ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d |daphne |uvicorn |\S+: \w+Warning: )", re.MULTILINE)


@dataclass(frozen=True)
class Found:
    """What is left of it all."""

    rows: Mapping[str, Row]
    """The records, by session."""
    turns: Mapping[str, Counter[str]]
    """How many turns are recorded of each session, by their outcome."""
    seen: Sequence[Seen]
    """What visitors saw begin."""
    bills: Mapping[str, Sequence[Bill]]
    """What each answer was billed upstream, by the session that it was for."""


def violations(found: Found, session_seconds: float) -> Iterator[str]:
    """What is wrong with the records."""
    yield from _resumed(found)
    for name, row in found.rows.items():
        said = f"session {name[:8]} ({row['end_reason'] or 'open'})"
        yield from (f"{said} {each}" for each in _row(row, found.turns.get(name, Counter()), session_seconds))
        yield from (f"{said} {each}" for each in _paid(row, found.bills.get(name, ()), dearest(found.bills)))
    for name in found.bills.keys() - found.rows.keys():
        yield f"session {name[:8]} was billed, and has no record"


def _resumed(found: Found) -> Iterator[str]:
    for each in found.seen:
        row = found.rows.get(each.session_id)
        if row is None:
            yield f"session {each.session_id[:8]} began, and has no record"
        elif row["user_id"] != each.user_id:
            yield f"session {each.session_id[:8]} is recorded as somebody else's"
        elif each.resumed_from and row["resumed_from_id"] != each.resumed_from:
            yield f"session {each.session_id[:8]} went on, and its record does not say so"
        elif each.resumed_from and row["conversation_id"] != found.rows[each.resumed_from]["conversation_id"]:
            yield f"session {each.session_id[:8]} goes on with another conversation than it says"


def _row(row: Row, turns: Counter[str], session_seconds: float) -> Iterator[str]:
    if row["ended_at"] is None or not row["end_reason"]:
        yield "is not final"
        return
    lasted = (_instant(row["ended_at"]) - _instant(row["ready_at"] or row["ended_at"])).total_seconds()
    if lasted > session_seconds + OVERTIME:
        yield f"lasted {lasted:.1f} s"
    counted = {"turns": row["turns_count"], "interruptions": row["interruptions"]}
    recorded = {"turns": turns.total(), "interruptions": turns["interrupted"]}
    spare = row["end_reason"] == "server_lost"  # killed between a turn and the count that holds it
    if any(abs(counted[name] - recorded[name]) > spare for name in counted):
        yield f"counts {counted}, and {recorded} are recorded"


def _paid(row: Row, bills: Sequence[Bill], dearest: Bill) -> Iterator[str]:
    """Usage that was told is counted; what a lost connection took with it is marked, and no more than was under way."""
    paid = sum(bills, Counter[str]())
    unknown = LOST_ANSWERS * (1 + row["reconnects"]) if row["estimated"] else 0
    for kind in KINDS:
        if not paid[kind] - unknown * dearest[kind] <= row[kind] <= paid[kind]:
            yield f"counts {row[kind]} of {kind}, and was billed {paid[kind]} ({'estimated' * row['estimated']})"


def dearest(bills: Mapping[str, Sequence[Bill]]) -> Bill:
    """The most that any one answer cost, of each kind."""
    most: Bill = Counter()
    for bill in (each for some in bills.values() for each in some):
        most |= bill
    return most


def billed(sessions: Iterable[RealtimeSession]) -> dict[str, list[Bill]]:
    """What the service has billed, by the session whose visitor had asked last, in writing, when the answer was made.

    What only repeats the conversation so far counts for the session that it is told for: that one asked last.
    """
    found: dict[str, list[Bill]] = {}
    for session in sessions:
        asked = [item for item in session.items if WORDS in str(item.get("content"))]
        answers = [_bill(answer.usage) for answer in session.responses.values() if answer.usage is not None]
        if asked and answers:
            found.setdefault(asked[-1]["content"][0]["text"].partition(" ")[0], []).extend(answers)
    return found


def _bill(usage: Mapping[str, Any]) -> Bill:
    given, made = usage["input_token_details"], usage["output_token_details"]
    return Counter(
        text_in=given["text_tokens"],
        audio_in=given["audio_tokens"],
        text_out=made["text_tokens"],
        audio_out=made["audio_tokens"],
    )


def noise(log: str) -> Iterator[str]:
    """What should not stand in a log; of each entry that should not, the beginning and the last line."""
    for entry in _ENTRY.split(log):
        lines = entry.strip().splitlines()
        if WORDS in entry:
            yield "a log has what a visitor said"
        elif NOISE.search(entry) and not (LIBRARY in lines[0] and lines[-1].startswith(ITS_ERRORS)):
            yield f"a log has: {lines[0]} {lines[-1]}"


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """By how much the second grows when the first grows by one: the line with the least squares."""
    if len(samples) < 2:
        return 0.0
    mean_x, mean_y = (sum(each) / len(samples) for each in zip(*samples, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
