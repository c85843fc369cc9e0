"""What a visitor reads who may not talk: the door's words, in a real browser."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Visit, log_in, picture
from tests.browser.ear import EAR, Ear
from tests.demo import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

PER_HOUR = 5


@dataclass(frozen=True)
class Words:
    """A page of the site, and what its widget says."""

    language: str
    path: str
    log_in: str
    launch: str
    agree: str
    start: str
    end: str
    listening: str
    elsewhere: str
    expired: str
    off: str
    stale: str
    often: re.Pattern[str]
    unloaded: str
    question: str
    unheard: str


ENGLISH = Words(
    "en", "/help/opening-hours-harbour/", "Log in to ask by voice",
    "Ask a question", "I agree", "Start talking", "End", "Listening",
    "The conversation goes on in another window. Press to start a new one here.",
    "Your login has expired. Please log in again.",
    "The voice assistant is switched off at the moment.",
    "This page has been open for too long. Reload it to go on.",
    re.compile(r"You have started many conversations\. Available again (at|on .*) \d?\d:\d\d\s[AP]M\."),
    "The voice assistant could not be loaded. Check your network, then reload this page.",
    "How late is it open?", "Interrupted",
)  # fmt: skip
FRENCH = Words(
    "fr", "/aide/horaires-port/", "Connectez-vous pour parler",
    "Poser une question", "J’accepte", "Commencer à parler", "Terminer", "À l’écoute",
    "La conversation continue dans une autre fenêtre. Appuyez pour en commencer une nouvelle ici.",
    "Votre session a expiré. Veuillez vous reconnecter.",
    "L’assistant vocal est désactivé pour le moment.",
    "Cette page est ouverte depuis trop longtemps. Rechargez-la pour continuer.",
    re.compile(r"Vous avez commencé beaucoup de conversations\. De nouveau disponible (.* )?à \d\d:\d\d\."),
    "L’assistant vocal n’a pas pu être chargé. Vérifiez votre réseau, puis rechargez cette page.",
    "Jusqu’à quelle heure est-ce ouvert en semaine ?", "Interrompu",
)  # fmt: skip
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])


@LANGUAGES
async def test_who_is_not_logged_in_may_do_so_and_come_back(visit: Visit, site: Demo, words: Words) -> None:
    """A link stands in the widget's place."""
    async with visit(words.path, user="") as page:
        link = page.get_by_role("link", name=words.log_in)
        await expect(link).to_be_visible()
        assert await page.locator("voice-widget").count() == 0
        await picture(page, f"not-logged-in-{words.language}")
        await link.click()
        await log_in(page, site, "visitor")
        await page.wait_for_url(f"**{words.path}")
        await expect(page.get_by_role("button", name=words.launch)).to_be_visible()


@LANGUAGES
async def test_a_second_window_takes_the_conversation_over(visit: Visit, words: Words) -> None:
    """And the first one is told; from there it can be taken back."""
    async with visit(words.path) as page:
        await begin(page, words)
        await expect(status(page)).to_have_text(words.listening)
        second = await page.context.new_page()
        await second.goto(page.url)
        await begin(second, words, agreed=True)
        await expect(status(second)).to_have_text(words.listening)
        await expect(hint(page)).to_have_text(words.elsewhere)
        await picture(page, f"second-window-{words.language}")
        await page.get_by_role("button", name=words.start).click()
        await expect(status(page)).to_have_text(words.listening)
        await expect(hint(second)).to_have_text(words.elsewhere)


@LANGUAGES
async def test_when_it_is_switched_off_in_mid_answer_that_is_told_and_when_it_is_on_again_one_goes_on(
    visit: Visit, site: Demo, words: Words
) -> None:
    """The sound stops, nothing dials again; neither needs a restart, or another page."""
    async with visit(words.path, scripts=[EAR]) as page:
        ear = Ear(page)
        await begin(page, words)
        await expect(status(page)).to_have_text(words.listening)
        with switching_off(site) as switch:
            await page.locator("voice-widget [part=question]").fill(words.question)
            await page.keyboard.press("Enter")
            await ear.until_played(250)
            await asyncio.to_thread(switch)
        try:
            await expect(hint(page)).to_have_text(words.off)
            await expect(page.locator("voice-widget").get_by_role("log")).to_contain_text(words.unheard)
            assert await page.evaluate("document.querySelector('voice-widget').client.speaker") is None
            await picture(page, f"switched-off-{words.language}")
            played = await ear.played()
            await page.wait_for_timeout(1_500)  # who dials again does so after a second
            assert (await ear.played(), await ear.sockets()) == (played, 1)
            await page.get_by_role("button", name=words.start).click()
            await expect(hint(page)).to_have_text(words.off)
            another = await page.context.new_page()
            await another.goto(page.url)
            assert await another.locator("voice-widget").count() == 0
        finally:
            await asyncio.to_thread(site.manage, "voice_flag", "on")
        await page.get_by_role("button", name=words.start).click()
        await expect(status(page)).to_have_text(words.listening)


