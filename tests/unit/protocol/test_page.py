"""The page that the visitor looks at: shown to the model once, as data, and searched for with short questions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.script import HOURS, PARKING, QUESTION, Script, done
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import (
    CLOSE,
    OPEN,
    PAGE_LIMIT,
    TITLE_LIMIT,
    ContextPolicy,
    Passage,
    alternate,
    page_of,
    render_page,
)
from voice.protocol.injection import PAGE_ITEM
from voice.protocol.outcomes import TurnOutcome

PAGE = Passage("Repairs", "A new tube costs 18 euros.", "/repairs/", "en")
SHOWN = c.InjectContext(PAGE_ITEM, render_page(PAGE), (PAGE,))


def test_the_page_stands_before_the_first_question_and_once() -> None:
    script = Script(page=PAGE)
    script.ask()
    script.begin_answer(at=2_100)
    script.at(2_200, done("resp_1"), e.Heard("item_a", 1_000))
    script.ask("item_v", at=5_000)
    script.assert_order(c.InjectContext, c.TellSpeechStarted)
    assert script.all(c.InjectContext).count(SHOWN) == 1


def test_it_is_no_source_and_stays_when_the_context_of_a_turn_goes() -> None:
    script = Script(page=PAGE, context=ContextPolicy(keep=False))
    script.ask()
    script.begin_answer(at=2_100)
    script.at(2_200, done("resp_1"), e.Heard("item_a", 1_000))
    script.assert_turn(1, TurnOutcome.COMPLETED)
    assert [source.title for source in script.last(c.TellContext).sources] == [HOURS.title]
    assert [deleted.item_id for deleted in script.all(c.DeleteItem)] == ["ctx_1_1"]


def test_a_question_about_it_is_searched_with_its_title() -> None:
    script = Script(page=PAGE)
    script.speak(text=QUESTION)
    assert script.last(c.Retrieve) == c.Retrieve("search_1_1", QUESTION, f"Repairs {QUESTION}")


def test_a_page_that_says_nothing_of_itself_is_none() -> None:
    assert page_of("\u202e", " \x00", "/", "en") is None
    script = Script(page=page_of("Repairs", "", "/repairs/", "en"))  # a title is searched for, and not shown
    script.speak()
    script.assert_never(c.InjectContext)
    assert script.last(c.Retrieve).on_page


@given(st.text(max_size=3_000), st.text(max_size=3_000))
def test_whatever_a_page_says_it_stays_between_the_markers(title: str, text: str) -> None:
    page = page_of(title, text, "", "en")
    if page is None:
        return
    shown = render_page(page)
    assert shown.startswith(OPEN)
    assert shown.endswith(CLOSE)
    assert shown.count("<<<") == shown.count(">>>") == 1
    assert (len(page.title) <= TITLE_LIMIT, len(page.text) <= PAGE_LIMIT) == (True, True)


def test_what_was_found_on_two_ways_takes_turns_and_comes_once() -> None:
    assert alternate((HOURS, PAGE), (PARKING, HOURS), 5) == (HOURS, PARKING, PAGE)
    assert alternate((), (PARKING, HOURS), 5) == (PARKING, HOURS)
    assert alternate((HOURS, PAGE), (PARKING,), 2) == (HOURS, PARKING)
