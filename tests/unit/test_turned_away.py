"""Refusals are counted by hour and reason, and written without anybody waiting."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError

from voice import turned_away
from voice.models import VoiceRefusal
from voice.protocol.outcomes import EndReason
from voice.turned_away import Counts, TurnedAway

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def no_pause(seconds: float) -> None:
    """Time does not pass."""


class Written:
    """What was written, write by write; :attr:`gone` while there is no database."""

    def __init__(self) -> None:
        self.writes: list[Counts] = []
        self.gone = False
        self.going_on = threading.Event()
        self.going_on.set()

    def __call__(self, counts: Counts) -> None:
        self.going_on.wait(5)
        if self.gone:
            raise OperationalError("gone")
        self.writes.append(dict(counts))


@pytest.fixture
def written() -> Written:
    return Written()


@time_machine.travel(NOON.replace(minute=42))
def test_what_comes_during_a_write_is_written_with_the_next(written):
    written.going_on.clear()
    counting = TurnedAway(written, sleep=no_pause)
    for _ in range(1000):
        counting.count(EndReason.RATE_LIMITED)
    counting.count(EndReason.OVERLOADED)
    written.going_on.set()
    counting.settle()
    total = sum(write.get((NOON, EndReason.RATE_LIMITED), 0) for write in written.writes)
    assert total == 1000
    assert len(written.writes) <= 2


def test_between_two_writes_is_a_second(written):
    slept: list[float] = []
    counting = TurnedAway(written, sleep=slept.append)
    counting.count(EndReason.OVERLOADED)
    counting.settle()
    assert slept == [turned_away.PAUSE] == [1.0]


@time_machine.travel(NOON)
def test_without_a_database_they_wait_and_none_is_lost(written):
    counting = TurnedAway(written, sleep=no_pause)
    written.gone = True
    for _ in range(3):
        counting.count(EndReason.OVERLOADED)
        counting.settle()
    assert written.writes == []
    written.gone = False
    counting.count(EndReason.OVERLOADED)
    counting.settle()
    assert written.writes == [{(NOON, EndReason.OVERLOADED): 4}]


def test_a_database_that_stays_away_costs_no_memory(written):
    counting = TurnedAway(written, sleep=no_pause)
    written.gone = True
    with time_machine.travel(NOON, tick=False) as traveller:
        for _ in range(turned_away.LONGEST + 10):
            traveller.shift(3600)
            counting.count(EndReason.OVERLOADED)
            counting.settle()
        written.gone = False
        counting.count(EndReason.OVERLOADED)
        counting.settle()
    assert len(written.writes[0]) <= turned_away.LONGEST + 1
    newest = max(hour for hour, _ in written.writes[0])
    assert newest == NOON + timedelta(hours=turned_away.LONGEST + 10)


@pytest.mark.django_db
def test_the_rows_grow_whoever_made_them():
    turned_away.write({(NOON, EndReason.OVERLOADED): 2, (NOON, EndReason.RATE_LIMITED): 1})
    turned_away.write({(NOON, EndReason.OVERLOADED): 3})
    rows = VoiceRefusal.objects.values_list("hour", "reason", "count").order_by("reason")
    assert list(rows) == [(NOON, "overloaded", 5), (NOON, "rate_limited", 1)]


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_to_the_real_database():
    counting = TurnedAway(turned_away.write, sleep=no_pause)
    counting.count(EndReason.RATE_LIMITED)
    counting.settle()
    assert VoiceRefusal.objects.get().count == 1
