"""A visitor is cut off and comes back: the same conversation goes on, in a session of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.realtime_server import RealtimeServer
from tests.realtime_server.script import Answer
from voice import database, gate, resumption
from voice.resuming import keeping
from voice.resuming.memory import MemoryResumeStore
from voice.tokens import mint

pytestmark = pytest.mark.django_db(transaction=True)

HERE = "http://testserver"


@pytest.fixture(autouse=True)
async def kept(visit: Visit, settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Conversations are kept in this process, and looked at as often as a test needs."""
    monkeypatch.setattr(keeping, "LOOK_SECONDS", 0.02)
    resumption.store.cache_clear()
    yield
    resumption.store.cache_clear()


async def began(visitor: Visitor) -> dict[str, Any]:
    return await visitor.until("session.ready")


async def answered(visitor: Visitor, text: str) -> None:
    """Ask, and listen to the end of the answer."""
    await visitor.ask(text)
    item = next(m["item_id"] for m in reversed(visitor.heard) if isinstance(m, dict) and m["type"] == "audio.item")
    await visitor.until("audio.done")
    await visitor.tell(type="playback", item_id=item, played_ms=3_600_000, underruns=0)
    await visitor.until("turn.done")


async def cut_off(visit: Visit, upstream: RealtimeServer, question: str = "When do you open?") -> dict[str, Any]:
    """A conversation of one turn that lost its connection; what ``session.ready`` had said of it."""
    upstream.script.answers.append(Answer("We open at nine."))
    visitor = await visit(start={})
    ready = await began(visitor)
    await answered(visitor, question)
    await visitor.vanish(1006)
    return ready


def replayed(upstream: RealtimeServer) -> list[tuple[str, str]]:
    """What stands in the upstream's newest conversation, by role."""
    return [
        (item["role"], "".join(part.get("text") or part.get("transcript") or "" for part in item["content"]))
        for item in upstream.conversation
    ]


async def test_the_same_conversation_goes_on_in_a_session_of_its_own(
    visit: Visit, upstream: RealtimeServer, sessions: Any
) -> None:
    first = await cut_off(visit, upstream)
    visitor = await visit(start={"resume": first["resume"]})
    second = await began(visitor)
    history = await visitor.until("history")
    assert history["items"] == [
        {"role": "user", "text": "When do you open?", "cut": False, "sources": []},
        {"role": "assistant", "text": "We open at nine.", "cut": False, "sources": []},
    ]
    await answered(visitor, "And on Sundays?")
    assert replayed(upstream)[:3] == [
        ("user", "When do you open?"),
        ("assistant", "We open at nine."),
        ("user", "And on Sundays?"),
    ]
    await visitor.tell(type="end")
    await visitor.ending()
    old, new = await sessions()
    assert second["session_id"] == new.id.hex != first["session_id"]
    assert (old.id.hex, old.end_reason, old.resumed_from_id) == (first["session_id"], "client_lost", None)
    assert (new.resumed_from_id, new.end_reason) == (old.id, "client_hangup")
    assert old.conversation_id == new.conversation_id == old.id
    assert [[turn.number for turn in row.turns.all()] for row in (old, new)] == [[1], [2]]


async def test_a_token_is_good_once_and_each_session_brings_another(visit: Visit, upstream: RealtimeServer) -> None:
    tokens = [(await cut_off(visit, upstream))["resume"]]
    for _ in range(2):
        visitor = await visit(start={"resume": tokens[-1]})
        tokens.append((await began(visitor))["resume"])
        await visitor.until("history")
        await visitor.vanish(1006)
    assert len({*tokens}) == 3
    late = await visit(start={"resume": tokens[0]})
    await began(late)
    await late.until("notice", code="not_resumed")
    assert not [message for message in late.heard if isinstance(message, dict) and message["type"] == "history"]


async def test_coming_back_is_no_start_and_who_begins_anew_makes_one(
    visit: Visit, upstream: RealtimeServer, settings: Any
) -> None:
    settings.VOICE = {**settings.VOICE, "LIMITS": {"sessions_per_user_per_hour": 1}}
    first = await cut_off(visit, upstream)
    visitor = await visit(start={"resume": first["resume"]})
    await began(visitor)
    await visitor.vanish(1006)
    ending = await (await visit(start={"resume": first["resume"]})).ending()
    assert ending["reason"] == "rate_limited"


