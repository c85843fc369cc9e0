"""How things end, in the words that records, wire and admin share."""

from __future__ import annotations

import pytest

from voice.protocol.outcomes import EndReason, Retry, TurnOutcome


@pytest.mark.parametrize("reason", EndReason)
def test_every_reason_has_a_close_code_that_every_server_can_send(reason: EndReason) -> None:
    """Daphne can send only 1000 and 3000-4999; those below 4000 belong to libraries."""
    assert reason.ending.code == 1000 or 4000 <= reason.ending.code <= 4999


@pytest.mark.parametrize("reason", EndReason)
def test_every_reason_says_whether_dialling_again_makes_sense(reason: EndReason) -> None:
    assert isinstance(reason.ending.retry, Retry)


def test_nobody_dials_again_who_was_refused_for_what_they_are_or_did() -> None:
    for reason in (EndReason.FORBIDDEN_ORIGIN, EndReason.REVOKED, EndReason.BAD_MESSAGE, EndReason.TOO_BIG):
        assert reason.ending.retry is Retry.NO
    assert EndReason.DISABLED.ending.retry is Retry.NO


def test_only_what_was_used_up_says_how_long_to_wait() -> None:
    assert [reason for reason in EndReason if reason.ending.retry is Retry.AFTER] == [
        EndReason.DAY_BUDGET,
        EndReason.RATE_LIMITED,
    ]


def test_every_word_is_its_own_name() -> None:
    for words in (EndReason, TurnOutcome):
        assert all(word.value == word.name.lower() for word in words)
