"""Words and sources that would run, reorder or calculate are read as the text that they are."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import picture
from tests.browser.test_states import PHONE, Gallery, gallery, show  # noqa: F401 (a fixture)

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = '<img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script>'
HIDING = "\u202eadmin\u2066\x1b[31m\x00\x07"
FORMULA = "=cmd|' /C calc'!A0"
HOSTILE = f"{MARKUP} {FORMULA} {HIDING}"


def spoken(text: str) -> list[dict[str, Any]]:
    """A turn in which everything that comes from outside is ``text``, and another one after it."""
    sources = [{"n": 1, "title": text, "url": "javascript:window.pwned = 1"}, {"n": 2, "title": text, "url": "/help/"}]
    heard = {"item_id": "a1", "played_ms": 6_000, "received_ms": 6_000, "underruns": 0, "complete": True}
    return [
        {"type": "client.starting"},
        {"type": "client.microphone", "status": "on"},
        {"type": "session.ready", "session_id": "s", "provider": "local", "seconds": 600},
        {"type": "speech.started", "item_id": "u1"},
        {"type": "transcript.user", "item_id": "u1", "text": text, "final": True},
        {"type": "speech.stopped", "item_id": "u1"},
        {"type": "context", "sources": sources, "prefetched": True, "waited_ms": 0},
        {"type": "transcript.assistant", "item_id": "a1", "delta": text},
        {"type": "audio.item", "item_id": "a1"},
        {"type": "client.played", "report": heard},
        {"type": "turn.done", "turn": 1, "outcome": "completed", "latencies": {}},
        {"type": "client.asked", "text": "And on Sundays?"},
    ]


async def test_what_was_said_and_found_is_text_whatever_it_holds(gallery: Gallery) -> None:  # noqa: F811
    async with gallery("en", viewport=PHONE, reduced_motion="reduce") as page:
        alarms: list[str] = []
        page.on("dialog", lambda dialog: alarms.append(dialog.message))
        await show(page, spoken(HOSTILE))
        panel = page.locator("voice-widget [part=panel]")
        await expect(panel.locator(".sources li")).to_have_count(2)
        await picture(page, "hostile-words")
        assert await panel.locator("img, script, iframe").count() == 0
        assert await page.evaluate("window.pwned") is None
        assert not alarms
        texts = await panel.locator(".said > p").all_text_contents()
        assert [text.replace("\ufffd", "\0").strip() for text in texts] == [HOSTILE, HOSTILE, "And on Sundays?"]
        links = await panel.locator(".sources a").evaluate_all("links => links.map(link => link.href)")
        assert [link.partition("/help")[1] for link in links] == ["/help"], "and none to a script"
        # Each is a paragraph of its own, so that an override ends with it: what comes next reads as it should.
        displays = await panel.locator(".said > p").evaluate_all("all => all.map(p => getComputedStyle(p).display)")
        assert set(displays) == {"block"}
