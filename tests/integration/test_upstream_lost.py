"""The upstream goes away in the middle of a conversation, in every way that a socket knows: another connection takes
its place and knows what was said.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.proxy import Proxy
from tests.realtime_server import Answer, RealtimeServer, tone
from voice.protocol import responses
from voice.protocol.audio import silence

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION, FOLLOW_UP = "When do you open on weekdays?", "And on Sundays?"
LONG = Answer("At nine in the morning " + "and so on " * 20, hold_after=5)
"""Half a second of it comes, then nothing more."""
PINGS = {"ping_interval": 0.2, "ping_timeout": 0.2}


@pytest.fixture
async def proxy(visit: Visit, upstream: RealtimeServer, settings: Any) -> AsyncIterator[Proxy]:
    """Between the application and the upstream."""
    async with Proxy(upstream.port) as proxy:
        options = {**settings.VOICE["OPENAI"], "base_url": proxy.address("http") + "/v1"}
        settings.VOICE = {**settings.VOICE, "OPENAI": options}
        yield proxy


def options(settings: Any, **changes: Any) -> None:
    """Change some of ``VOICE["OPENAI"]``."""
    settings.VOICE = {**settings.VOICE, "OPENAI": {**settings.VOICE["OPENAI"], **changes}}


async def in_mid_answer(visit: Visit, upstream: RealtimeServer) -> Visitor:
    """A visitor who has asked, and hears the beginning of an answer."""
    upstream.script.answers = deque([LONG, Answer("At ten.")])
    client = await visit(start={})
    await client.ask(QUESTION)
    await client.until("audio")
    return client


async def notices(client: Visitor, *codes: str) -> None:
    """These are told next, in this order."""
    for code in codes:
        assert (await client.until("notice"))["code"] == code


def told(client: Visitor, kind: str, field: str) -> list[Any]:
    """This field of all messages of this type so far."""
    return [message[field] for message in client.heard if isinstance(message, dict) and message["type"] == kind]


def recalled(upstream: RealtimeServer) -> list[tuple[str, str]]:
    """What the newest connection was told of the conversation so far."""
    created = (event["item"] for event in upstream.received if event["type"] == "conversation.item.create")
    return [(item["role"], item["content"][0]["text"]) for item in created if item["id"].startswith("past_")]


async def expired(upstream: RealtimeServer) -> None:
    await upstream.fail("session_expired")
    await upstream.drop(1001)


LOSSES: dict[str, Callable[[RealtimeServer], Awaitable[None]]] = {
    "an error": lambda upstream: upstream.drop(1011),
    "a goodbye": lambda upstream: upstream.drop(1000),
    "the end of its hour": expired,
    "the end of the stream": lambda upstream: upstream.drop(None),
    "a reset": lambda upstream: asyncio.to_thread(upstream.reset),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
async def test_lost_in_mid_answer_the_conversation_goes_on_and_the_visitor_is_asked_to_say_it_again(
    visit: Visit, sessions: Any, upstream: RealtimeServer, loss: Callable[[RealtimeServer], Awaitable[None]]
) -> None:
    client = await in_mid_answer(visit, upstream)
    await loss(upstream)
    assert (await client.until("turn.done"))["outcome"] == "failed"
    assert told(client, "notice", "code") == ["reconnecting", "reconnected", "say_again"]
    assert told(client, "audio.item", "item_id") == told(client, "audio.done", "item_id")
    await upstream.until(lambda: len(upstream.sessions) == 2 and len(recalled(upstream)) == 2)
    [(asked, question), (answered, answer)] = recalled(upstream)
    assert (asked, question, answered) == ("user", QUESTION, "assistant")
    assert answer.endswith(" …")
    assert LONG.text.startswith(answer.removesuffix(" …"))
    await client.ask(FOLLOW_UP)
    await client.until("turn.done")
    await client.tell(type="end")
    assert (await client.ending())["code"] == 1000
    [row] = await sessions()
    assert (row.end_reason, row.reconnects, row.turns_count) == ("client_hangup", 1, 2)
    assert row.audio_out == 2 * 300 // 50, "of the second connection; what the first one used up to its loss is unknown"
    assert row.estimated


async def test_lost_between_two_questions_nothing_is_lost(
    visit: Visit, sessions: Any, upstream: RealtimeServer
) -> None:
    upstream.script.answers = deque([Answer("At nine.")])
    client = await visit(start={})
    await client.ask(QUESTION)
    await client.until("turn.done")
    upstream.reset()
    await notices(client, "reconnecting", "reconnected")
    await client.ask(FOLLOW_UP)
    assert recalled(upstream) == [("user", QUESTION), ("assistant", "At nine.")]
    assert upstream.main.settings["instructions"] == upstream.sessions[0].settings["instructions"] != ""
    await client.until("turn.done")
    await client.tell(type="end")
    await client.ending()
    [row] = await sessions()
    assert (row.reconnects, row.turns_count, row.estimated) == (1, 2, False)
    assert row.text_out == 20, "of both connections"


async def test_lost_while_an_answer_is_awaited_it_is_asked_for_again_by_itself(
    visit: Visit, upstream: RealtimeServer
) -> None:
    upstream.script.response_latency = 60.0
    client = await visit(start={})
    await client.tell(type="input_text", text=QUESTION)
    await upstream.until(lambda: upstream.sessions and upstream.session.responses)
    upstream.script.response_latency, upstream.script.answers = 0.0, deque([Answer("At nine.")])
    upstream.reset()
    await client.until("audio.item")
    assert recalled(upstream) == [("user", QUESTION)]
    assert (await client.until("turn.done"))["outcome"] == "completed"
    assert told(client, "notice", "code") == ["reconnecting", "reconnected"]


async def test_lost_while_the_visitor_speaks_they_are_asked_to_say_it_again_and_heard(
    visit: Visit, upstream: RealtimeServer
) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    await client.speak(tone(600))
    await client.until("speech.started")
    upstream.reset()
    await notices(client, "reconnecting", "say_again")
    upstream.script.transcripts = deque([QUESTION])
    await client.speak(silence(700) + tone(1_200) + silence(700))
    assert (await client.until("audio.item"))["item_id"]


async def test_what_is_said_while_it_is_dialled_again_is_heard(visit: Visit, upstream: RealtimeServer) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    upstream.script.hang, upstream.script.transcripts = "created", deque([QUESTION])
    upstream.reset()
    await notices(client, "reconnecting")
    await upstream.until(lambda: len(upstream.sessions) == 2)
    await client.speak(tone(1_000) + silence(700))
    upstream.script.hang = None
    await upstream.session.open()
    await notices(client, "reconnected")
    await client.until("audio.item")


async def test_an_answer_that_stalls_in_its_middle_is_lost_though_the_connection_lives(
    visit: Visit, upstream: RealtimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "STALL_LIMIT", 2.0)  # ten, for visitors
    client = await in_mid_answer(visit, upstream)
    assert upstream.open == 1
    await notices(client, "reconnecting")
    await client.until("notice", code="say_again")
    await client.ask(FOLLOW_UP)
    while told(client, "turn.done", "outcome") != ["failed", "completed"]:
        await client.until("turn.done")
    assert [role for role, _ in recalled(upstream)] == ["user", "assistant"]
    assert (len(upstream.sessions), upstream.open) == (2, 1)


async def test_one_that_stalls_and_does_not_come_back_ends_the_conversation_as_late(
    visit: Visit, sessions: Any, upstream: RealtimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "STALL_LIMIT", 1.0)
    client = await in_mid_answer(visit, upstream)
    upstream.script.status = 503
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4504, "upstream_timeout", "backoff")
    assert [row.end_reason for row in await sessions()] == ["upstream_timeout"]


async def test_a_half_open_connection_is_noticed_and_made_up_for(
    visit: Visit, upstream: RealtimeServer, proxy: Proxy, settings: Any
) -> None:
    options(settings, **PINGS)
    client = await in_mid_answer(visit, upstream)
    proxy.half_open()
    await notices(client, "reconnecting")
    proxy.heal()
    assert (await client.until("turn.done"))["outcome"] == "failed"
    await upstream.until(lambda: len(upstream.sessions) == 2)
    await client.ask(FOLLOW_UP)
    assert len(recalled(upstream)) == 2
    assert proxy.dialled == 2


async def test_a_half_open_connection_is_noticed_within_ten_seconds(
    visit: Visit, upstream: RealtimeServer, proxy: Proxy
) -> None:
    """With the settings that a site has by default: a ping each five seconds, and five to answer it."""
    client = await visit(start={})
    await client.until("session.ready")
    proxy.half_open()
    began = asyncio.get_running_loop().time()
    client.patience = 30.0
    assert (await client.until("notice"))["code"] == "reconnecting"
    print(f"a half-open upstream was noticed after {asyncio.get_running_loop().time() - began:.1f} s (bound: 10 s)")
    proxy.heal()
    await notices(client, "reconnected")


async def test_one_that_is_slow_is_not_lost(visit: Visit, upstream: RealtimeServer, proxy: Proxy) -> None:
    proxy.latency = 0.4
    upstream.script.answers = deque([Answer("At nine.")])
    client = await visit(start={})
    await client.ask(QUESTION)
    assert (await client.until("turn.done"))["outcome"] == "completed"
    assert proxy.dialled == 1


async def test_one_that_does_not_come_back_ends_the_conversation_as_what_it_was(
    visit: Visit, sessions: Any, upstream: RealtimeServer
) -> None:
    client = await in_mid_answer(visit, upstream)
    upstream.script.status = 503
    await upstream.drop(1011)
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4502, "upstream_closed", "backoff")
    assert len(upstream.handshakes) == 1 + 3
    [row] = await sessions()
    assert (row.end_reason, row.reconnects) == ("upstream_closed", 1)


async def test_one_that_does_not_answer_again_is_given_up_within_five_seconds(
    visit: Visit, sessions: Any, upstream: RealtimeServer, proxy: Proxy
) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    proxy.freeze()
    began = asyncio.get_running_loop().time()
    proxy.reset()
    client.patience = 15.0
    assert (await client.ending())["reason"] == "upstream_closed"
    print(f"given up after {asyncio.get_running_loop().time() - began:.1f} s (bound: 5 s)")
    assert [row.end_reason for row in await sessions()] == ["upstream_closed"]


async def test_a_second_loss_within_a_minute_is_the_end(visit: Visit, sessions: Any, upstream: RealtimeServer) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    await upstream.drop(1011)
    await notices(client, "reconnecting", "reconnected")
    await upstream.drop(1011)
    assert (await client.ending())["reason"] == "upstream_closed"
    assert len(upstream.handshakes) == 2


async def test_who_leaves_while_it_is_dialled_again_takes_the_call_along(
    visit: Visit, sessions: Any, upstream: RealtimeServer
) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    upstream.script.hang = "created"
    await upstream.drop(1011)
    await upstream.until(lambda: len(upstream.sessions) == 2)
    async with asyncio.timeout(2):
        await client.vanish()
    await upstream.until(lambda: upstream.open == 0, seconds=2)
    assert [row.end_reason for row in await sessions()] == ["client_lost"]
