"""A visitor asks aloud, hears the answer, interrupts it and hears another: the whole way, in a real browser."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests import speech
from tests.browser import sound
from tests.browser.conftest import Visit, Witnessed, picture
from tests.browser.ear import EAR, Ear, Sound
from voice.protocol.audio import SAMPLE_RATE

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="session")]

SILENCE_BOUND_MS = 100
"""From the arrival of what says that the visitor speaks to the last sample that can be heard."""
TRUNCATION_BOUND_MS = 50
MARGIN = 3
"""The bounds are asserted at three times their value, and what was measured is printed."""

LISTEN_FOR_CAPTIONS = """() => {
  const widget = document.querySelector("voice-widget");
  window.captioned = false;
  const look = setInterval(() => {
    const now = widget.client?.getSnapshot();
    if (now?.speaking && now.lines.some(({ text }) => text)) window.captioned = true;
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
    visit: Visit, witnessed: Witnessed, tmp_path: Path, talk: Talk
) -> None:
    """Captions come while the visitor speaks, the source is right, the answer sounds; a barge-in silences it, and the
    provider remembers what was heard of it."""
    question, follow_up = (speech.spoken(text, talk.language) for text in (talk.question, talk.follow_up))
    microphone = speech.recording(tmp_path / "microphone.wav", 700, question, 6_000, follow_up, 15_000)
    async with visit(talk.path, microphone=microphone, scripts=[EAR]) as page:
        ear = Ear(page)
        await page.evaluate(LISTEN_FOR_CAPTIONS)
        await page.get_by_role("button", name=talk.launch).click()
        await page.get_by_role("button", name=talk.start).click()
        await page.get_by_role("button", name=talk.agree).click()  # only then the microphone opens
        await _second_answer(page, ear)
        assert await page.evaluate("captioned"), "no caption before the question ended"
        await picture(page, f"conversation-{talk.language}")
        await page.get_by_role("button", name=talk.stop).click()  # so that its line is final, with its sources
        await page.locator("voice-widget").get_by_role("link", name=talk.second_source).last.wait_for(timeout=10_000)
        text = await page.locator("voice-widget").get_by_role("log").inner_text()
        assert talk.source in text
        assert talk.second_source in text
        await _assert_silence_at_once(ear)
        await _assert_cut_to_what_was_heard(ear, witnessed)


async def _second_answer(page: Page, ear: Ear) -> None:
    """Until the first was interrupted and the second is heard. (The page's policy forbids to wait inside it.)"""
    for _ in range(450):
        stopped = [message["item_id"] for message in await ear.messages("playback.stop")]
        if stopped and any(r["item_id"] not in stopped and r["played_ms"] for r in (await ear.sent("playback"))[-1:]):
            return
        await page.wait_for_timeout(100)
    raise AssertionError("no second answer was heard")


async def _first_answer(ear: Ear) -> tuple[str, Sound, int]:
    """Its item, what was played until the second one came, and the sample at which the page was told to be silent."""
    stop = (await ear.messages("playback.stop"))[0]
    second = next(message["at"] for message in await ear.messages("audio.item") if message["at"] > stop["at"])
    return stop["item_id"], (await ear.played()).between(0, second), stop["at"]


async def _assert_silence_at_once(ear: Ear) -> None:
    """From the moment when the page is told of the barge-in to the last sample that can be heard of the answer."""
    _item, output, told = await _first_answer(ear)
    assert sound.last_audible(output.between(0, told).pcm) > SAMPLE_RATE, "hardly anything of the answer was heard"
    late_ms = sound.last_audible(output.between(told).pcm) * 1000 / SAMPLE_RATE
    print(f"silent {late_ms:.0f} ms after the barge-in was told (bound: {SILENCE_BOUND_MS})")
    assert late_ms <= SILENCE_BOUND_MS * MARGIN


async def _assert_cut_to_what_was_heard(ear: Ear, witnessed: Witnessed) -> None:
    """What the page counted, and where the provider's memory was cut, against the samples that left the player."""
    item, output, _told = await _first_answer(ear)
    session = (await ear.messages("session.ready"))[0]["session_id"]
    least, most = sound.played_ms(await ear.received(item), output.pcm)
    reported = [report["played_ms"] for report in await ear.sent("playback") if report["item_id"] == item][-1]
    kept = next(fact["ms"] for fact in witnessed(session) if fact["what"] == "truncated" and fact["item"] == item)
    print(f"{least:.0f} to {most:.0f} ms were played, {reported} reported, {kept} kept (bound: {TRUNCATION_BOUND_MS})")
    for counted in (reported, kept):
        assert least - TRUNCATION_BOUND_MS * MARGIN <= counted <= most + TRUNCATION_BOUND_MS * MARGIN
