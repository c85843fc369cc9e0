"""Whatever comes, in whatever order: what a conversation must never do."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conversation.script import HARBOUR, Script
from voice.protocol import commands as c
from voice.protocol import events as e

ITEMS = st.sampled_from(["item_u", "item_v", "item_w"])
RESPONSES = st.sampled_from(["resp_1", "resp_2", "resp_3"])
REQUESTS = st.sampled_from([None, "req_1", "req_2", "req_3"])
SOUNDS = st.sampled_from(["item_a", "item_b"])
TEXTS = st.sampled_from(
    ["", "When", "When does the harbour shop open on ", "And on Sundays?", "How do I return a bike."]
)
SEARCHES = st.builds("search_{}_{}".format, st.integers(1, 4), st.integers(1, 4))
CODES = st.sampled_from(["conversation_already_has_active_response", "server_error"])

EVENTS = st.one_of(
    st.builds(e.SpeechStarted, ITEMS),
    st.builds(e.SpeechStopped, ITEMS),
    st.builds(e.InputCommitted, ITEMS, st.sampled_from([None, "ctx_1_1", "item_a"])),
    st.builds(e.TranscriptDelta, ITEMS, TEXTS),
    st.builds(e.TranscriptPartial, ITEMS, TEXTS),
    st.builds(e.TranscriptDone, ITEMS, TEXTS),
    st.builds(e.TranscriptFailed, ITEMS),
    st.builds(e.ResponseStarted, RESPONSES, REQUESTS),
    st.builds(e.AudioDelta, RESPONSES, SOUNDS, st.binary(max_size=1).map(lambda b: b * 4800)),
    st.builds(e.AudioDone, RESPONSES, SOUNDS),
    st.builds(e.AnswerDelta, RESPONSES, SOUNDS, TEXTS),
    st.builds(e.ResponseDone, RESPONSES, st.sampled_from(["completed", "cancelled", "incomplete", "failed"])),
    st.builds(e.Fault, CODES, event_id=REQUESTS),
    st.builds(e.TextSubmitted, st.just("Where can I hire a bike for a week?")),
    st.builds(e.Heard, SOUNDS, st.integers(0, 10_000)),
    st.just(e.Interrupt()),
    st.builds(e.Muted, st.booleans()),
    st.just(e.PushStarted()),
    st.builds(e.PushReleased, st.integers(0, 3_000)),
    st.builds(e.PassagesRetrieved, SEARCHES, st.sampled_from([(), (HARBOUR,)])),
    st.builds(e.RetrievalFailed, SEARCHES, st.just("timeout")),
)
# How an exchange goes if nothing comes between, told by what was asked of upstream and knowledge last. Blind chance
# rarely gets as far as an answer; these scenes, cut short anywhere and mixed with chance, get everywhere.
SCENES = [
    ["question", "found", "committed", "started", "audio", "heard", "audio", "done", "heard", "heard"],
    ["question", "committed", "found", "started", "audio", "done"],
    ["question", "committed", "nothing", "started", "done"],
    ["question", "committed", "started", "audio", "heard"],
]
SCENE = st.builds(lambda scene, length: scene[:length], st.sampled_from(SCENES), st.integers(1, 10))
PAUSES = st.sampled_from([0, 0, 20, 100, 250, 1_000, 4_000])
STORIES = st.lists(SCENE | EVENTS.map(lambda event: [event]), max_size=12).flatmap(
    lambda parts: st.tuples(*(st.tuples(PAUSES, st.just(step)) for part in parts for step in part)).map(list)
)
Story = list[tuple[int, e.Event | str]]


def told(story: Story) -> list[c.Command]:
    """All that a conversation commands in the course of ``story`` (pauses in ms, events) and at its end."""
    script, now = Script(), 0
    for pause, event in story:
        now += pause
        script.at(now, *(_honest(event, script) if isinstance(event, str) else [event]))
    script.close()
    return script.all


def _honest(what: str, script: Script) -> list[e.Event]:
    turns = sum(isinstance(command, c.TurnEnded) for command in script.all)
    item, sound = f"item_{turns}", f"sound_{turns}"
    searches = [command.search_id for command in script.all if isinstance(command, c.Retrieve)]
    requests = [command.request_id for command in script.all if isinstance(command, c.CreateResponse)]
    response = f"for_{requests[-1]}" if requests else "none"
    happened: dict[str, list[e.Event]] = {
        "question": [e.SpeechStarted(item), e.TranscriptPartial(item, "When does the harbour shop open on Mondays?")],
        "found": [e.PassagesRetrieved(searches[-1], (HARBOUR,))] if searches else [],
        "nothing": [e.PassagesRetrieved(searches[-1], ())] if searches else [],
        "committed": [e.SpeechStopped(item), e.InputCommitted(item)],
        "started": [e.ResponseStarted(response, requests[-1])] if requests else [],
        "audio": [e.AudioDelta(response, sound, bytes(48_000))],
        "done": [e.ResponseDone(response, "completed")],
        "heard": [e.Heard(sound, 500)],
    }
    return happened[what]


few = settings(max_examples=300)


@few
@given(STORIES)
def test_every_turn_ends_exactly_once(story: Story) -> None:
    """And turns are numbered without a gap."""
    numbers = [command.number for command in told(story) if isinstance(command, c.TurnEnded)]
    assert numbers == list(range(1, len(numbers) + 1))


@few
@given(STORIES)
def test_every_search_is_accounted_for(story: Story) -> None:
    """Each one that was asked has one outcome, and no id is used twice."""
    commands = told(story)
    asked = [command.search_id for command in commands if isinstance(command, c.Retrieve)]
    outcomes: Counter[str] = Counter()
    for command in commands:
        if isinstance(command, c.TurnEnded):
            outcomes.update(command.searches)
    assert len(set(asked)) == len(asked) == outcomes.total()


@few
@given(STORIES)
def test_a_turn_has_one_context_at_a_time(story: Story) -> None:
    """A better one comes only after the old was deleted, and none after the answer was requested or the turn ended."""
    standing: str | None = None
    open_for_context = True
    for command in told(story):
        match command:
            case c.InjectContext(item_id=item_id):
                assert standing is None
                assert open_for_context
                assert len(item_id) <= 32
                standing = item_id
            case c.DeleteItem(item_id=item_id) if item_id == standing:
                standing = None
            case c.TellContext():
                open_for_context = False
            case c.TurnEnded():
                standing, open_for_context = None, True


@few
@given(STORIES)
def test_an_answer_is_requested_once_for_a_turn(story: Story) -> None:
    """But for a busy upstream, which is asked again."""
    requests = Counter(command.request_id for command in told(story) if isinstance(command, c.CreateResponse))
    assert all(count <= 4 for count in requests.values())
    busy = any(isinstance(event, e.Fault) for _, event in story)
    assert busy or all(count == 1 for count in requests.values())


@few
@given(STORIES)
def test_nothing_is_played_between_a_stop_and_the_next_answer(story: Story) -> None:
    """What an interrupted answer still says is not heard."""
    stopped = False
    for command in told(story):
        match command:
            case c.StopPlayback():
                stopped = True
            case c.CreateResponse():
                stopped = False
            case c.Play():
                assert not stopped


@few
@given(STORIES)
def test_the_memory_is_never_cut_beyond_what_was_sent(story: Story) -> None:
    """The upstream would refuse it."""
    sent: Counter[str] = Counter()
    for command in told(story):
        match command:
            case c.Play(item_id=item_id, pcm=pcm):
                sent[item_id] += len(pcm)
            case c.Truncate(item_id=item_id, audio_end_ms=heard):
                assert 0 < heard * 48 <= sent[item_id]
