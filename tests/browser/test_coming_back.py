"""A visitor is cut off and comes back: in a real browser, the follow-up question needs what was said before."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests import speech
from tests.browser.conftest import Visit, log_in, picture
from tests.browser.network import Network
from tests.browser.restartable import Restartable
from tests.demo import Demo
from tests.redis_server import RedisServer

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser, which all tests share

ARTICLE = "/help/contact-message/"
QUESTION = "How late does the harbour shop stay open on weekdays?"
ANSWER = "The harbour shop is open from Tuesday to Saturday"
FOLLOW_UP = "And on Sundays?"
SECOND_ANSWER = "On Sundays only the harbour shop is open"
WIFI_SECONDS = 20.0
PATIENCE = 90_000  # milliseconds for an answer, or for a server to be there again


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, collected: dict[str, str]) -> Iterator[Restartable]:
    with RedisServer() as redis, Restartable(tmp_path_factory.mktemp("restartable"), redis, collected) as running:
        yield running


@pytest.fixture(scope="module")
def site(server: Restartable) -> Demo:
    """The site that ``visit`` goes to."""
    return Demo(server.url, {}, server.environment)


def part(page: Page, name: str) -> Locator:
    return page.locator(f"voice-widget [part={name}]")


def log(page: Page) -> Locator:
    return page.locator("voice-widget").get_by_role("log")


async def ask(page: Page, question: str) -> None:
    await part(page, "question").fill(question)
    await part(page, "question").press("Enter")


@asynccontextmanager
async def talking(visit: Visit, **how: object) -> AsyncIterator[Page]:
    """A page on which the first question was asked in writing, and its answer is being spoken."""
    async with visit(ARTICLE, **how) as page:
        await begin(page)
        yield page


async def begin(page: Page) -> None:
    await page.evaluate("localStorage.setItem('voice.consent', '1.local')")
    await page.get_by_role("button", name="Ask a question").click()
    await ask(page, QUESTION)
    await expect(part(page, "status")).to_have_text("Speaking", timeout=PATIENCE)
    await expect(part(page, "captions")).to_contain_text(ANSWER, timeout=PATIENCE)


async def answered(page: Page) -> None:
    await expect(part(page, "status")).to_have_text("Waiting for your question", timeout=PATIENCE)


async def goes_on(page: Page) -> None:
    """The follow-up, which says nothing of shops or opening hours, is answered right."""
    await ask(page, FOLLOW_UP)
    await expect(part(page, "captions")).to_contain_text(SECOND_ANSWER, timeout=PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
async def test_a_server_that_is_killed_or_stopped_and_started_again(
    visit: Visit, server: Restartable, number: signal.Signals
) -> None:
    async with talking(visit) as page:
        await answered(page)
        await page.wait_for_timeout(1_500)  # what was said is looked at once a second; a kill asks for nothing more
        await asyncio.to_thread(server.stop, number)
        await expect(part(page, "status")).to_have_text("Connecting again")
        await picture(page, f"coming-back-{number.name.lower()}-away")
        await asyncio.to_thread(server.start)
        await expect(part(page, "hint")).to_have_text(
            "You are connected again, and the conversation goes on.", timeout=PATIENCE
        )
        await picture(page, f"coming-back-{number.name.lower()}-back")
        await goes_on(page)
        assert QUESTION in await log(page).inner_text()


async def test_a_network_that_is_gone_for_twenty_seconds(visit: Visit, server: Restartable, site: Demo) -> None:
    """And without a word: the server believes in the connection for all of that time."""
    site.add_user("offline")
    async with Network(server.port) as network, visit("/", user="") as page:
        await page.goto(f"{network.url}/accounts/login/?next={ARTICLE}")
        await log_in(page, site, "offline")
        await begin(page)
        await answered(page)
        network.go_down()
        await page.context.set_offline(True)
        await expect(part(page, "hint")).to_contain_text("You are offline.")
        await picture(page, "coming-back-offline")
        await asyncio.sleep(WIFI_SECONDS)
        network.come_back()
        await page.context.set_offline(False)
        await expect(part(page, "hint")).to_have_text(
            "You are connected again, and the conversation goes on.", timeout=PATIENCE
        )
        await goes_on(page)


async def test_a_page_that_is_loaded_anew_in_mid_answer_goes_on_in_writing(visit: Visit) -> None:
    async with talking(visit) as page:
        await expect(page.locator("voice-widget .coming")).not_to_contain_text("The harbour")
        await page.wait_for_timeout(500)  # what was heard is reported every 250 ms, and was not all by far
        await page.reload()
        await expect(log(page)).to_contain_text(QUESTION, timeout=PATIENCE)
        await expect(log(page)).to_contain_text("…")
        await expect(part(page, "hint")).to_have_text(
            "The conversation goes on. Turn the microphone on, or type your question."
        )
        await picture(page, "coming-back-reload")
        await goes_on(page)
        await expect(part(page, "status")).to_have_text("Speaking", timeout=PATIENCE)


async def test_after_a_reload_the_microphone_is_one_press_away(visit: Visit, tmp_path: Path) -> None:
    spoken = speech.recording(tmp_path / "microphone.wav", 1_000, speech.spoken(FOLLOW_UP, "en"), 30_000)
    async with talking(visit, microphone=spoken) as page:
        await page.reload()
        await expect(log(page)).to_contain_text(QUESTION, timeout=PATIENCE)
        await page.get_by_role("button", name="Microphone off").click()
        await expect(part(page, "captions")).to_contain_text(SECOND_ANSWER, timeout=PATIENCE)
        await picture(page, "coming-back-aloud")


async def test_another_page_of_the_site_goes_on_as_well(visit: Visit) -> None:
    async with talking(visit) as page:
        await answered(page)
        await page.get_by_role("link", name="Vélo Rivage").first.click()
        await expect(log(page)).to_contain_text(ANSWER, timeout=PATIENCE)
        await goes_on(page)


async def test_who_had_ended_the_conversation_finds_nothing_of_it(visit: Visit) -> None:
    async with talking(visit) as page:
        await answered(page)
        await part(page, "main").click()
        await expect(part(page, "status")).to_have_text("Conversation ended")
        await page.reload()
        await page.get_by_role("button", name="Ask a question").click()
        await expect(part(page, "status")).to_have_text("Ready")
        await expect(log(page)).to_be_empty()
