"""A visitor asks aloud, hears the answer, interrupts it and hears another: the whole way, in a real browser."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests import speech
from tests.browser.conftest import Visit, picture

AUDIBLE = 0.005
"""RMS at the output above which something is heard."""

WATCH = """() => {
  const widget = document.querySelector("voice-widget");
  const seen = window.seen = [];
  setInterval(() => {
    const client = widget.client;
    if (!client) return;
    const { phase, speaking, lines } = client.getSnapshot();
    seen.push({ at: performance.now(), phase, speaking, level: client.speaker?.level ?? 0, lines: lines.length });
  }, 20);
}"""


@dataclass(frozen=True)
class Talk:
    """One conversation: what is asked, and what must come of it."""

    language: str
    path: str
    launch: str
    agree: str
    start: str
    stop: str
    question: str
    source: str
    follow_up: str
    second_source: str


ENGLISH = Talk(
    "en", "/help/opening-hours-harbour/", "Ask a question", "I agree", "Start talking", "Stop the answer",
    "Are your shops open on Sundays and public holidays?", "Opening on Sundays and public holidays",
    "And how late does the station shop stay open on weekdays?", "Opening hours of the station shop",
)  # fmt: skip
FRENCH = Talk(
    "fr", "/aide/horaires-port/", "Poser une question", "J’accepte", "Parler", "Arrêter la réponse",
    "Jusqu'à quelle heure le magasin du port est-il ouvert en semaine ?", "Horaires du magasin du port",
    "Et le dimanche, vous êtes ouverts ?", "Ouverture le dimanche et les jours fériés",
)  # fmt: skip


@pytest.mark.parametrize("talk", [ENGLISH, FRENCH], ids=["en", "fr"])
async def test_a_spoken_question_is_answered_aloud_and_may_be_interrupted(
    visit: Visit, tmp_path: Path, talk: Talk
) -> None:
    """Captions come while the visitor speaks, the source is right, the answer sounds, a barge-in silences it."""
    question, follow_up = (speech.spoken(text, talk.language) for text in (talk.question, talk.follow_up))
    microphone = speech.recording(tmp_path / "microphone.wav", 700, question, 6_000, follow_up, 15_000)
    async with visit(talk.path, microphone=microphone) as page:
        await page.evaluate(WATCH)
        await page.get_by_role("button", name=talk.launch).click()
        await page.get_by_role("button", name=talk.start).click()
        await page.get_by_role("button", name=talk.agree).click()  # only then the microphone opens
        await _second_answer(page)
        await picture(page, f"conversation-{talk.language}")
        seen = await page.evaluate("window.seen")
        await page.get_by_role("button", name=talk.stop).click()  # so that its line is final, with its sources
        await page.locator("voice-widget").get_by_role("link", name=talk.second_source).last.wait_for(timeout=10_000)
        text = await page.locator("voice-widget").get_by_role("log").inner_text()
    assert talk.source in text
    assert talk.second_source in text
    _assert_captions_while_speaking(seen)
    _assert_barge_in(seen)


async def _second_answer(page: Page) -> None:
    """Until the visitor has spoken twice and the answer to it sounds. (The page's policy forbids to wait inside it.)"""
    for _ in range(450):
        seen = await page.evaluate("window.seen")
        begun = [n for n in range(1, len(seen)) if seen[n]["speaking"] and not seen[n - 1]["speaking"]]
        if len(begun) > 1 and not seen[-1]["speaking"] and seen[-1]["level"] > AUDIBLE:
            return
        await page.wait_for_timeout(100)
    raise AssertionError("no second answer was heard")


def _assert_captions_while_speaking(seen: list[dict[str, Any]]) -> None:
    assert any(moment["speaking"] and moment["lines"] for moment in seen), "no caption before the question ended"


def _assert_barge_in(seen: list[dict[str, Any]]) -> None:
    first = [m for m in seen if m["level"] > AUDIBLE]
    spoke_again = next(
        after for before, after in itertools.pairwise(seen)
        if after["speaking"] and not before["speaking"] and first and after["at"] > first[0]["at"]
    )  # fmt: skip
    heard = [m for m in first if m["at"] < spoke_again["at"]]
    assert 0.02 * len(heard) >= 1.0, f"only {0.02 * len(heard):.1f} s of the answer were heard"
    silent_after = [m["at"] for m in seen if m["at"] > spoke_again["at"] and m["speaking"] and m["level"] > AUDIBLE]
    late = max(silent_after, default=spoke_again["at"]) - spoke_again["at"]
    print(f"silent {late:.0f} ms after speech.started; {0.02 * len(heard):.1f} s of the first answer were heard")
    assert late <= 300
