"""An outage of the provider: after a few conversations that failed, the assistant switches itself off, and says why."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from tests.integration.conftest import Visit
from tests.realtime_server import RealtimeServer
from voice import live
from voice.models import VoiceLiveChange

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/voice/voicelivesettings/1/change/"
LEAST = 3


async def ended(visit: Visit) -> str:
    """How a conversation ends that somebody begins now."""
    return str((await (await visit(start={})).ending())["reason"])


async def flip(on: bool) -> None:
    def flipped() -> None:
        row = live.row()
        row.enabled = on
        live.save(row, by="somebody")

    await sync_to_async(flipped)()


async def test_an_outage_switches_off_once_and_not_again_for_what_is_over(
    visit: Visit, upstream: RealtimeServer, settings: Any, staff: Any
) -> None:
    settings.VOICE = {
        **settings.VOICE,
        "SAFEGUARD": {"sessions": LEAST, "error_rate": 0.5},
        "LIMITS": {"sessions_per_user_per_hour": 0},
    }
    upstream.script.reject = {"session"}
    reasons = []
    while (reason := await ended(visit)) != "disabled":
        reasons.append(reason)
        assert len(reasons) < 3 * LEAST
    assert len(reasons) >= LEAST - 1, "a few are no outage; the last may be told at once"
    assert set(reasons) == {"upstream_protocol"}

    [change] = [change async for change in VoiceLiveChange.objects.all()]
    assert (change.by, change.changes) == ("automatic switch-off", {"enabled": ["on", "off"]})
    browser = AsyncClient()
    await browser.aforce_login(staff)
    page = (await browser.get(PAGE)).content.decode()
    assert "Switched off: " in page
    assert "conversations in 15 minutes: errors " in page

    upstream.script.reject = set()
    await flip(on=True)
    for _ in range(LEAST):
        client = await visit(start={})
        await client.until("session.ready")
        await client.tell(type="end")
        assert (await client.ending())["reason"] == "client_hangup"
    assert await VoiceLiveChange.objects.acount() == 2