async def test_the_lease_of_a_session_that_is_half_gone_is_taken_over(
    visit: Visit, upstream: RealtimeServer, sessions: Any, settings: Any
) -> None:
    """The server still believes in the connection; and the user would have another place."""
    settings.VOICE = {**settings.VOICE, "LIMITS": {"sessions_per_user": 3}}
    old = await visit(start={})
    ready = await began(old)
    await answered(old, "When do you open?")
    await asyncio.sleep(0.1)  # it is kept
    visitor = await visit(start={"resume": ready["resume"]})
    await began(visitor)
    assert (await old.ending())["reason"] == "concurrent"
    await visitor.until("history")
    await answered(visitor, "And on Sundays?")
    await visitor.vanish(1006)
    assert [row.end_reason for row in await sessions()] == ["concurrent", "client_lost"]


async def test_what_was_heard_of_an_answer_that_was_cut_off_is_remembered(
    visit: Visit, upstream: RealtimeServer
) -> None:
    upstream.script.answers.append(Answer("one two three four five six seven eight nine ten", hold_after=20))
    visitor = await visit(start={})
    ready = await began(visitor)
    item = await visitor.ask("Count, please.")
    await visitor.tell(type="playback", item_id=item["item_id"], played_ms=600, underruns=0)
    await visitor.until("audio")
    await visitor.vanish(1006)
    visitor = await visit(start={"resume": ready["resume"]})
    said = (await visitor.until("history"))["items"]
    assert [(item["role"], item["cut"]) for item in said] == [("user", False), ("assistant", True)]
    assert "one two three four five six seven eight nine ten".startswith(said[1]["text"])


