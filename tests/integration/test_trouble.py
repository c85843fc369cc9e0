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
    ("script", "code", "reason"),
    [
        ({"status": 401}, 4502, "upstream_auth"),
        ({"status": 403}, 4502, "upstream_auth"),
        ({"status": 429}, 4513, "upstream_rate_limited"),
        ({"status": 503}, 4502, "upstream_unavailable"),
        ({"hang": "handshake"}, 4504, "upstream_timeout"),
        ({"hang": "created"}, 4504, "upstream_timeout"),
        ({"hang": "settings"}, 4504, "upstream_timeout"),
        ({"close_after": 1}, 4502, "upstream_closed"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_an_upstream_that_does_not_take_us_is_told_apart_and_costs_no_start(
    visit: Visit, sessions: Any, settings: Any, upstream: RealtimeServer, visitor: User,
    script: dict[str, Any], code: int, reason: str,
) -> None:  # fmt: skip
    """The visitor is told how to go on; what the operator must know is in the record."""
    limits = {"open_timeout": 0.3, "settings_timeout": 0.3}
    settings.VOICE = {**settings.VOICE, "OPENAI": {**settings.VOICE["OPENAI"], **limits}}
    for name, value in script.items():
        setattr(upstream.script, name, value)
    client = await visit(start={})
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (code, reason, "backoff")
    [row] = await sessions()
    assert (row.end_reason, row.ready_at) == (reason, None)
    if reason != "upstream_closed":
        assert await gate.store().peek(str(visitor.pk), ONCE_AN_HOUR) is None


async def test_where_nobody_listens_the_upstream_is_unavailable(visit: Visit, settings: Any) -> None:
    settings.VOICE = {**settings.VOICE, "OPENAI": {"api_key": "sk-test", "base_url": "http://127.0.0.1:9/v1"}}
    client = await visit(start={})
    assert (await client.ending())["reason"] == "upstream_unavailable"


@pytest.mark.parametrize("close_code", [1011, 1000, None], ids=["error", "goodbye", "cut"])
async def test_an_upstream_that_leaves_in_mid_answer_ends_the_conversation(
    visit: Visit, sessions: Any, upstream: RealtimeServer, close_code: int | None
) -> None:
    client = await in_mid_answer(visit, upstream)
    await upstream.drop(close_code)
    assert (await client.until("turn.done"))["outcome"] == "interrupted"
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4502, "upstream_closed", "backoff")
    [row] = await sessions()
    assert row.end_reason == "upstream_closed"
    assert [turn.outcome for turn in row.turns.all()] == ["interrupted"]


async def test_an_answer_that_fails_is_told_and_the_next_may_succeed(visit: Visit, upstream: RealtimeServer) -> None:
    upstream.script.answers = deque([Answer(status="failed", code="server_error")])
    client = await visit(start={})
    await client.tell(type="input_text", text="Can you hear me?")
    assert (await client.until("notice"))["code"] == "answer_failed"
    assert (await client.until("turn.done"))["outcome"] == "failed"
    await client.ask()


async def test_a_bug_of_ours_ends_the_conversation_in_words(
    visit: Visit, sessions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told as what it is, with nothing of the bug in it."""
    fake = FakeUpstream()
    monkeypatch.setattr(wiring, "upstream", lambda terms: fake)
    client = await visit(start={})
    await client.until("session.ready")
    fake.fail(RuntimeError("a secret of ours"))
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4500, "internal_error", "backoff")
    assert "secret" not in ending["message"]
    assert [row.end_reason for row in await sessions()] == ["internal_error"]
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
