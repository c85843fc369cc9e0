"""What is told of a question that was spoken, and of its answer."""

import base64
from typing import Any

import pytest

from tests.unit.protocol.realtime_wire.client import Client, answering, kinds
from voice.protocol import commands as c
from voice.protocol.outcomes import TurnOutcome

ASKED = "conversation.item.input_audio_transcription"
USAGE = {
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}


def interrupted(turn: int = 1) -> c.TellTurnDone:
    return c.TellTurnDone(turn, TurnOutcome.INTERRUPTED, {})


def failed(turn: int = 1) -> c.TellTurnDone:
    return c.TellTurnDone(turn, TurnOutcome.FAILED, {})


def ask(client: Client, item_id: str = "item_u", text: str = "Open on Sundays?") -> None:
    """A spoken question."""
    client.append()
    client.tell(c.TellSpeechStarted(item_id))
    client.append()
    client.tell(c.TellSpeechStopped(item_id), c.TellCommitted(item_id), c.TellUserTranscript(item_id, text, final=True))


def test_a_spoken_question_is_told_from_its_first_sound_to_its_text() -> None:
    client = Client()
    ask(client)
    told = client.told[2:]
    assert kinds(told) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        f"{ASKED}.delta",
        f"{ASKED}.completed",
    ]
    assert (told[0]["audio_start_ms"], told[1]["audio_end_ms"]) == (1_000, 2_000)
    assert {event.get("item_id") or event["item"]["id"] for event in told} == {"item_u"}
    assert told[3]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert (told[6]["transcript"], told[6]["usage"]) == ("Open on Sundays?", {"type": "duration", "seconds": 1.0})


def test_words_are_told_when_they_are_closed_and_none_twice() -> None:
    client = Client()
    for text in ("When", "When do", "When do you o", "When do you open"):
        client.tell(c.TellUserTranscript("item_u", text, final=False))
    assert [event["delta"] for event in client.told[2:]] == ["When", " do you"]


def test_words_that_are_revised_are_told_by_the_whole_alone() -> None:
    """Deltas can only be appended."""
    client = Client()
    client.tell(c.TellCommitted("item_u"))
    for text in ("Wen do you", "When do you open", "When do you open on"):
        client.tell(c.TellUserTranscript("item_u", text, final=False))
    client.tell(c.TellUserTranscript("item_u", "When do you open on Sundays?", final=True))
    assert [event["delta"] for event in client.told if event["type"] == f"{ASKED}.delta"] == ["Wen do"]
    assert client.last(f"{ASKED}.completed")["transcript"] == "When do you open on Sundays?"


def test_a_whole_that_comes_before_its_item_waits_for_it() -> None:
    """Stock clients ask for the item as soon as they hear of its text."""
    client = Client()
    client.tell(c.TellUserTranscript("item_u", "Open?", final=True))
    assert f"{ASKED}.completed" not in kinds(client.told)
    assert kinds(client.tell(c.TellCommitted("item_u")))[-1] == f"{ASKED}.completed"
    client.say("conversation.item.retrieve", item_id="item_u")
    assert client.told[-1]["item"]["content"] == [{"type": "input_audio", "transcript": "Open?"}]


def test_an_answer_is_told_from_its_beginning_to_its_end() -> None:
    client = Client()
    ask(client)
    before = len(client.told)
    answering(client)
    client.tell(c.PlayDone("item_a"), c.TellAnswerDone("resp_1", "completed", None, USAGE))
    told = client.told[before:]
    assert kinds(told) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert base64.b64decode(told[5]["delta"]) == bytes(4_800)
    assert told[2]["previous_item_id"] == told[12]["previous_item_id"] == "item_u"
    assert (told[1]["item"]["status"], told[1]["item"]["content"]) == ("in_progress", [])
    content = [{"type": "output_audio", "transcript": "Until seven."}]
    assert (told[12]["item"]["status"], told[12]["item"]["content"]) == ("completed", content)
    parts = {(e["response_id"], e["item_id"], e["output_index"], e["content_index"]) for e in told[3:11]}
    assert parts == {("resp_1", "item_a", 0, 0)}
    done = told[-1]["response"]
    assert (done["id"], done["status"], done["status_details"]) == ("resp_1", "completed", None)
    assert [item["id"] for item in done["output"]] == ["item_a"]


def test_every_event_has_an_id_of_its_own() -> None:
    client = Client()
    ask(client)
    answering(client)
    ids = [event["event_id"] for event in client.told]
    assert len(ids) == len({*ids})


def test_the_items_of_one_answer_are_told_apart() -> None:
    client = Client()
    answering(client)
    client.tell(c.Play("item_b", bytes(2)), c.PlayDone("item_a"), c.TellAnswerDone("resp_1", "completed", None, None))
    indices = {e["item_id"]: e["output_index"] for e in client.told if e["type"] == "response.output_audio.done"}
    assert indices == {"item_a": 0, "item_b": 1}
    assert [item["id"] for item in client.told[-1]["response"]["output"]] == ["item_a", "item_b"]


