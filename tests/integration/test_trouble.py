"""When something else breaks: the upstream, the knowledge, the visitor's connection, or this program itself."""

import asyncio
from collections import deque
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.fakes import HOURS, FakeKnowledge, FakeUpstream
from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.realtime_server import Answer, RealtimeServer, tone
from voice import gate, wiring
from voice.admission.limits import Limits
from voice.knowledge.base import KnowledgeError, KnowledgeUnavailable
from voice.protocol import window
from voice.protocol.audio import silence

pytestmark = pytest.mark.django_db(transaction=True)

LONG = Answer("word " * 20, hold_after=5)
"""Half a second of it comes, then nothing more."""
ONCE_AN_HOUR = Limits(sessions_per_user_per_hour=1)


async def in_mid_answer(visit: Visit, upstream: RealtimeServer) -> Visitor:
    """A visitor who has asked, and hears the beginning of an answer."""
    upstream.script.answers = deque([LONG])
    client = await visit(start={})
    await client.ask("Tell me everything.")
    await client.until("audio")
    return client


# -- the upstream -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "dials", "code", "reason"),
    [
        ({"status": 401}, 1, 4502, "upstream_auth"),
        ({"status": 403}, 1, 4502, "upstream_auth"),
        ({"status": 429, "retry_after": "0"}, 2, 4513, "upstream_rate_limited"),
        ({"status": 503}, 3, 4502, "upstream_unavailable"),
        ({"hang": "handshake"}, 2, 4504, "upstream_timeout"),
        ({"hang": "created"}, 2, 4504, "upstream_timeout"),
        ({"hang": "settings"}, 2, 4504, "upstream_timeout"),
        ({"reject": {"session.instructions"}}, 1, 4502, "upstream_protocol"),
        ({"close_after": 1}, 3, 4502, "upstream_closed"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_an_upstream_that_does_not_take_us_is_told_apart_and_costs_no_start(
    visit: Visit, sessions: Any, settings: Any, upstream: RealtimeServer, visitor: User,
    script: dict[str, Any], dials: int, code: int, reason: str,
) -> None:  # fmt: skip
    """It is dialled as often as that may help. The visitor is told how to go on; what the operator must know is in the
    record."""
    limits = {"open_timeout": 0.3, "settings_timeout": 0.3}
    settings.VOICE = {**settings.VOICE, "OPENAI": {**settings.VOICE["OPENAI"], **limits}}
    for name, value in script.items():
        setattr(upstream.script, name, value)
    client = await visit(start={})
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (code, reason, "backoff")
    [row] = await sessions()
    assert (row.end_reason, row.ready_at) == (reason, None)
    assert len(upstream.handshakes) == dials
    if reason != "upstream_closed":
        assert await gate.store().peek(str(visitor.pk), ONCE_AN_HOUR) is None


async def test_an_upstream_that_comes_at_the_second_try_is_there(visit: Visit, upstream: RealtimeServer) -> None:
    upstream.script.status = 503
    client = await visit(start={})
    await upstream.until(lambda: upstream.handshakes)
    upstream.script.status = None
    await client.until("session.ready")
    await client.ask()


async def test_a_busy_service_says_when_and_the_visitor_is_told(visit: Visit, upstream: RealtimeServer) -> None:
    upstream.script.status, upstream.script.retry_after = 429, "1"
    client = await visit(start={})
    ending = await client.ending()
    assert (ending["code"], ending["retry"], ending["retry_after_ms"]) == (4513, "backoff", 1_000)


async def test_a_key_that_was_refused_is_not_tried_again_for_those_who_come_next(
    visit: Visit, sessions: Any, upstream: RealtimeServer, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.script.status = 401
    for _ in range(3):
        assert (await (await visit(start={})).ending())["reason"] == "upstream_auth"
    assert len(upstream.handshakes) == 1
    assert [row.end_reason for row in await sessions()] == ["upstream_auth"] * 3
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "OpenAI refuses this site (HTTP 401); it is not dialled for 30 s"
    ]


async def test_where_nobody_listens_the_upstream_is_unavailable(visit: Visit, settings: Any) -> None:
    settings.VOICE = {**settings.VOICE, "OPENAI": {"api_key": "sk-test", "base_url": "http://127.0.0.1:9/v1"}}
    client = await visit(start={})
    assert (await client.ending())["reason"] == "upstream_unavailable"


async def test_an_answer_that_fails_is_told_and_the_next_may_succeed(visit: Visit, upstream: RealtimeServer) -> None:
    upstream.script.answers = deque([Answer(status="failed", code="content_filter")])
    client = await visit(start={})
    await client.tell(type="input_text", text="Can you hear me?")
    assert (await client.until("notice"))["code"] == "answer_failed"
    assert (await client.until("turn.done"))["outcome"] == "failed"
    await client.ask()


async def test_one_that_failed_for_a_passing_reason_is_asked_for_once_more(
    visit: Visit, upstream: RealtimeServer
) -> None:
    upstream.script.answers = deque([Answer(status="failed", code="server_error"), Answer("We open at nine.")])
    client = await visit(start={})
    await client.ask("When do you open?")
    assert (await client.until("transcript.assistant"))["delta"] == "We"


async def test_a_bug_of_ours_ends_the_conversation_in_words(
    visit: Visit, sessions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told as what it is, with nothing of the bug in it."""
    fake = FakeUpstream()
    monkeypatch.setattr(wiring, "upstream", lambda *asked: fake)
    client = await visit(start={})
    await client.until("session.ready")
    fake.fail(RuntimeError("a secret of ours"))
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4500, "internal_error", "backoff")
    assert "secret" not in ending["message"]
    [row] = await sessions()
    assert row.end_reason == "internal_error"
    assert ending["message"] == f"An error has occurred. ({row.id.hex[:8]})"
    assert not fake.open


# -- the knowledge ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        {"hangs": True},
        {"error": KnowledgeUnavailable("down")},
        {"error": KnowledgeError("confused")},
        {"error": RuntimeError("a bug of the backend's")},
    ],
    ids=["hangs", "down", "confused", "broken"],
)
@pytest.mark.parametrize("spoken", [True, False], ids=["spoken", "typed"])
async def test_a_question_is_answered_without_the_knowledge_where_that_fails(
    visit: Visit, upstream: RealtimeServer, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, Any], spoken: bool
) -> None:
    knowledge = FakeKnowledge(HOURS, **trouble)
    monkeypatch.setattr(wiring, "knowledge", lambda: knowledge)
    question = "when do you open on sundays in winter"
    upstream.script.transcripts = deque([question])
    client = await visit(start={})
    await client.until("session.ready")
    if spoken:
        await client.speak(tone(1_200) + silence(600))
    else:
        await client.tell(type="input_text", text=question)
    context = await client.until("context")
    assert (context["sources"], context["prefetched"]) == ([], False)
    await client.until("audio.item")
    assert knowledge.asked
    await client.tell(type="end")
    await client.ending()
    assert knowledge.searching == 0


# -- the visitor's connection -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "reason"), [(1006, "client_lost"), (1001, "client_away"), (1000, "client_hangup")])
async def test_a_visitor_who_leaves_in_mid_answer_takes_everything_along(
    visit: Visit, sessions: Any, upstream: RealtimeServer, code: int, reason: str
) -> None:
    client = await in_mid_answer(visit, upstream)
    await client.vanish(code)
    await upstream.until(lambda: upstream.open == 0, seconds=1)
    [row] = await sessions()
    assert row.end_reason == reason
    assert row.ended_at is not None
    assert [turn.outcome for turn in row.turns.all()] == ["interrupted"]


async def test_a_visitor_whose_client_does_not_say_what_it_has_played_is_too_slow(
    visit: Visit, sessions: Any, upstream: RealtimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "UNREPORTED_LIMIT_MS", 1_000.0)  # twenty times as much, for visitors
    upstream.script.answers = deque([Answer("word " * 20)])
    client = await visit(start={})
    await client.ask("Tell me everything.")
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4499, "slow_client", "backoff")
    assert [row.end_reason for row in await sessions()] == ["slow_client"]


async def test_a_visitor_who_leaves_while_we_dial_takes_the_call_along(
    visit: Visit, sessions: Any, upstream: RealtimeServer
) -> None:
    upstream.script.hang = "created"
    client = await visit(start={})
    await upstream.until(lambda: upstream.open)
    async with asyncio.timeout(2):
        await client.vanish()
    assert [row.end_reason for row in await sessions()] == ["client_lost"]


async def test_ten_visitors_who_all_leave_at_once_leave_nothing(
    visit: Visit, sessions: Any, settings: Any, upstream: RealtimeServer
) -> None:
    settings.VOICE = {**settings.VOICE, "LIMITS": {"sessions_per_user": 0, "sessions_per_user_per_hour": 0}}
    clients = [await in_mid_answer(visit, upstream) for _ in range(10)]
    await asyncio.gather(*(client.vanish() for client in clients))
    assert [row.end_reason for row in await sessions()] == ["client_lost"] * 10
