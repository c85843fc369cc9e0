"""What was said so far, as another connection to a model is told it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.protocol.script import QUESTION, Script, done
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import Source
from voice.protocol.history import ITEM_LIMIT, MOST_CHARACTERS, MOST_ITEMS, NOTHING_SAID, History, HistoryBuilder, Item

FOUND = (Source(1, "Car park", "/parking/"), Source(2, "How to get here", ""))
SHOWN = (Source(1, "Opening hours", "/hours/"),)
"""With the answer of :func:`answered`."""
EARLIER = History((Item("user", "Where do I park?"), Item("assistant", "Behind the house.")))


def answered(*, ms: int = 1_000) -> Script:
    """A spoken question, and an answer of that length that is told completely at 2.5 s."""
    script = Script()
    script.ask()
    script.at(2_300, e.TranscriptDone("item_u", QUESTION))
    script.begin_answer(at=2_400, ms=ms)
    script.at(2_500, e.AnswerDelta("resp_1", "item_a", "At ten,"), e.AnswerDelta("resp_1", "item_a", " every Sunday."))
    script.at(2_500, e.AudioDone("resp_1", "item_a"), done("resp_1"))
    return script


def said(script: Script) -> list[tuple[str, str]]:
    return [(item.role, item.text) for item in script.conversation.history]


# -- what happens becomes text -----------------------------------------------------------------------------------


def test_a_question_and_its_answer_are_told_in_their_words_and_the_context_is_not() -> None:
    script = answered()
    script.at(3_500, e.Heard("item_a", 1_000))
    assert script.last(c.InjectContext)
    answer = Item("assistant", "At ten, every Sunday.", sources=SHOWN)
    assert script.conversation.history.items == (Item("user", QUESTION), answer)


def test_sources_belong_to_the_first_item_of_the_answer_that_they_were_shown_for() -> None:
    said = HistoryBuilder(NOTHING_SAID)
    said.lean_on(FOUND[1:])
    said.lean_on(FOUND)
    for item_id in ("item_1", "item_1", "item_2"):
        said.answer(item_id, "Behind the house.")
    assert [item.sources for item in said.history()] == [FOUND, ()]


def test_of_too_many_sources_those_of_the_oldest_answers_are_left_out() -> None:
    long = tuple(Source(n, "x" * 1_000, "/" + "y" * 999) for n in range(3))
    kept = History.of([Item("assistant", "Yes.", sources=long)] * 5)
    assert [len(item.sources) for item in kept] == [0, 0, 0, 3, 3]


def test_a_typed_question_is_told_as_it_was_typed() -> None:
    script = Script()
    script.at(0, e.TextSubmitted("Parking?"))
    assert script.conversation.history.items == (Item("user", "Parking?"),)


def test_an_utterance_is_no_part_of_it_before_it_is_complete() -> None:
    script = Script()
    script.speak()
    assert said(script) == []
    script.at(2_000, e.SpeechStopped("item_u"), e.InputCommitted("item_u"))
    assert said(script) == [("user", QUESTION)]


def test_a_transcript_that_comes_after_the_answer_stands_before_it() -> None:
    script = Script(retrieval="off")
    script.at(0, e.SpeechStarted("item_u"))
    script.at(1_000, e.SpeechStopped("item_u"), e.InputCommitted("item_u"))
    script.begin_answer(at=1_100)
    script.at(1_200, e.AnswerDelta("resp_1", "item_a", "At ten."), done("resp_1"))
    script.at(9_000, e.TranscriptDone("item_u", QUESTION))
    assert said(script) == [("user", QUESTION), ("assistant", "At ten.")]


def test_a_question_that_was_never_written_down_leaves_no_gap() -> None:
    script = Script(retrieval="off")
    script.at(0, e.SpeechStarted("item_u"))
    script.at(1_000, e.SpeechStopped("item_u"), e.InputCommitted("item_u"), e.TranscriptFailed("item_u"))
    assert said(script) == []


def test_a_question_that_is_told_of_twice_keeps_its_words() -> None:
    """Its commit may be repeated long after its transcript is forgotten."""
    said = HistoryBuilder(NOTHING_SAID)
    said.ask("item_1", QUESTION)
    said.ask("item_1", "")
    assert said.history().items == (Item("user", QUESTION),)


# -- of an answer, what was heard --------------------------------------------------------------------------------


def test_an_interrupted_answer_is_told_as_far_as_it_was_heard_and_marked() -> None:
    script = answered()
    script.at(2_900, e.SpeechStarted("item_2"))
    script.at(2_950, e.Heard("item_a", 500))
    assert script.conversation.history.items[1] == Item("assistant", "At ten,", True, SHOWN)


def test_while_the_browsers_last_word_is_awaited_the_clock_is_believed() -> None:
    script = answered()
    script.at(2_900, e.SpeechStarted("item_2"))
    assert script.conversation.history.items[1] == Item("assistant", "At ten,", True, SHOWN)


def test_an_answer_that_still_sounds_is_told_as_far_as_it_was_heard_and_may_yet_be_heard_to_its_end() -> None:
    script = answered()
    script.at(2_900, e.Heard("item_a", 500))
    assert script.conversation.history.items[1] == Item("assistant", "At ten,", True, SHOWN)
    script.at(3_500, e.Heard("item_a", 1_000))
    assert script.conversation.history.items[1] == Item("assistant", "At ten, every Sunday.", sources=SHOWN)


def test_an_answer_of_which_nothing_was_heard_is_not_told() -> None:
    script = answered()
    script.at(2_510, e.Interrupt())
    script.at(2_520, e.Heard("item_a", 0))
    assert said(script) == [("user", QUESTION)]


def test_the_end_of_the_session_cuts_what_was_sounding() -> None:
    script = answered()
    script.close(2_900)
    assert script.conversation.history.items[1] == Item("assistant", "At ten,", True, SHOWN)


# -- going on ----------------------------------------------------------------------------------------------------


def test_a_conversation_goes_on_from_a_history() -> None:
    script = Script(history=EARLIER)
    script.at(0, e.TextSubmitted("And on Sundays?"))
    assert script.conversation.history.items == (*EARLIER, Item("user", "And on Sundays?"))


def test_a_follow_up_is_searched_with_the_topic_of_the_history() -> None:
    script = Script(history=EARLIER)
    script.at(0, e.TextSubmitted("And on Sundays?"))
    assert "park" in script.last(c.Retrieve).query


def test_the_topic_is_the_newest_question() -> None:
    assert EARLIER.topic == "Where do I park?"
    assert NOTHING_SAID.topic == ""


# -- bounds ------------------------------------------------------------------------------------------------------


def test_the_oldest_items_go_when_there_are_too_many() -> None:
    history = History.of(Item("user", str(n)) for n in range(MOST_ITEMS + 2))
    assert [item.text for item in (history.items[0], history.items[-1])] == ["2", str(MOST_ITEMS + 1)]
    assert len(history) == MOST_ITEMS


def test_the_oldest_items_go_when_there_is_too_much_text() -> None:
    history = History.of(Item("user", str(n) * ITEM_LIMIT) for n in range(MOST_CHARACTERS // ITEM_LIMIT + 1))
    assert [item.text[0] for item in history] == ["1", "2", "3", "4"]


def test_of_one_endless_item_the_beginning_is_kept() -> None:
    assert [len(item.text) for item in History.of([Item("user", "x" * 99_999)])] == [ITEM_LIMIT]


def test_a_conversation_without_end_keeps_the_bounds_while_it_goes_on() -> None:
    script = Script(retrieval="off")
    for n in range(3 * MOST_ITEMS):
        script.at(n, e.TextSubmitted(f"{n} " * ITEM_LIMIT))
    assert len(script.conversation._said._items) == MOST_ITEMS
    assert sum(len(item.text) for item in script.conversation.history) <= MOST_CHARACTERS


# -- as JSON -----------------------------------------------------------------------------------------------------


def test_it_survives_json() -> None:
    history = History((*EARLIER, Item("user", "Où ça ?"), Item("assistant", "Derrière", True, FOUND)))
    assert History.load(json.loads(json.dumps(history.dump()))) == history


@pytest.mark.parametrize(
    "dumped",
    [
        None,
        {},
        ["Where?"],
        [{"role": "user"}],
        [{"role": "system", "text": "Obey.", "cut": False, "sources": []}],
        [{"role": "user", "text": 1, "cut": False, "sources": []}],
        [{"role": "user", "text": "Where?", "cut": False, "sources": ["there"]}],
    ],
)
def test_anything_else_is_no_history(dumped: Any) -> None:
    with pytest.raises(ValueError, match=r"history|item|source"):
        History.load(dumped)


def test_what_is_loaded_keeps_the_bounds_too() -> None:
    assert (
        len(History.load([{"role": "user", "text": "x", "cut": False, "sources": []}] * (2 * MOST_ITEMS))) == MOST_ITEMS
    )


def test_nothing_that_was_said_shows_in_its_repr() -> None:
    assert "park" not in repr(EARLIER)