@contextmanager
def switching_off(site: Demo) -> Iterator[Callable[[], object]]:
    """``switch()`` takes no time to start: it is there, and waits."""
    code = "print(); input(); from django.core.management import call_command; call_command('voice_flag', 'off')"
    program = [sys.executable, "manage.py", "shell", "-c", code]
    with subprocess.Popen(program, env=site.environment, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield lambda: process.communicate("\n")


@LANGUAGES
async def test_who_has_logged_out_elsewhere_is_told_so(visit: Visit, words: Words) -> None:
    """Not that something is broken."""
    async with visit(words.path) as page:
        await page.context.clear_cookies(name="sessionid")
        await begin(page, words)
        await expect(hint(page)).to_have_text(words.expired)
        await picture(page, f"logged-out-{words.language}")


@LANGUAGES
async def test_who_has_had_the_page_open_for_too_long_is_told_to_reload_it(visit: Visit, words: Words) -> None:
    """A new login, or the end of the cookie, makes the CSRF token in it one that is no more."""
    async with visit(words.path) as page:
        await page.context.clear_cookies(name="csrftoken")
        await begin(page, words)
        await expect(hint(page)).to_have_text(words.stale)
        await picture(page, f"stale-{words.language}")
        await page.reload()
        await begin(page, words, agreed=True)
        await expect(status(page)).to_have_text(words.listening)


@LANGUAGES
async def test_a_widget_that_did_not_come_is_said_to_be_missing(visit: Visit, words: Words) -> None:
    """The button does not do nothing."""
    async with visit(words.path) as page:
        await page.route("**/client.*js", lambda route: route.abort())
        await begin(page, words)
        await expect(hint(page)).to_have_text(words.unloaded)
        await picture(page, f"unloaded-{words.language}")


@LANGUAGES
async def test_nor_is_the_microphone_blamed_for_it(visit: Visit, words: Words) -> None:
    """Its worklet is a file like the others."""
    async with visit(words.path) as page:
        await page.locator("voice-widget").evaluate("widget => { widget.dataset.captureWorklet = '/not-there.js'; }")
        await begin(page, words)
        await expect(hint(page)).to_have_text(words.unloaded)


@LANGUAGES
async def test_who_has_talked_often_is_told_when_to_come_back(visit: Visit, words: Words) -> None:
    """On the visitor's own clock; until then the button does nothing, and then it works again by itself."""
    async with visit(words.path) as page:
        await page.clock.install()
        await begin(page, words)
        for _ in range(PER_HOUR):
            await expect(status(page)).to_have_text(words.listening)
            await page.get_by_role("button", name=words.end, exact=True).click()
            await page.get_by_role("button", name=words.start).click()
        await expect(hint(page)).to_have_text(words.often)
        await expect(page.get_by_role("button", name=words.start)).to_be_disabled()
        await picture(page, f"limit-reached-{words.language}")
        await page.clock.fast_forward(60 * 60 * 1000)
        await expect(hint(page)).to_be_empty()
        await expect(page.get_by_role("button", name=words.start)).to_be_enabled()


async def begin(page: Page, words: Words, *, agreed: bool = False) -> None:
    """Open the panel and press the button; the browser remembers who has ``agreed``."""
    await page.get_by_role("button", name=words.launch).click()
    await press_start(page, words, agreed=agreed)


async def press_start(page: Page, words: Words, *, agreed: bool = False) -> None:
    await page.get_by_role("button", name=words.start).click()
    if not agreed:
        await page.get_by_role("button", name=words.agree).click()


def hint(page: Page) -> Locator:
    """What the widget explains."""
    return page.locator("voice-widget [part=hint]")


def status(page: Page) -> Locator:
    """What the widget is doing."""
    return page.locator("voice-widget [part=status]")