def test_usage_is_told_in_the_vocabularys_own_words() -> None:
    """Counted anew, so that nothing of the upstream's is passed on that was not checked."""
    client = Client()
    answering(client)
    client.tell(c.TellAnswerDone("resp_1", "completed", None, {**USAGE, "secret": "prompt"}))
    usage = client.told[-1]["response"]["usage"]
    assert (usage["total_tokens"], usage["input_tokens"], usage["output_tokens"]) == (253, 132, 121)
    assert usage["input_token_details"]["cached_tokens"] == 64
    assert "secret" not in usage


@pytest.mark.parametrize(
    ("status", "reason", "details"),
    [
        ("incomplete", "max_output_tokens", {"type": "incomplete", "reason": "max_output_tokens"}),
        ("incomplete", "what only the upstream knows", {"type": "incomplete", "reason": None}),
        ("cancelled", "turn_detected", {"type": "cancelled", "reason": "turn_detected"}),
    ],
)
def test_an_answer_that_is_not_complete_says_why(status: Any, reason: str, details: dict[str, Any]) -> None:
    client = Client()
    answering(client)
    client.tell(c.TellAnswerDone("resp_1", status, reason, None))
    done = client.told[-1]["response"]
    assert (done["status"], done["status_details"]) == (status, details)
    assert done["output"][0]["status"] == "incomplete"


def test_an_interrupted_answer_ends_cancelled_before_the_next_is_told() -> None:
    client = Client()
    answering(client)
    told = client.tell(c.StopPlayback("item_a"), interrupted(), c.TellSpeechStarted("item_u"))
    assert kinds(told)[-2:] == ["response.done", "input_audio_buffer.speech_started"]
    assert told[-2]["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert client.tell(c.Play("item_a", bytes(2)), c.TellAnswerDone("resp_1", "completed", None, None)) == []


def test_an_answer_that_made_no_sound_yet_ends_with_its_turn() -> None:
    client = Client()
    client.tell(c.TellAnswerStarted("resp_1"))
    (done,) = client.tell(interrupted())
    assert (done["type"], done["response"]["status"], done["response"]["output"]) == ("response.done", "cancelled", [])


def test_an_answer_that_is_asked_for_once_more_is_one_response() -> None:
    """Where the upstream has failed before a word of it."""
    client = Client()
    client.tell(c.TellAnswerStarted("resp_1"))
    assert client.tell(c.TellAnswerStarted("resp_2")) == []
    done = client.tell(c.Play("item_a", bytes(2)), c.TellAnswerDone("resp_2", "completed", None, None))[-1]
    assert (done["response"]["id"], done["response"]["status"]) == ("resp_1", "completed")


def test_an_answer_without_an_end_has_failed_when_the_next_begins() -> None:
    client = Client()
    answering(client)
    told = client.tell(c.TellAnswerStarted("resp_2"))
    assert [(e["type"], e["response"]["id"]) for e in told if "response" in e] == [
        ("response.done", "resp_1"),
        ("response.created", "resp_2"),
    ]
    assert told[-2]["response"]["status"] == "failed"


def test_a_turn_that_is_complete_says_nothing_of_its_answer() -> None:
    """Whose end may still be on its way."""
    client = Client()
    answering(client)
    assert client.tell(c.TellTurnDone(1, TurnOutcome.COMPLETED, {})) == []
    assert client.tell(c.TellAnswerDone("resp_1", "completed", None, None))[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("begun", [False, True])
def test_an_answer_that_fails_is_a_response_that_has_failed(begun: bool) -> None:
    """Also where the upstream never began it: a client waits for one or the other."""
    client = Client()
    if begun:
        answering(client)
    client.tell(c.TellNotice("answer_failed"), failed())
    assert kinds(client.told).count("response.created") == 1
    done = client.told[-1]["response"]
    assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", "answer_failed")
    assert "error" not in kinds(client.told)


def test_a_lost_upstream_is_no_error_and_what_was_lost_with_it_is_a_response_that_has_failed() -> None:
    client = Client()
    answering(client)
    assert client.tell(c.TellNotice("reconnecting"), c.TellNotice("reconnected")) == []
    client.tell(c.TellNotice("say_again"), failed())
    assert (client.told[-1]["type"], client.told[-1]["response"]["status"]) == ("response.done", "failed")
    assert "error" not in kinds(client.told)


def test_half_an_emoji_of_an_upstream_does_not_end_the_session() -> None:
    client = Client()
    client.tell(c.TellAnswerStarted("resp_1"))
    for frame in client.wire.encode(c.TellAnswerTranscript("item_a", "\ud83d")):
        assert isinstance(frame, str)
        frame.encode()


def test_what_cannot_be_done_here_is_told_as_an_error() -> None:
    client = Client()
    for code in ("speech_unavailable", "voice_unavailable"):
        (event,) = client.tell(c.TellNotice(code))
        assert (event["error"]["type"], event["error"]["code"]) == ("server_error", code)
        assert event["error"]["message"]
    for code in ("answer_failed", "say_again", "reconnecting", "reconnected"):
        assert client.tell(c.TellNotice(code)) == []


def test_what_the_vocabulary_has_no_word_for_is_not_told() -> None:
    context = c.TellContext((), prefetched=True, waited_ms=0)
    assert Client().tell(c.TellReady("s", "local", 600), context, c.TellExpiring(30, "auth")) == []
