"""A site that stores what is said, on a day on which all goes well: who sees what of it, and who sees nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient

from tests.fakes import FakeKnowledge
from tests.integration.conftest import Visit
from tests.realtime_server import Answer, RealtimeServer
from tests.sink import Sink
from voice import database, finishing, tokens, wiring
from voice.knowledge.base import Passage
from voice.models import VoiceTranscript

pytestmark = pytest.mark.django_db(transaction=True)

HERE = "http://testserver"
KEY, INSTRUCTIONS = "sk-canary-of-the-key", "canary of the instructions"
TITLE, PASSAGE = "Opening hours", "canary of a passage"
QUESTION, ANSWER = "canary of a question", "canary of an answer"
SESSIONS, TURNS = "/admin/voice/voicesession/", "/admin/voice/voiceturn/"


@pytest.fixture
async def ticket(
    visit: Visit, upstream: RealtimeServer, settings: Any, monkeypatch: pytest.MonkeyPatch, visitor: User
) -> str:
    """One conversation, got into by this ticket, in which each of these was used, and a question was stored."""
    settings.VOICE = {
        **settings.VOICE,
        "INSTRUCTIONS": INSTRUCTIONS,
        "OPENAI": {**settings.VOICE["OPENAI"], "api_key": KEY},
        "TRANSCRIPTS": True,
    }
    monkeypatch.setattr(wiring, "knowledge", lambda: FakeKnowledge(Passage(TITLE, PASSAGE, "/help/")))
    upstream.script.answers.append(Answer(ANSWER))
    ticket = await sync_to_async(tokens.mint)(visitor, HERE)
    client = await visit(offer=["voice.v1", f"voice.bearer.{ticket}"], origin=HERE, start={"notice": "1"})
    await client.until("session.ready")
    await client.ask(QUESTION)
    await client.until("audio.done")
    await client.tell(type="end")
    await client.ending()
    assert await finishing.settled(5)
    assert f"Bearer {KEY}" in str(upstream.handshakes)
    assert INSTRUCTIONS in str(upstream.received)
    assert PASSAGE in str(upstream.received)
    rows = await database.call(lambda: list(VoiceTranscript.objects.values_list("text", flat=True)), limit=5)
    assert {*rows} == {ANSWER, QUESTION}
    return ticket


def silent(text: str, *secrets: str) -> bool:
    """Whether none of them is in ``text``; nor, if nothing is said of any, a canary."""
    return not [secret for secret in secrets or ("canary",) if secret in text]


async def test_no_line_of_the_log_and_no_report_has_any_of_it(reports: Sink, printed: StringIO, ticket: str) -> None:
    lines = printed.getvalue()
    assert "begins with openai" in lines
    assert "turn 1 " in lines, "down to debug"
    assert silent(lines)
    assert silent(lines, ticket)
    assert silent(reports.text)
    assert silent(reports.text, ticket)


@pytest.fixture
def asked(staff: User) -> Callable[..., Any]:
    """``await asked(path)``: what staff get, who may do everything; or somebody with these permissions only."""

    async def asking(path: str, *permissions: str) -> str:
        who = staff
        if permissions:
            who, _ = await User.objects.aget_or_create(username="reader", is_staff=True)
            await who.user_permissions.aset([p async for p in Permission.objects.filter(codename__in=permissions)])
        browser = AsyncClient()
        await browser.aforce_login(who)
        response = await browser.get(path)
        if not response.streaming:
            return f"{response.status_code} {response.content.decode()}"
        return "".join([chunk.decode() async for chunk in response.streaming_content])

    return asking


async def test_pages_and_files_have_facts_and_nothing_that_was_said_known_or_secret(
    ticket: str, asked: Callable[..., Any], sessions: Any
) -> None:
    [session] = await sessions()
    [turn] = session.turns.all()
    pages = {
        path: await asked(path)
        for path in (
            SESSIONS,
            f"{SESSIONS}{session.pk}/change/",
            f"{SESSIONS}export/",
            TURNS,
            f"{TURNS}{turn.pk}/change/",
            f"{TURNS}export/",
            "/admin/voice/voicestatistics/",
            "/admin/voice/voicelivesettings/1/change/",
            "/admin/voice/",
            "/v1/voice/stats",
            "/v1/voice/health",
            f"{SESSIONS}not-a-session/change/",
            "/no-such-page/",
        )
    }
    assert TITLE in pages[f"{SESSIONS}{session.pk}/change/"], "the sources that the visitor was shown"
    assert [path for path, page in pages.items() if not (silent(page) and silent(page, ticket))] == []


async def test_what_was_said_is_shown_to_who_may_read_it_and_the_rest_to_nobody(
    ticket: str, asked: Callable[..., Any], sessions: Any
) -> None:
    [session] = await sessions()
    path = f"{SESSIONS}{session.pk}/transcript/"
    page = await asked(path, "view_voicesession", "view_voicetranscript")
    assert QUESTION in page
    assert ANSWER in page
    assert silent(page, KEY, INSTRUCTIONS, PASSAGE, ticket)
    refused = await asked(path, "view_voicesession")
    assert refused.startswith("403")
    assert silent(refused)


async def test_an_export_has_what_is_the_persons_own(
    ticket: str, visitor: User, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import call_command

    await asyncio.to_thread(database.on_fresh_connections, lambda: call_command("voice_export", visitor.username))
    told = capsys.readouterr().out
    assert QUESTION in told
    assert silent(told, KEY, INSTRUCTIONS, PASSAGE, ticket)
