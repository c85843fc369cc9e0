"""Marks of a turn become bars on a line."""

from voice.waterfall import waterfall

MARKS = {
    "speech_started": 100, "first_partial": 900, "search_started": 1200, "context_ready": 1500, "speech_stopped": 2100,
    "committed": 2110, "response_requested": 2120, "response_started": 2200, "first_audio": 2600, "first_heard": 2650,
    "ended": 9000,
}  # fmt: skip


def bars(marks):
    drawn = waterfall(marks)
    assert drawn is not None
    return {bar.step: (bar.start, bar.end) for bar in drawn.bars}


def test_zero_is_the_end_of_speech():
    assert bars(MARKS) == {
        "speech": (-2000, 0),
        "partials": (-1200, 0),
        "search": (-900, -600),
        "injection": (-600, None),
        "request": (20, 100),
        "response": (100, 500),
        "audio": (500, 6900),
        "heard": (550, 6900),
    }


def test_everything_lies_on_the_line_and_what_is_longer_says_so():
    drawn = waterfall(MARKS)
    assert drawn is not None
    for bar in drawn.bars:
        left, width = float(bar.left.rstrip("%")), float(bar.width.rstrip("%"))
        assert left >= 0
        assert 0 < left + width <= 100.01
    assert {bar.step for bar in drawn.bars if bar.cut} == {"audio", "heard"}
    assert float(drawn.zero[:-1]) < float(drawn.limit[:-1]) < 100


def test_a_question_of_minutes_leaves_room_for_the_wait():
    drawn = waterfall(MARKS | {"speech_started": -60_000})
    assert drawn is not None
    assert drawn.bars[0].cut
    assert float(drawn.limit[:-1]) - float(drawn.zero[:-1]) > 15


def test_a_typed_question_has_no_speech():
    typed = {name: ms for name, ms in MARKS.items() if name not in ("speech_started", "first_partial")}
    assert "speech" not in bars(typed)


def test_a_search_that_came_late_waits_beyond_the_end_of_speech():
    assert bars(MARKS | {"context_ready": 2500})["search"] == (-900, 400)


def test_an_interrupted_question_ends_where_the_turn_does():
    assert bars({"speech_started": 0, "ended": 700}) == {"speech": (0, 700)}


def test_what_was_not_measured_is_not_drawn():
    assert waterfall({}) is None
    assert waterfall({"first_audio": "soon", "committed": 5}) is None
