"""The lane to the upstream: one order, commands never dropped, at most two seconds of audio."""

from __future__ import annotations

import pytest

from voice.protocol.audio import BYTES_PER_MS, silence
from voice.protocol.backlog import AUDIO_LIMIT, Backlog
from voice.protocol.commands import CommitAudio, CreateResponse, ToUpstream


def emptied(backlog: Backlog) -> list[bytes | ToUpstream]:
    """All that waits, in order."""
    waiting = []
    while (first := backlog.pop()) is not None:
        waiting.append(first)
    return waiting


def frame(n: int) -> bytes:
    """40 ms that can be told from others."""
    return bytes([n]) * (40 * BYTES_PER_MS)


def test_what_goes_in_comes_out_in_one_order() -> None:
    backlog = Backlog()
    backlog.push_audio(frame(1))
    backlog.push(CommitAudio())
    backlog.push_audio(frame(2))
    backlog.push(CreateResponse("req_1"))
    assert emptied(backlog) == [frame(1), CommitAudio(), frame(2), CreateResponse("req_1")]
    assert backlog.pop() is None


def test_two_seconds_of_audio_wait_and_the_oldest_goes_first() -> None:
    backlog = Backlog()
    for n in range(55):
        backlog.push_audio(frame(n))
    assert emptied(backlog) == [frame(n) for n in range(5, 55)]
    assert backlog.dropped == 5


def test_commands_are_never_dropped() -> None:
    backlog = Backlog()
    backlog.push(CreateResponse("req_1"))
    for n in range(100):
        backlog.push_audio(frame(n))
        backlog.push(CommitAudio())
    waiting = emptied(backlog)
    assert waiting[0] == CreateResponse("req_1")
    assert waiting.count(CommitAudio()) == 100


def test_room_comes_back_as_audio_leaves() -> None:
    backlog = Backlog()
    for n in range(50):
        backlog.push_audio(frame(n))
    for n in range(50):
        assert backlog.pop() == frame(n)
        backlog.push_audio(frame(n))
    assert backlog.dropped == 0


@pytest.mark.parametrize("size", [0, 2, 46, 94])
def test_a_flood_of_tiny_frames_is_bounded_too(size: int) -> None:
    backlog = Backlog()
    for _ in range(20_000):
        backlog.push_audio(bytes(size))
    waiting = emptied(backlog)
    assert len(waiting) <= 2_000
    assert sum(len(audio) for audio in waiting if isinstance(audio, bytes)) <= AUDIO_LIMIT


def test_a_single_piece_that_is_longer_than_the_lane_does_not_stay() -> None:
    backlog = Backlog()
    backlog.push_audio(silence(2_001))
    assert emptied(backlog) == []