async def test_the_ten_minutes_run_from_the_beginning_of_the_conversation(
    visit: Visit, upstream: RealtimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await cut_off(visit, upstream)
    assert first["seconds"] == 600
    real = resumption.time.time
    monkeypatch.setattr(resumption.time, "time", lambda: real() + 450)
    visitor = await visit(start={"resume": first["resume"]})
    second = await began(visitor)
    assert 140 <= second["seconds"] <= 150
    await visitor.vanish(1006)
    monkeypatch.setattr(resumption.time, "time", lambda: real() + 600)
    ending = await (await visit(start={"resume": second["resume"]})).ending()
    assert (ending["code"], ending["reason"]) == (4410, "max_duration")


async def test_the_budget_of_a_conversation_is_not_renewed_by_coming_back(
    visit: Visit, upstream: RealtimeServer, settings: Any, sessions: Any
) -> None:
    first = await cut_off(visit, upstream)
    (row,) = await sessions()
    assert row.cost is not None
    assert row.cost > 0
    settings.VOICE = {**settings.VOICE, "BUDGETS": {"session": str(row.cost)}}
    ending = await (await visit(start={"resume": first["resume"]})).ending()
    assert (ending["code"], ending["reason"]) == (4410, "budget")


@pytest.mark.parametrize(("leave", "goes_on"), [("end", False), (1000, False), (1001, True), (1006, True)])
async def test_only_who_did_not_say_goodbye_may_come_back(
    visit: Visit, upstream: RealtimeServer, leave: str | int, goes_on: bool
) -> None:
    visitor = await visit(start={})
    ready = await began(visitor)
    await answered(visitor, "When do you open?")
    if leave == "end":
        await visitor.tell(type="end")
        await visitor.ending()
    else:
        assert isinstance(leave, int)
        await visitor.vanish(leave)
    again = await visit(start={"resume": ready["resume"]})
    await began(again)
    await (again.until("history") if goes_on else again.until("notice", code="not_resumed"))


async def test_after_a_drain_the_conversation_goes_on(visit: Visit, upstream: RealtimeServer) -> None:
    visitor = await visit(start={})
    ready = await began(visitor)
    await answered(visitor, "When do you open?")
    visitor.kill()
    assert (await visitor.until("session.ending"))["code"] == 4512
    again = await visit(start={"resume": ready["resume"]})
    assert (await again.until("history"))["items"][0]["text"] == "When do you open?"


async def test_a_token_is_its_users_and_its_pages(visit: Visit, upstream: RealtimeServer, staff: User) -> None:
    first = await cut_off(visit, upstream)
    theirs = await database.call(mint, staff, HERE, limit=5)
    ours = await visit(start={"resume": first["resume"]}, origin=HERE)
    await ours.until("notice", code="not_resumed")
    other = await visit(offer=["voice.v1", f"voice.bearer.{theirs}"], start={"resume": first["resume"]}, origin=HERE)
    await other.until("notice", code="not_resumed")
    visitor = await visit(start={"resume": first["resume"]})
    await visitor.until("history")
    assert (await ours.ending())["reason"] == "concurrent"


@pytest.mark.parametrize("resume", ["nonsense", "0" * 32 + "." + "a" * 43])
async def test_a_token_that_is_none_begins_a_new_conversation(visit: Visit, resume: str) -> None:
    visitor = await visit(start={"resume": resume})
    await began(visitor)
    await visitor.until("notice", code="not_resumed")


async def test_a_conversation_that_could_not_go_on_waits_for_the_next_try(
    visit: Visit, upstream: RealtimeServer, sessions: Any
) -> None:
    first = await cut_off(visit, upstream)
    upstream.script.status = 503
    ending = await (await visit(start={"resume": first["resume"]})).ending()
    assert ending["reason"] == "upstream_unavailable"
    upstream.script.status = None
    visitor = await visit(start={"resume": first["resume"]})
    await visitor.until("history")
    rows = await sessions()
    assert rows[2].resumed_from_id == rows[0].id


async def test_where_nothing_is_to_be_kept_nothing_is(visit: Visit, upstream: RealtimeServer, settings: Any) -> None:
    settings.VOICE = {**settings.VOICE, "RESUME": False}
    resumption.store.cache_clear()
    first = await cut_off(visit, upstream)
    assert first["resume"] is None
    assert not isinstance(resumption.store(), MemoryResumeStore)


async def test_what_was_erased_does_not_come_back(visit: Visit, upstream: RealtimeServer, visitor: User) -> None:
    first = await cut_off(visit, upstream)
    await database.call(call_command, "voice_erase", "visitor", limit=10)
    again = await visit(start={"resume": first["resume"]})
    await again.until("notice", code="not_resumed")


async def test_a_page_that_was_loaded_anew_gets_another_token_with_its_ticket(
    visit: Visit, upstream: RealtimeServer, visitor: User, async_client: Any, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.VOICE = {**settings.VOICE, "LIMITS": {"sessions_per_user_per_hour": 1}}
    await async_client.aforce_login(visitor)

    async def ticket(*interrupted: str) -> dict[str, Any]:
        headers = {"x-voice-session": interrupted[0]} if interrupted else {}
        response = await async_client.post("/v1/voice/ticket", headers=headers)
        assert response.status_code == 200, response.content
        body: dict[str, Any] = response.json()
        return body

    before = await ticket()
    assert before["resume"] is None
    page = await visit(offer=["voice.v1", f"voice.bearer.{before['ticket']}"], start={}, origin=HERE)
    ready = await began(page)
    await answered(page, "When do you open?")
    await page.vanish(1001)
    after = await ticket(ready["session_id"])
    assert after["resume"] not in (None, ready["resume"])
    page = await visit(
        offer=["voice.v1", f"voice.bearer.{after['ticket']}"], start={"resume": after["resume"]}, origin=HERE
    )
    assert (await page.until("history"))["items"][0]["text"] == "When do you open?"
    assert await gate.store().peek(str(visitor.pk), gate.conf().limits) is not None  # no place for a start is left
    refused = await async_client.post("/v1/voice/ticket", headers={"x-voice-session": ready["session_id"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")


async def test_another_login_gets_no_token(
    visit: Visit, upstream: RealtimeServer, visitor: User, async_client: Any, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    await async_client.aforce_login(visitor)
    ticket = (await async_client.post("/v1/voice/ticket")).json()["ticket"]
    page = await visit(offer=["voice.v1", f"voice.bearer.{ticket}"], start={}, origin=HERE)
    ready = await began(page)
    await page.vanish(1001)
    await async_client.alogout()
    await async_client.aforce_login(visitor)
    again = await async_client.post("/v1/voice/ticket", headers={"x-voice-session": ready["session_id"]})
    assert again.json()["resume"] is None
    nonsense = await async_client.post("/v1/voice/ticket", headers={"x-voice-session": "../../etc"})
    assert (nonsense.status_code, nonsense.json()["error"]["code"]) == (400, "invalid_request")
