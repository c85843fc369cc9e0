"""The proof of who talks runs out in the open: told before, renewed meanwhile, and never without a warning."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from voice.protocol.commands import TellExpiring
from voice.protocol.outcomes import EndReason
from voice.protocol.proof import GRACE_SECONDS, NOTICE_SECONDS, Proof


def test_it_is_told_half_a_minute_before_and_over_half_a_minute_after():
    proof = Proof(1_000.0)
    assert proof.deadline == 970.0
    assert proof.receive_timeout(969.9) is None
    assert proof.receive_timeout(970.0) == TellExpiring(30, "auth")
    assert proof.deadline == 1_030.0
    assert proof.receive_timeout(1_029.9) is None
    assert proof.receive_timeout(1_030.0) is EndReason.AUTH_EXPIRED


def test_one_that_is_nearly_over_is_told_at_once():
    proof = Proof(1_000.0)
    assert proof.receive_timeout(995.0) == TellExpiring(5, "auth")
    assert proof.deadline == 1_030.0


def test_who_was_not_warned_in_time_has_the_whole_grace_from_the_warning():
    """The process stood still from before the warning until long after the end."""
    proof = Proof(1_000.0)
    assert proof.receive_timeout(1_500.0) == TellExpiring(0, "auth")
    assert proof.receive_timeout(1_529.9) is None
    assert proof.receive_timeout(1_530.0) is EndReason.AUTH_EXPIRED


def test_a_new_one_prolongs_it_and_is_told_again_when_it_runs_out():
    proof = Proof(1_000.0)
    proof.receive_timeout(970.0)
    proof.renew(1_300.0)
    assert proof.receive_timeout(1_030.0) is None
    assert proof.deadline == 1_270.0
    assert proof.receive_timeout(1_270.0) == TellExpiring(30, "auth")
    assert proof.receive_timeout(1_330.0) is EndReason.AUTH_EXPIRED


def test_a_new_one_is_in_time_until_the_very_end():
    proof = Proof(1_000.0)
    proof.receive_timeout(970.0)
    proof.renew(1_329.0)
    assert proof.receive_timeout(1_030.0) is None


def test_one_that_ends_earlier_changes_nothing():
    proof = Proof(1_000.0)
    proof.renew(900.0)
    assert proof.deadline == 970.0
    assert proof.receive_timeout(970.0) == TellExpiring(30, "auth")
    proof.renew(1_000.0)
    assert proof.receive_timeout(1_030.0) is EndReason.AUTH_EXPIRED


def test_one_without_an_end_never_runs_out():
    assert Proof().deadline == inf
    assert Proof().receive_timeout(1e12) is None
    proof = Proof(1_000.0)
    proof.receive_timeout(970.0)
    proof.renew(inf)
    assert proof.receive_timeout(1e12) is None
    proof.renew(2_000.0)
    assert proof.deadline == inf


@given(
    st.floats(0, 1_000),
    st.lists(st.tuples(st.floats(0, 200), st.none() | st.floats(0, 2_000)), max_size=20),
)
def test_whatever_happens_the_end_follows_a_warning_by_the_grace_and_no_proof_that_is_good_is_ended(expires_at, steps):
    proof, now, warned_at = Proof(expires_at), 0.0, None
    for passed, renewed in steps:
        now += passed
        if renewed is not None:
            warned_at = None if renewed > proof.expires_at else warned_at
            proof.renew(renewed)
        match proof.receive_timeout(now):
            case TellExpiring(seconds=seconds):
                assert warned_at is None
                assert proof.expires_at - now <= NOTICE_SECONDS
                assert 0 <= seconds <= NOTICE_SECONDS
                warned_at = now
            case EndReason.AUTH_EXPIRED:
                assert warned_at is not None
                assert now >= warned_at + GRACE_SECONDS
                assert now >= proof.expires_at + GRACE_SECONDS
                return
            case None:
                assert now < proof.deadline
