"""Whatever happens, in whatever order: what always holds. The rules are those of :class:`Witness`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protocol.script import HOURS, PARKING, QUESTION, Script
from tests.unit.protocol.witness import Witness
from tests.unit.protocol.world import WRITER, World
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.cost import PLACES, Prices
from voice.protocol.responses import BUSY
from voice.protocol.tally import Tally
from voice.protocol.usage import read

MODEL = "gpt-realtime-2.1-mini"

# -- in an honest world ---------------------------------------------------------------------------------------------

PAUSES = st.sampled_from([0, 30, 150, 300, 900, 2_500, 6_000, 15_000])
VISITOR = st.one_of(
    st.integers(0, 16),  # so many words are spoken
    st.integers(0, 16),
    st.sampled_from([e.TextSubmitted("Parking?"), e.TextSubmitted(QUESTION), e.Interrupt(), e.Muted(True)]),
)
PUSHER = st.one_of(
    st.sampled_from([e.PushStarted(), e.PushReleased(800), e.PushReleased(50), e.Interrupt()]),
    st.just(e.TextSubmitted("Parking?")),
)

LOST = "the upstream is lost"
LOSS = st.just(LOST)


def live(world: World, story: list[tuple[Any, int]]) -> None:
    """The visitor does this and that, and waits in between; then the session ends."""
    for act, pause in story:
        if isinstance(act, int):
            world.speak(act)
        elif act is LOST:
            world.lose_upstream()
        else:
            world.do(act)
        world.live(pause)
    world.end()


@settings(max_examples=250)
@given(st.integers(0, 10**6), st.booleans(), st.lists(st.tuples(VISITOR, PAUSES), max_size=12))
def test_one_answer_at_a_time_one_context_a_turn_and_everything_accounted_for(
    seed: int, reports: bool, story: list[tuple[Any, int]]
) -> None:
    """With an upstream, a browser and a knowledge that are slow, fail and overlap, but do what they promise."""
    live(World(seed, repeats=False, reports=reports), story)


@settings(max_examples=250)
@given(st.integers(0, 10**6), st.booleans(), st.lists(st.tuples(VISITOR | PUSHER | LOSS, PAUSES), max_size=12))
def test_the_same_when_the_upstream_is_lost_again_and_again(
    seed: int, repeats: bool, story: list[tuple[Any, int]]
) -> None:
    live(World(seed, repeats=repeats, reports=True), story)


@settings(max_examples=250)
@given(st.integers(0, 10**6), st.lists(st.tuples(VISITOR, PAUSES), max_size=12))
def test_the_same_when_events_come_twice(seed: int, story: list[tuple[Any, int]]) -> None:
    live(World(seed, repeats=True, reports=True), story)


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.booleans(), st.lists(st.tuples(VISITOR, PAUSES), max_size=12))
def test_the_same_when_the_knowledge_is_searched_afterwards(
    seed: int, repeats: bool, story: list[tuple[Any, int]]
) -> None:
    live(World(seed, repeats=repeats, reports=True, retrieval="sequential"), story)


@settings(max_examples=150)
@given(st.integers(0, 10**6), st.booleans(), st.lists(st.tuples(PUSHER, PAUSES), max_size=14))
def test_the_same_with_push_to_talk(seed: int, repeats: bool, story: list[tuple[Any, int]]) -> None:
    live(World(seed, repeats=repeats, reports=True), story)


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.lists(st.tuples(VISITOR, PAUSES), min_size=1, max_size=8))
def test_left_alone_every_conversation_comes_to_rest(seed: int, story: list[tuple[Any, int]]) -> None:
    world = World(seed, repeats=False, reports=False)
    for act, pause in story:
        if isinstance(act, int):
            world.speak(act)
        else:
            world.do(act)
        world.live(pause)
    world.live(90_000)
    assert world.script.conversation.deadline is None
    assert not world.script.conversation.speaking
    world.end()


@settings(max_examples=250)
@given(st.integers(0, 10**6), st.booleans(), st.lists(st.tuples(VISITOR, PAUSES), max_size=12))
def test_what_the_records_count_is_what_the_upstream_has_billed(
    seed: int, repeats: bool, story: list[tuple[Any, int]]
) -> None:
    """To the token, kind by kind, and in money; but for the answer under way at the end, which makes it an estimate."""
    world = World(seed, repeats=repeats, reports=True)
    live(world, story)
    tally = Tally(MODEL, Prices(), metered=True)
    for told in world.script.told:
        if isinstance(told.command, c.ToRecords):
            tally.count(told.command)
    counted = tally.counters()
    answers = [bill for bill in world.billed.values() if "seconds" not in bill]
    given = [bill["input_token_details"] for bill in answers]
    cached, made = [g["cached_tokens_details"] for g in given], [bill["output_token_details"] for bill in answers]
    for kinds, text, audio in (
        (given, counted.text_in, counted.audio_in),
        (cached, counted.text_cached, counted.audio_cached),
        (made, counted.text_out, counted.audio_out),
    ):
        assert (text, audio) == tuple(sum(k[kind] for k in kinds) for kind in ("text_tokens", "audio_tokens"))
    written = [bill for bill in world.billed.values() if "seconds" in bill]
    assert counted.transcription_ms == sum(round(bill["seconds"] * 1000) for bill in written)
    paid = [Prices().cost({WRITER if "seconds" in bill else MODEL: read(bill)}) for bill in world.billed.values()]
    assert abs(counted.cost - sum((cost for cost in paid if cost), Decimal(0))) <= PLACES  # it is rounded once
    assert counted.estimated or not world.answering


# -- in a world of chance -------------------------------------------------------------------------------------------

NUMBERS = st.integers(1, 4)
ITEMS = NUMBERS.map("item_{}".format)
SOUNDS = NUMBERS.map("sound_{}".format)
RESPONSES = NUMBERS.map("resp_{}".format)
REQUESTS = NUMBERS.map("req_{}".format)
SEARCHES = st.builds("search_{}_{}".format, NUMBERS, NUMBERS)
TEXTS = st.sampled_from(["", " ", "and ", "euh ", QUESTION, "where can somebody with two big dogs park a car?"])

CHANCES: dict[type[e.Event], st.SearchStrategy[e.Event]] = {
    e.SpeechStarted: st.builds(e.SpeechStarted, ITEMS),
    e.SpeechStopped: st.builds(e.SpeechStopped, ITEMS),
    e.InputCommitted: st.builds(e.InputCommitted, ITEMS, st.none() | st.just("ctx_1_1")),
    e.TranscriptDelta: st.builds(e.TranscriptDelta, ITEMS, TEXTS),
    e.TranscriptPartial: st.builds(e.TranscriptPartial, ITEMS, TEXTS),
    e.TranscriptDone: st.builds(e.TranscriptDone, ITEMS, TEXTS),
    e.TranscriptBilled: st.builds(e.TranscriptBilled, ITEMS, st.just("transcriber"), st.none()),
    e.TranscriptFailed: st.builds(e.TranscriptFailed, ITEMS),
    e.ResponseStarted: NUMBERS.map(lambda n: e.ResponseStarted(f"resp_{n}", f"req_{n}")),
    e.AudioDelta: st.builds(
        e.AudioDelta, RESPONSES, SOUNDS, st.integers(0, 2_000).map(lambda samples: bytes(2 * samples))
    ),
    e.AudioDone: st.builds(e.AudioDone, RESPONSES, SOUNDS),
    e.AnswerDelta: st.builds(e.AnswerDelta, RESPONSES, SOUNDS, TEXTS),
    e.ResponseDone: st.builds(
        e.ResponseDone,
        RESPONSES,
        st.sampled_from(["completed", "cancelled", "incomplete", "failed"]),
        request_id=st.none() | REQUESTS,
    ),
    e.Fault: st.builds(e.Fault, st.sampled_from([BUSY, "server_error"]), event_id=st.none() | REQUESTS),
    e.UpstreamLost: st.just(e.UpstreamLost()),
    e.UpstreamBack: st.just(e.UpstreamBack()),
    e.TextSubmitted: st.builds(e.TextSubmitted, TEXTS),
    e.Heard: st.builds(e.Heard, SOUNDS, st.integers(0, 3_000)),
    e.Interrupt: st.just(e.Interrupt()),
    e.Muted: st.builds(e.Muted, st.booleans()),
    e.PushStarted: st.just(e.PushStarted()),
    e.PushReleased: st.builds(e.PushReleased, st.integers(0, 3_000)),
    e.PassagesRetrieved: st.builds(e.PassagesRetrieved, SEARCHES, st.sampled_from([(), (HOURS,), (PARKING, HOURS)])),
    e.RetrievalFailed: st.builds(e.RetrievalFailed, SEARCHES, st.just("timeout")),
}
CHANCE = st.one_of(*CHANCES.values())


def test_chance_knows_every_event_there_is() -> None:
    assert CHANCES.keys() == {*get_args(e.Event)}


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from([0, 20, 150, 210, 2_000, 11_000]), CHANCE), max_size=40))
def test_no_order_of_events_breaks_a_rule(story: list[tuple[int, e.Event]]) -> None:
    """Events that no honest upstream would send, about things that nobody asked for."""
    script, witness, now = Script(), Witness(), 0
    for pause, event in story:
        now += pause
        witness.saw(None, script.at(now))
        witness.saw(event, script.at(now, event))
    witness.saw(None, script.close(now))
    witness.closed()
