"""How often an upstream is dialled, and when it is given up."""

from __future__ import annotations

import pytest

from voice.protocol.dialling import DIAL_LIMIT, MOST_REDIALS, REDIAL_LIMIT, REDIAL_REST, Dialling
from voice.protocol.outcomes import EndReason

BUSY, CLOSED, SILENT, AWAY = (
    EndReason.UPSTREAM_RATE_LIMITED,
    EndReason.UPSTREAM_CLOSED,
    EndReason.UPSTREAM_TIMEOUT,
    EndReason.UPSTREAM_UNAVAILABLE,
)
HOPELESS = [EndReason.UPSTREAM_AUTH, EndReason.UPSTREAM_PROTOCOL]


def connected(now: float = 0.0) -> Dialling:
    dialling = Dialling(now)
    dialling.reached()
    return dialling


# -- at first ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "waits"),
    [(SILENT, [0.0]), (AWAY, [0.3, 1.0]), (CLOSED, [0.3, 1.0]), (BUSY, [1.0]), *((reason, []) for reason in HOPELESS)],
)
def test_each_reason_to_fail_has_its_own_few_tries(reason: EndReason, waits: list[float]) -> None:
    dialling = Dialling(0.0)
    assert [dialling.failed(reason, 1.0) for _ in range(len(waits) + 2)] == [*waits, None, None]


def test_all_tries_together_have_one_time_limit() -> None:
    dialling = Dialling(100.0)
    assert dialling.deadline == 100.0 + DIAL_LIMIT
    assert dialling.failed(AWAY, dialling.deadline - 0.2) is None


@pytest.mark.parametrize(("asked", "waited"), [(0.5, 0.5), (3.0, 3.0), (60.0, 3.0)])
def test_a_busy_service_is_obeyed_up_to_three_seconds(asked: float, waited: float) -> None:
    assert Dialling(0.0).failed(BUSY, 0.1, asked) == waited


# -- again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [CLOSED, SILENT, AWAY])
def test_a_lost_upstream_is_dialled_again_at_once_within_five_seconds(reason: EndReason) -> None:
    dialling = connected()
    assert dialling.failed(reason, 40.0) == 0.0
    assert dialling.deadline == 40.0 + REDIAL_LIMIT
    assert dialling.redials == 1


@pytest.mark.parametrize("reason", [*HOPELESS, BUSY])
def test_what_would_fail_again_is_not_dialled_again(reason: EndReason) -> None:
    assert connected().failed(reason, 40.0) is None


def test_dialling_again_has_the_same_few_tries() -> None:
    dialling = connected()
    dialling.failed(CLOSED, 40.0)
    assert [dialling.failed(AWAY, 40.1) for _ in range(3)] == [0.3, 1.0, None]


def test_a_second_loss_within_a_minute_is_the_last() -> None:
    dialling = connected()
    dialling.failed(CLOSED, 40.0)
    dialling.reached()
    assert dialling.failed(CLOSED, 40.0 + REDIAL_REST - 1) is None


def test_no_session_picks_up_more_than_two() -> None:
    dialling = connected()
    for n in range(MOST_REDIALS):
        assert dialling.failed(CLOSED, 100.0 * n) == 0.0
        dialling.reached()
    assert dialling.failed(CLOSED, 1_000.0) is None
    assert dialling.redials == MOST_REDIALS
