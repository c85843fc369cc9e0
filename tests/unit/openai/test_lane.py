"""What waits for the second socket."""

from voice.upstream.openai.lane import AUDIO_LIMIT_MS, Lane


def drained(lane: Lane) -> list[str]:
    frames = []
    while (frame := lane.pop()) is not None:
        frames.append(frame)
    return frames


def test_a_commit_stands_behind_the_audio_that_it_commits() -> None:
    lane = Lane()
    lane.push("a", 60)
    lane.push("b", 40)
    assert lane.commit("commit")
    lane.push("c", 40)
    assert drained(lane) == ["a", "b", "commit", "c"]


def test_less_than_the_service_takes_is_not_committed() -> None:
    lane = Lane()
    lane.push("a", 99)
    assert not lane.commit("commit")
    lane.push("b", 1)
    assert lane.commit("commit")
    assert not lane.commit("commit"), "nothing new"


def test_the_oldest_audio_goes_when_there_are_more_than_two_seconds_and_commits_stay() -> None:
    lane = Lane()
    lane.push("first", 200)
    lane.commit("commit")
    for n in range(60):
        lane.push(str(n), 40)
    assert drained(lane) == ["commit", *(str(n) for n in range(10, 60))]
    assert lane.dropped_ms == 200 + 10 * 40
    assert AUDIO_LIMIT_MS == 50 * 40


def test_a_flood_of_empty_frames_is_bounded_too() -> None:
    lane = Lane()
    for _ in range(10_000):
        lane.push("", 0)
    assert len(drained(lane)) == AUDIO_LIMIT_MS


def test_what_is_forgotten_is_not_sent_and_not_committed() -> None:
    lane = Lane()
    lane.push("a", 200)
    lane.commit("commit")
    for _ in range(3):
        lane.push("b", 90)
        lane.clear("clear")
    lane.push("c", 90)
    assert not lane.commit("commit")
    assert drained(lane) == ["a", "commit", "clear", "c"]
