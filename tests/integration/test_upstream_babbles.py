"""An upstream that says too much, twice, late, or what nobody knows: within limits the visitor notices nothing."""

from collections import deque
from typing import Any

import pytest

from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.realtime_server import Answer, RealtimeServer, tone
from voice.protocol.audio import silence
from voice.upstream.openai.handshake import MALFORMED_LIMIT

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "when do you open on sundays"
DEEP = "[" * 100_000
UNKNOWN = {"type": "response.mood.updated", "event_id": "event_x", "mood": "sunny"}
AGAIN = {
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.input_audio_transcription.completed",
    "response.created",
    "response.output_audio.done",
    "response.done",
}


async def asks_aloud(visit: Visit, upstream: RealtimeServer, **trouble: Any) -> Visitor:
    """A visitor who has asked a question, of an upstream whose script has this ``trouble``."""
    for name, value in trouble.items():
        setattr(upstream.script, name, value)
    upstream.script.transcripts, upstream.script.answers = deque([QUESTION]), deque([Answer("At ten.")])
    client = await visit(start={})
    await client.until("session.ready")
    await client.speak(tone(1_200) + silence(700))
    return client


async def says_goodbye(client: Visitor) -> None:
    await client.tell(type="end")
    await client.ending()


@pytest.mark.parametrize(
    "trouble",
    [
        {"noise": [UNKNOWN]},
        {"repeats": AGAIN},
        {"delays": {"response.created": 0.05}},
        {"delays": {"input_audio_buffer.committed": 0.3}},
        {"delays": {"input_audio_buffer.speech_stopped": 0.3}},
        {"withholds": {"input_audio_buffer.committed"}},
        {"withholds": {"input_audio_buffer.speech_stopped"}},
    ],
    ids=lambda trouble: str(next(iter(trouble))) + " " + " ".join(sorted(map(str, next(iter(trouble.values())))))[:60],
)
async def test_one_question_is_one_turn_with_one_answer(
    visit: Visit, sessions: Any, upstream: RealtimeServer, trouble: dict[str, Any]
) -> None:
    client = await asks_aloud(visit, upstream, **trouble)
    assert (await client.until("turn.done"))["outcome"] == "completed"
    await says_goodbye(client)
    [row] = await sessions()
    assert (row.end_reason, row.turns_count, row.reconnects) == ("client_hangup", 1, 0)
    assert row.text_out == 10, "the answer is counted once"
    assert len(upstream.session.responses) == 1


async def test_what_is_no_event_at_all_is_skipped_and_counted(visit: Visit, upstream: RealtimeServer) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    for frame in (b"\xff\x00", "no json", DEEP, '{"type": 7}', "[]", '{"type":"response.done","response":{}}'):
        await upstream.say(frame)
    await client.ask()
    assert (await client.until("turn.done"))["outcome"] == "completed"


async def test_more_than_fifty_of_them_end_the_session(visit: Visit, sessions: Any, upstream: RealtimeServer) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    for _ in range(MALFORMED_LIMIT + 1):
        await upstream.say(DEEP[:1_000])
    ending = await client.ending()
    assert (ending["code"], ending["reason"]) == (4502, "upstream_protocol")
    assert [row.end_reason for row in await sessions()] == ["upstream_protocol"]
    assert len(upstream.handshakes) == 1, "another connection would be no better"


@pytest.mark.parametrize("kind", ["session.created", "session.updated"])
async def test_a_session_that_is_never_confirmed_is_given_up(
    visit: Visit, settings: Any, upstream: RealtimeServer, kind: str
) -> None:
    settings.VOICE = {**settings.VOICE, "OPENAI": {**settings.VOICE["OPENAI"], "settings_timeout": 0.2}}
    upstream.script.withholds = {kind}
    assert (await (await visit(start={})).ending())["reason"] == "upstream_timeout"


@pytest.mark.parametrize(
    "trouble",
    [{"transcript_fails": True}, {"withholds": {"conversation.item.input_audio_transcription.completed"}}],
    ids=["failed", "missing"],
)
async def test_an_answer_does_not_need_the_transcript(
    visit: Visit, upstream: RealtimeServer, trouble: dict[str, Any]
) -> None:
    client = await asks_aloud(visit, upstream, **trouble)
    assert (await client.until("turn.done"))["outcome"] == "completed"


async def test_an_answer_does_not_wait_for_a_transcript_that_comes_late(visit: Visit, upstream: RealtimeServer) -> None:
    upstream.script.transcript_latency = 3.0
    client = await asks_aloud(visit, upstream)
    await client.until("audio.item")
    assert not [told for told in client.heard if isinstance(told, dict) and told.get("final")]
    assert (await client.until("transcript.user", final=True))["text"] == QUESTION


@pytest.mark.parametrize(
    ("code", "reason", "close_code"),
    [
        ("insufficient_quota", "upstream_rate_limited", 4513),
        ("invalid_api_key", "upstream_auth", 4502),
    ],
)
async def test_an_error_that_ends_every_session_ends_this_one(
    visit: Visit, upstream: RealtimeServer, code: str, reason: str, close_code: int
) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    await upstream.fail(code)
    ending = await client.ending()
    assert (ending["code"], ending["reason"]) == (close_code, reason)
    assert "secret" not in ending["message"]


async def test_any_other_error_ends_nothing(visit: Visit, upstream: RealtimeServer) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    await upstream.fail("something_new")
    await client.ask()
    assert (await client.until("turn.done"))["outcome"] == "completed"


@pytest.mark.parametrize("usage", [None, {"input_tokens": -5}, {"input_tokens": 10**15}, {"input_tokens": "many"}, 7])
async def test_usage_that_is_missing_or_cannot_be_true_makes_the_cost_an_estimate(
    visit: Visit, sessions: Any, upstream: RealtimeServer, usage: Any
) -> None:
    upstream.script.answers = deque([Answer("At ten.", usage=usage)])
    client = await visit(start={})
    await client.ask()
    assert (await client.until("turn.done"))["outcome"] == "completed"
    await says_goodbye(client)
    [row] = await sessions()
    assert row.estimated
    assert row.text_in == row.audio_in == 0
