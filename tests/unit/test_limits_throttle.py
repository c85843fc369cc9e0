"""The bound on tickets."""

from __future__ import annotations

from voice.admission import throttle as module
from voice.admission.throttle import Throttle


def test_so_many_in_so_long_and_then_the_wait_is_told():
    throttle = Throttle(limit=2, seconds=60)
    assert [throttle.wait("u", now) for now in (0, 10, 20)] == [0, 0, 40]


def test_a_request_that_came_too_early_does_not_prolong_the_wait():
    throttle = Throttle(limit=1, seconds=60)
    assert [throttle.wait("u", now) for now in (0, 59, 60)] == [0, 1, 0]


def test_one_key_does_not_wait_for_another():
    throttle = Throttle(limit=1, seconds=60)
    assert [throttle.wait(key, 0) for key in "abc"] == [0, 0, 0]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED", 2)
    throttle = Throttle(limit=1, seconds=60)
    for key in "abc":
        throttle.wait(key, 0)
    assert throttle.wait("a", 0) == 0  # forgotten, for it asked longest ago
    assert throttle.wait("c", 0) == 60
