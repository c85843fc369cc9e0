"""What a client may ask for, and what it is answered when it asks for something else."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.realtime_wire.client import OFFER, PUSH_TO_TALK, SESSION, Client, answering, kinds
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.protocol.wires.fields import AUDIO_LIMIT, TEXT_LIMIT, TYPED_LIMIT, WireError
from voice.protocol.wires.messages import Commit, Discard, Start
from voice.protocol.wires.realtime import Realtime
from voice.protocol.wires.realtime.client_events import CLIENT_TYPES
from voice.protocol.wires.realtime.telling import TOLD

INTERRUPTED = c.TellTurnDone(1, TurnOutcome.INTERRUPTED, {})


def test_whoever_is_let_in_is_told_the_session_at_once() -> None:
    created, conversation = Client().told
    assert (created["type"], created["session"]["id"], created["session"]["expires_at"]) == (
        "session.created",
        SESSION,
        1_800_000_000,
    )
    assert conversation["conversation"] == {"id": f"conv_{SESSION}", "object": "realtime.conversation"}


# -- audio ----------------------------------------------------------------------------------------------------------


def test_audio_begins_the_conversation() -> None:
    client = Client()
    assert client.append(1) == [Start(), bytes(48)]
    assert client.append(1) == [bytes(48)]


def test_a_second_of_audio_fits_into_a_frame() -> None:
    audio = base64.b64encode(bytes(AUDIO_LIMIT)).decode()
    assert len(json.dumps({"type": "input_audio_buffer.append", "event_id": "e" * 500, "audio": audio})) <= TEXT_LIMIT
    assert Client().say("input_audio_buffer.append", audio=audio)[1] == bytes(AUDIO_LIMIT)


@pytest.mark.parametrize(
    ("audio", "param"),
    [
        ("AA", "audio"),
        ("not base64!", "audio"),
        ("AA==", None),
        (base64.b64encode(bytes(AUDIO_LIMIT + 2)).decode(), None),
    ],
    ids=["cut", "nonsense", "half a sample", "more than a second"],
)
def test_bad_audio_is_named(audio: str, param: str | None) -> None:
    assert Client().refused("input_audio_buffer.append", audio=audio) == ("invalid_audio", param)


def test_binary_frames_are_bad_audio() -> None:
    with pytest.raises(WireError) as raised:
        Client().wire.decode(bytes(2))
    assert raised.value.code == "invalid_audio"


def test_turns_are_detected_unless_they_are_pushed() -> None:
    client = Client()
    for kind in ("input_audio_buffer.commit", "input_audio_buffer.clear"):
        assert client.refused(kind) == ("unexpected", "type")


def test_a_push_is_committed_or_taken_back() -> None:
    client = Client(**PUSH_TO_TALK)
    client.append()
    assert client.say("input_audio_buffer.clear") == [Discard()]
    assert client.told[-1]["type"] == "input_audio_buffer.cleared"
    assert client.refused("input_audio_buffer.commit") == ("input_audio_buffer_commit_empty", None)
    client.append(99)
    assert client.refused("input_audio_buffer.commit") == ("input_audio_buffer_commit_empty", None)
    client.append(1)
    assert client.say("input_audio_buffer.commit") == [Commit()]
    assert client.tell(c.TellCommitted("item_u"))[0]["type"] == "input_audio_buffer.committed"


# -- who asks for an answer -----------------------------------------------------------------------------------------


def test_what_is_typed_is_asked_when_a_response_is() -> None:
    client = Client()
    assert client.type("One", id="mine_1") == client.type("Two") == []
    assert kinds(client.told[2:]) == ["conversation.item.added", "conversation.item.done"] * 2
    assert (client.told[2]["item"]["id"], client.told[4]["previous_item_id"]) == ("mine_1", "mine_1")
    assert client.told[2]["item"]["content"] == [{"type": "input_text", "text": "One"}]
    assert client.say("response.create") == [Start(), e.TextSubmitted("One\nTwo")]
    assert client.tell(c.TellUserTranscript("usr_1", "One\nTwo", final=True)) == []


def test_its_metadata_comes_back() -> None:
    client = Client()
    client.type()
    client.say("response.create", response={"metadata": {"turn": "7"}, "conversation": "auto"})
    answering(client)
    assert client.last("response.created")["response"]["metadata"] == {"turn": "7"}
    client.tell(c.TellAnswerDone("resp_1", "completed", None, None), c.TellAnswerStarted("resp_2"))
    assert client.last("response.created")["response"]["metadata"] is None


@pytest.mark.parametrize(
    ("response", "code", "param"),
    [
        ({"instructions": "Be rude."}, "not_allowed", "response.instructions"),
        ({"tools": []}, "not_allowed", "response.tools"),
        ({"input": []}, "not_allowed", "response.input"),
        ({"audio": {"output": {"voice": "cedar"}}}, "not_allowed", "response.audio"),
        ({"conversation": "none"}, "not_allowed", "response"),
        ({"output_modalities": ["text"]}, "not_allowed", "response"),
        ({"modalities": ["text"]}, "unknown_field", "response.modalities"),
        ({"metadata": {"a": 7}}, "invalid_field", "response.metadata.a"),
        ({"metadata": {"a": "x" * 513}}, "invalid_field", "response.metadata.a"),
        ({"metadata": {str(n): "" for n in range(17)}}, "invalid_field", "response.metadata"),
    ],
)
def test_no_answer_is_other_than_the_sites(response: dict[str, Any], code: str, param: str) -> None:
    client = Client()
    client.type()
    assert client.refused("response.create", response=response) == (code, param)
    assert client.say("response.create") == [Start(), e.TextSubmitted("Open?")]


def test_a_response_without_a_question_is_none() -> None:
    assert Client().refused("response.create") == ("unexpected", "type")


def test_one_answer_at_a_time() -> None:
    client = Client()
    client.type()
    client.say("response.create")
    assert client.refused("response.create")[0] == "conversation_already_has_active_response"
    answering(client)
    assert client.refused("response.create")[0] == "conversation_already_has_active_response"


def test_a_typed_question_interrupts_like_a_spoken_one() -> None:
    client = Client()
    answering(client)
    client.type()
    assert client.say("response.create")[-1] == e.TextSubmitted("Open?")
    done = client.tell(c.StopPlayback("item_a"), INTERRUPTED)[-1]["response"]
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


@pytest.mark.parametrize("when", ["before the answer", "while it is told"])
def test_after_a_spoken_question_one_response_asks_for_the_answer_that_is_under_way(when: str) -> None:
    """Though the session says that nobody needs to, some clients ask for every answer."""
    client = Client()
    client.append()
    client.tell(c.TellSpeechStarted("item_u"), c.TellSpeechStopped("item_u"), c.TellCommitted("item_u"))
    if when != "before the answer":
        answering(client)
    assert client.say("response.create") == []
    assert client.refused("response.create")[0] == "conversation_already_has_active_response"


def test_a_question_that_came_to_nothing_is_asked_no_more() -> None:
    client = Client()
    client.tell(c.TellCommitted("item_u"), INTERRUPTED)
    assert client.refused("response.create") == ("unexpected", "type")


@pytest.mark.parametrize("when", ["before the answer", "while it is told"])
def test_after_a_push_one_response_asks_for_the_answer_that_is_under_way(when: str) -> None:
    """Whoever has turned detection off asks for each answer; here it is made in any case."""
    client = Client(**PUSH_TO_TALK)
    client.append()
    client.say("input_audio_buffer.commit")
    if when != "before the answer":
        answering(client)
    assert client.say("response.create") == []
    client.tell(*([c.TellCommitted("item_u")] if when == "before the answer" else []))
    assert client.refused("response.create")[0] == "conversation_already_has_active_response"
    if when == "before the answer":
        answering(client)
    client.tell(c.TellAnswerDone("resp_1", "completed", None, None))
    assert client.refused("response.create") == ("unexpected", "type")


def test_a_push_that_was_answered_is_not_answered_again() -> None:
    client = Client(**PUSH_TO_TALK)
    client.append()
    client.say("input_audio_buffer.commit")
    answering(client)
    client.tell(c.TellAnswerDone("resp_1", "completed", None, None))
    assert client.refused("response.create") == ("unexpected", "type")


def test_whoever_asked_for_an_answer_gets_a_response() -> None:
    """If only one that was cancelled before it began: stock clients wait for it."""
    client = Client()
    client.type()
    client.say("response.create", response={"metadata": {"turn": "7"}})
    told = client.tell(INTERRUPTED)  # that is the turn before
    assert told == []
    client.tell(c.TellUserTranscript("usr_2", "Open?", final=True))
    told = client.tell(c.TellTurnDone(2, TurnOutcome.INTERRUPTED, {}))
    assert kinds(told) == ["response.created", "response.done"]
    assert (told[1]["response"]["status"], told[1]["response"]["metadata"]) == ("cancelled", {"turn": "7"})


def test_nobody_else_does() -> None:
    assert Client().tell(INTERRUPTED) == []


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        ({"role": "system"}, "not_allowed", "item.role"),
        ({"role": "assistant"}, "not_allowed", "item.role"),
        ({"type": "function_call_output"}, "not_allowed", "item.role"),
        ({"content": [{"type": "input_audio", "audio": "AAAA"}]}, "not_allowed", "item.content"),
        ({"content": []}, "not_allowed", "item.content"),
        ({"content": "Open?"}, "not_allowed", "item.content"),
        ({"content": [{"type": "input_text", "text": " "}]}, "invalid_field", "item.content"),
        ({"content": [{"type": "input_text", "text": 7}]}, "invalid_field", "item.content.text"),
        ({"content": [{"type": "input_text", "text": "x" * (TYPED_LIMIT + 1)}]}, "invalid_field", "item.content.text"),
        ({"id": "x" * 33}, "invalid_field", "item.id"),
        ({"x": 1}, "unknown_field", "item.x"),
    ],
)
def test_no_item_is_created_but_the_users_words(item: dict[str, Any], code: str, param: str) -> None:
    client = Client()
    good = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Open?"}]}
    assert client.refused("conversation.item.create", item={**good, **item}) == (code, param)
    assert client.refused("response.create") == ("unexpected", "type")


def test_an_item_has_its_id_alone_and_its_place_at_the_end() -> None:
    client = Client()
    client.type(id="mine")
    good = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Open?"}]}
    assert client.refused("conversation.item.create", item={**good, "id": "mine"}) == ("invalid_field", "item.id")
    told = client.refused("conversation.item.create", item=good, previous_item_id="root")
    assert told == ("not_allowed", "previous_item_id")


def test_many_small_items_are_no_large_one() -> None:
    client = Client()
    client.type("x" * TYPED_LIMIT)
    good = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "?"}]}
    assert client.refused("conversation.item.create", item=good) == ("invalid_field", "item.content")


# -- while an answer sounds -----------------------------------------------------------------------------------------


def test_an_answer_is_cancelled() -> None:
    client = Client()
    assert client.refused("response.cancel")[0] == "response_cancel_not_active"
    answering(client)
    assert client.refused("response.cancel", response_id="resp_0")[0] == "response_cancel_not_active"
    assert client.say("response.cancel", response_id="resp_1") == [e.Interrupt()]
    done = client.tell(c.StopPlayback("item_a"))[-1]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")


def test_a_truncation_says_how_much_was_heard() -> None:
    """After the server has heard somebody speak: it has stopped the answer by itself."""
    client = Client()
    answering(client)
    client.tell(c.StopPlayback("item_a"), INTERRUPTED, c.TellSpeechStarted("item_u"))
    asked = client.say("conversation.item.truncate", item_id="item_a", content_index=0, audio_end_ms=120)
    assert asked == [e.Heard("item_a", 120)]
    assert client.told[-1]["type"] == "conversation.item.truncated"
    assert client.told[-1]["audio_end_ms"] == 120
    client.say("conversation.item.retrieve", item_id="item_a")
    assert client.told[-1]["item"]["content"] == [{"type": "output_audio", "transcript": None}]


def test_a_truncation_of_what_sounds_also_stops_it() -> None:
    client = Client()
    answering(client)
    client.tell(c.TellAnswerDone("resp_1", "completed", None, None))
    asked = client.say("conversation.item.truncate", item_id="item_a", audio_end_ms=120)
    assert asked == [e.Heard("item_a", 120), e.Interrupt()]


@pytest.mark.parametrize("over", [c.TellTurnDone(1, TurnOutcome.COMPLETED, {}), c.TellSpeechStarted("item_u")])
def test_a_truncation_that_comes_late_stops_nobody(over: c.ToBrowser) -> None:
    """Else it would stop the next answer."""
    client = Client()
    answering(client)
    client.tell(c.TellAnswerDone("resp_1", "completed", None, None), over)
    assert client.say("conversation.item.truncate", item_id="item_a", audio_end_ms=200) == [e.Heard("item_a", 200)]


def test_only_what_was_answered_can_be_truncated() -> None:
    client = Client()
    client.tell(c.TellCommitted("item_u"))
    for item_id in ("item_u", "item_x"):
        told = client.refused("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1)
        assert told == ("invalid_field", "item_id")


# -- the rest -------------------------------------------------------------------------------------------------------


def test_the_newest_sixteen_items_can_be_asked_for() -> None:
    client = Client()
    for n in range(17):
        client.tell(c.TellCommitted(f"item_{n}"))
    assert client.refused("conversation.item.retrieve", item_id="item_0") == ("invalid_field", "item_id")
    client.say("conversation.item.retrieve", item_id="item_1")
    assert client.told[-1]["item"]["id"] == "item_1"


def test_items_are_not_deleted() -> None:
    assert Client().refused("conversation.item.delete", item_id="item_u") == ("not_allowed", "type")


@pytest.mark.parametrize("kind", ["start", "playback", "output_audio_buffer.clear", "transcription_session.update", ""])
def test_another_vocabulary_is_not_understood(kind: str) -> None:
    assert Client().refused(kind) == ("unknown_type", "type")


def test_no_field_is_unknown() -> None:
    assert Client().refused("response.cancel", x=1) == ("unknown_field", "x")


@pytest.mark.parametrize("event_id", [7, "x" * 513, ["a"]])
def test_an_events_name_is_a_short_text(event_id: Any) -> None:
    with pytest.raises(WireError) as raised:
        Client().say("response.cancel", event_id=event_id)
    assert (raised.value.param, raised.value.event_id) == ("event_id", None)


def test_the_end_is_an_error_with_the_reason_for_its_code() -> None:
    (event,) = Client().tell(c.TellEnding(EndReason.RATE_LIMITED, "Five an hour.", 120_000))
    assert event["error"] == {
        "type": "invalid_request_error",
        "code": "rate_limited",
        "message": "Five an hour.",
        "param": None,
        "event_id": None,
        "retry_after_ms": 120_000,
    }
    (event,) = Client().tell(c.TellEnding(EndReason.UPSTREAM_TIMEOUT, "Too long."))
    assert (event["error"]["type"], event["error"]["code"]) == ("server_error", "upstream_timeout")
    (event,) = Client().tell(c.TellEnding(EndReason.MAX_DURATION, "Ten minutes."))
    assert event["error"]["code"] == "session_expired"


def test_the_address_may_name_a_model_and_nothing_else() -> None:
    wire = Realtime(OFFER)
    assert [wire.tolerates(name) for name in ("model", "call_id", "intent")] == [True, False, False]


def test_every_command_to_the_browser_is_understood() -> None:
    kinds = {kind for kind in vars(c).values() if isinstance(kind, type) and issubclass(kind, c.ToBrowser)}
    assert kinds - {c.ToBrowser} <= TOLD


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["session", "audio", "item", "response", "item_id", "response_id", "audio_end_ms", "content_index", "event_id", "x"]
)


@given(st.sampled_from(sorted(CLIENT_TYPES)) | json_values, st.dictionaries(names, json_values, max_size=4))
def test_no_event_does_anything_but_decode_or_name_its_fault(kind: Any, event: dict[str, Any]) -> None:
    client = Client()
    answering(client)
    with suppress(WireError):
        client.say(kind, **event)
