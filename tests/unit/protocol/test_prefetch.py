"""When the knowledge is asked, for what, and what became of each search: the searches of one turn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.protocol.script import HOURS, PARKING, POLICY
from voice.protocol.commands import CancelRetrieval, Retrieve
from voice.protocol.outcomes import SearchOutcome
from voice.protocol.policy import PrefetchPolicy
from voice.protocol.prefetch import Found, Prefetch

FIVE = "when do you open on "


def prefetch(policy: PrefetchPolicy | None = None, **facts: Any) -> Prefetch:
    return Prefetch(policy or POLICY, 1, **facts)


def outcomes(machine: Prefetch) -> dict[str, int]:
    """What became of the searches; never more or fewer than were started."""
    assert machine.started == machine.outcomes.total()
    return {outcome.value: n for outcome, n in machine.outcomes.items() if n}


@pytest.mark.parametrize(
    ("heard", "asks"),
    [
        ("when do you open", False),
        ("when do you open on", False),
        ("when do you open on ", True),
        ("when do you open on?", True),
        ("when do you open on Sun", True),
        ("hi there, hello, when do you ", False),
        ("euh bonjour alors quand est-ce ", False),
        ("何時に開きますか何曜日ですか", False),
        ("何時に開きますか何曜日ですかああ", True),
    ],
)
def test_the_first_search_starts_when_five_words_stand(heard: str, asks: bool) -> None:
    """Greetings and filler at the beginning are no words; where words are not spaced, three characters are one."""
    assert bool(prefetch().hear(heard, 0.0)) is asks


def test_the_last_word_is_closed_by_150_ms_of_quiet() -> None:
    machine = prefetch()
    assert machine.hear("when do you open on", 1.0) == []
    assert machine.deadline == pytest.approx(1.150)
    assert machine.tick(1.1) == []
    assert machine.tick(1.2) == [Retrieve("search_1_1", "when do you open on")]
    assert machine.deadline is None


def test_a_word_that_grows_is_not_quiet() -> None:
    machine = prefetch()
    machine.hear("when do you open on", 1.0)
    machine.hear("when do you open one", 1.1)
    assert machine.tick(1.2) == []


def test_a_word_that_is_said_again_unchanged_does_stand_still() -> None:
    machine = prefetch()
    machine.hear("when do you open on", 1.0)
    machine.hear("when do you open on", 1.1)
    assert machine.tick(1.15) != []


def test_it_asks_again_when_three_more_words_stand() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (HOURS,), 9.0)
    assert machine.hear(FIVE + "sunday mornings ", 0.5) == []
    assert machine.hear(FIVE + "sunday mornings in ", 0.6) == [Retrieve("search_1_2", FIVE + "sunday mornings in")]


def test_two_more_words_are_enough_when_a_question_mark_closes_them() -> None:
    """That is the whole question, while the VAD still waits for its silence."""
    machine = prefetch(PrefetchPolicy())
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (HOURS,), 9.0)
    assert machine.hear(FIVE + "sundays?", 0.5) == []
    assert machine.hear(FIVE + "sundays in?", 0.6) == [Retrieve("search_1_2", FIVE + "sundays in?")]


def test_what_grew_while_a_search_was_out_is_asked_when_it_comes_back() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    assert machine.hear(FIVE + "sunday mornings in winter ", 0.1) == []
    assert machine.answered("search_1_1", (HOURS,), 9.0) == [Retrieve("search_1_2", FIVE + "sunday mornings in winter")]


def test_numbers_of_words_are_the_sites_to_set() -> None:
    machine = prefetch(PrefetchPolicy(first_words=2, more_words=1))
    assert machine.hear("opening hours ", 0.0) != []
    machine.answered("search_1_1", (), 9.0)
    assert machine.hear("opening hours sunday ", 0.1) != []


def test_what_was_found_is_used_if_its_search_knew_enough_of_the_question() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (HOURS,), 9.0)
    assert machine.conclude(FIVE + "sundays", 1.0) == []
    assert machine.settled
    machine.requested()
    assert outcomes(machine) == {"hit": 1}


def test_what_does_not_fit_the_whole_question_is_searched_for_once_more() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (HOURS,), 9.0)
    whole = FIVE + "the days when all of the other museums are closed"
    assert machine.conclude(whole, 1.0) == [Retrieve("search_1_2", whole)]
    assert not machine.settled
    machine.answered("search_1_2", (PARKING,), 9.0)
    assert machine.settled
    machine.requested()
    assert outcomes(machine) == {"superseded": 1, "hit": 1}


@pytest.mark.parametrize(("answered_at", "asks_again"), [(1.05, True), (1.45, False)], ids=["quick", "slow"])
def test_a_quick_knowledge_is_asked_once_more_where_a_slow_one_is_not(answered_at: float, asks_again: bool) -> None:
    """Five of eight words were known: good enough, unless knowing better costs next to nothing."""
    machine = prefetch(PrefetchPolicy())
    machine.hear(FIVE, 1.0)
    machine.answered("search_1_1", (HOURS,), answered_at)
    asked = machine.conclude(FIVE + "sundays in winter", 2.0)
    assert asked == ([Retrieve("search_1_2", FIVE + "sundays in winter")] if asks_again else [])
    assert machine.settled is not asks_again


def test_a_search_for_too_little_is_replaced_by_the_last_one() -> None:
    """Speech is over, so it no longer matters that a replaced search never comes back."""
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    whole = FIVE + "the days when all of the other museums are closed"
    assert machine.conclude(whole, 1.0) == [CancelRetrieval("search_1_1"), Retrieve("search_1_2", whole)]


def test_a_fitting_search_that_is_still_out_is_waited_for_not_replaced() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    assert machine.conclude(FIVE + "sundays", 1.0) == []
    assert not machine.settled


def test_a_newer_search_is_not_waited_for_while_what_was_found_fits() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.hear(FIVE + "sundays in winter ", 0.2)
    machine.answered("search_1_1", (HOURS,), 9.0)
    machine.conclude(FIVE + "sundays in winter", 1.0)
    assert machine.settled
    assert machine.requested() == [CancelRetrieval("search_1_2")]
    assert outcomes(machine) == {"hit": 1, "superseded": 1}


def test_a_question_without_words_is_not_settled_until_nothing_more_is_expected() -> None:
    machine = prefetch()
    machine.conclude("", 1.0)
    assert not machine.settled
    machine.hear("", 2.0, final=True)
    assert machine.settled


@pytest.mark.parametrize(
    ("topic", "question", "query"),
    [
        ("When do you open?", "And on Sundays?", "When do you open? And on Sundays?"),
        ("", "And on Sundays?", "And on Sundays?"),
        ("When do you open?", "Where can I park my car?", "Where can I park my car?"),
    ],
)
def test_a_short_question_is_searched_for_together_with_the_one_before(topic: str, question: str, query: str) -> None:
    assert prefetch(topic=topic).conclude(question, 1.0) == [Retrieve("search_1_1", query)]


def test_a_short_question_is_also_searched_for_as_one_about_the_page() -> None:
    machine = prefetch(page_title="Repairs")
    assert machine.conclude("How much is it?", 1.0) == [
        Retrieve("search_1_1", "How much is it?", "Repairs How much is it?")
    ]


def test_a_long_question_speaks_for_itself_whatever_the_page() -> None:
    whole = "how much does it cost to hire a bicycle for a day"
    assert prefetch(page_title="Repairs").conclude(whole, 1.0) == [Retrieve("search_1_1", whole)]


# -- one after the other, for comparison ---------------------------------------------------------------------------


def test_sequential_retrieval_asks_once_when_the_question_is_over_and_transcribed() -> None:
    machine = prefetch(retrieval="sequential")
    whole = FIVE + "sundays in winter"
    assert machine.hear(FIVE, 0.0) == machine.hear(whole, 0.5) == []
    assert machine.deadline is None
    assert machine.conclude(whole, 1.0) == []
    assert not machine.settled
    assert machine.hear(whole, 1.5, final=True) == [Retrieve("search_1_1", whole)]
    assert not machine.settled
    machine.answered("search_1_1", (HOURS,), 9.0)
    assert machine.settled
    machine.requested()
    assert outcomes(machine) == {"hit": 1}


def test_a_transcript_that_is_whole_before_the_end_of_speech_is_asked_for_then() -> None:
    machine = prefetch(retrieval="sequential")
    assert machine.hear(FIVE, 0.0, final=True) == []
    assert machine.conclude(FIVE, 1.0) == [Retrieve("search_1_1", FIVE.strip())]


@pytest.mark.parametrize(
    ("retrieval", "typed", "milliseconds"),
    [("prefetch", False, 200), ("prefetch", True, 1_000), ("sequential", False, 5_000), ("sequential", True, 5_000)],
)
def test_how_long_the_answer_may_wait(retrieval: str, typed: bool, milliseconds: int) -> None:
    assert prefetch(retrieval=retrieval).budget_ms(typed=typed) == milliseconds


# -- what came too late --------------------------------------------------------------------------------------------


def late(known: str) -> Found:
    """A search of the turn before for ``known``, which came after its answer was asked for."""
    before = Prefetch(PrefetchPolicy(), 0)
    before.conclude(known, 1.0)
    before.requested()
    before.answered("search_0_1", (HOURS,), 9.0)
    assert before.leftover is not None
    return before.leftover


def test_what_came_too_late_serves_the_next_question_if_it_fits() -> None:
    """It was counted where it was asked for."""
    machine = prefetch(carried=late("when do you open on sundays"))
    assert machine.hear("so when do you open on ", 0.0) == []
    assert machine.found is not None
    assert machine.found.passages == (HOURS,)
    machine.conclude("so when do you open on sundays", 1.0)
    assert machine.settled
    machine.requested()
    assert outcomes(machine) == {}


def test_a_short_question_may_use_it_too() -> None:
    machine = prefetch(carried=late("when do you open on sundays"))
    assert machine.conclude("open on sundays?", 1.0) == []
    assert machine.found is not None


def test_what_came_too_late_and_does_not_fit_is_forgotten() -> None:
    machine = prefetch(carried=late("where can I park my car"))
    assert machine.hear(FIVE, 0.0) == [Retrieve("search_1_1", FIVE.strip())]
    assert machine.found is None


def test_it_is_replaced_like_any_other_when_the_question_grows_away_from_it() -> None:
    machine = prefetch(carried=late("when do you open on sundays"))
    machine.hear(FIVE, 0.0)
    whole = FIVE + "the days when all of the other museums are closed"
    assert machine.conclude(whole, 1.0) == [Retrieve("search_1_1", whole)]
    machine.answered("search_1_1", (PARKING,), 9.0)
    machine.requested()
    assert outcomes(machine) == {"hit": 1}


# -- every search is accounted for ----------------------------------------------------------------------------------


def test_a_search_that_found_nothing_counts_as_none() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (), 9.0)
    machine.conclude(FIVE, 1.0)
    assert machine.settled
    machine.requested()
    assert outcomes(machine) == {"none": 1}


def test_nothing_found_for_the_beginning_leaves_what_stands_nothing_found_for_the_whole_removes_it() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (HOURS,), 9.0)
    machine.hear(FIVE + "the days when ", 0.1)
    machine.answered("search_1_2", (), 9.0)
    assert machine.found is not None
    machine.conclude(FIVE + "the days when all of the other museums in town are closed", 1.0)
    machine.answered("search_1_3", (), 9.0)
    assert machine.found is None
    machine.requested()
    assert outcomes(machine) == {"superseded": 1, "none": 2}


def test_a_search_that_is_still_out_at_the_request_is_late_when_it_comes() -> None:
    machine = prefetch()
    machine.conclude("opening hours", 1.0)
    assert machine.requested() == []
    assert machine.answered("search_1_1", (HOURS,), 9.0) == []
    assert machine.found is None
    assert outcomes(machine) == {"late": 1}


def test_a_search_that_is_still_out_at_the_request_may_fail_later() -> None:
    machine = prefetch()
    machine.conclude("opening hours", 1.0)
    machine.requested()
    machine.failed("search_1_1")
    assert outcomes(machine) == {"failed": 1}


def test_a_late_search_that_never_comes_is_cancelled_with_the_turn() -> None:
    machine = prefetch()
    machine.conclude("opening hours", 1.0)
    machine.requested()
    assert machine.close() == [CancelRetrieval("search_1_1")]
    assert machine.close() == []
    assert outcomes(machine) == {"late": 1}


def test_all_is_superseded_when_the_turn_ends_before_its_request() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_1_1", (HOURS,), 9.0)
    machine.hear(FIVE + "sundays in winter ", 0.2)
    assert machine.close() == [CancelRetrieval("search_1_2")]
    assert outcomes(machine) == {"superseded": 2}


def test_answers_to_searches_that_nobody_made_are_not_counted() -> None:
    machine = prefetch()
    machine.hear(FIVE, 0.0)
    machine.answered("search_9_9", (HOURS,), 9.0)
    machine.failed("search_9_9")
    assert machine.found is None
    assert not machine.outcomes.total()


def test_after_its_end_it_asks_nothing() -> None:
    machine = prefetch()
    machine.close()
    assert [machine.hear(FIVE, 1.0), machine.conclude(FIVE, 1.0), machine.tick(9.0)] == [[], [], []]


def test_switched_off_it_asks_nothing_and_is_always_settled() -> None:
    machine = prefetch(retrieval="off")
    assert [machine.hear(FIVE, 1.0), machine.conclude(FIVE, 1.0), machine.tick(9.0)] == [[], [], []]
    assert machine.settled
    assert machine.deadline is None
    machine.requested()
    assert outcomes(machine) == {}


def test_every_outcome_has_a_word() -> None:
    assert {outcome.value for outcome in SearchOutcome} == {"hit", "late", "superseded", "failed", "none"}
