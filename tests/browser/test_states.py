"""Each state as people see it: in both languages, light and dark, on a phone and at a desk, and by any sense."""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit, picture
from tests.browser.states import states

Scheme = Literal["light", "dark"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

STAND_IN = Path(__file__).with_name("gallery.js")
PATHS = {"en": "/help/opening-hours-harbour/", "fr": "/aide/horaires-port/"}
LAUNCH = {"en": "Ask a question", "fr": "Poser une question"}
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 740}
NARROW = {"width": 320, "height": 640}
ZOOMED, REFLOWED = {"width": 640, "height": 400}, {"width": 320, "height": 256}
"""What 200 % leaves of 1280 by 800, and 400 % of 1280 by 1024 (WCAG 2.2, 1.4.10)."""
RULES: dict[Scheme, list[str]] = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "dark": ["color-contrast", "link-in-text-block"],
}
"""All rules, and those about colours, which are all that differs in the dark."""
AXE = "([place, rules]) => axe.run(place, { runOnly: rules, resultTypes: ['violations'] })"
PICTURED = {"end-disabled", "end-network", "end-idle", "microphone-refused"}
"""The others of their kind differ by their sentence alone."""


Gallery = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture
def gallery(visit: Visit, collected: dict[str, str]) -> Gallery:
    """``gallery(language)``: a page whose widget is open, and shows what :func:`show` says."""
    rules = next((Path(collected["STATIC_ROOT"]) / "voice").glob("state.*.js"))
    stand_in = STAND_IN.read_text().replace("state.js", rules.name)
    return lambda language, **context: _gallery(visit, stand_in, language, **context)


@asynccontextmanager
async def _gallery(visit: Visit, stand_in: str, language: str, **context: Any) -> AsyncIterator[Page]:
    async with visit(PATHS[language], **context) as page:
        await page.route("**/client.*js", lambda route: route.fulfill(body=stand_in, content_type="text/javascript"))
        await page.get_by_role("button", name=LAUNCH[language]).click()
        await expect(page.locator("voice-widget [part=panel]")).to_be_visible()
        while not await page.evaluate("Boolean(window.client)"):
            await page.wait_for_timeout(20)
        yield page


async def show(page: Page, events: list[dict[str, Any]]) -> None:
    await page.evaluate("events => window.client.play(events)", events)


async def all_states(page: Page, language: str) -> AsyncIterator[str]:
    """The name of each, while it is shown; the last is the notice before the first word."""
    for name, events in states(language, await page.evaluate("Date.now()")).items():
        await show(page, [])
        await show(page, events)
        yield name
    await show(page, [])
    await page.locator("voice-widget [part=main]").click()
    yield "consent"


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_axe_finds_nothing_in_any_state(gallery: Gallery, language: str) -> None:
    """WCAG 2.2 AA, and what axe holds to be good practice, light and dark; at first the page around the widget too."""
    found: dict[str, list[str]] = {}
    places = {"light": "html", "dark": "html"}
    async with gallery(language, viewport=PHONE, reduced_motion="reduce") as page:
        await page.evaluate(AXE_SCRIPT)
        async for name in all_states(page, language):
            if name.startswith(("end-", "microphone-")) and name not in PICTURED:
                continue
            for scheme, rules in RULES.items():
                await page.emulate_media(color_scheme=scheme)
                results = await page.evaluate(AXE, [places[scheme], rules])
                places[scheme] = "voice-widget"  # the page around it does not change
                assert results["passes"]
                for violation in results["violations"]:
                    where = [node["html"][:200] for node in violation["nodes"]]
                    found.setdefault(f"{name}, {scheme}", []).append(f"{violation['id']}: {where}")
            await pictures(page, name, language)
    assert found == {}


async def pictures(page: Page, name: str, language: str) -> None:
    """A state for people to look at, light and dark, on a phone and at a desk, if ``SCREENSHOTS`` names a folder."""
    if "SCREENSHOTS" not in os.environ:
        return
    for scheme, (place, viewport) in product(RULES, (("desktop", DESKTOP), ("phone", PHONE))):
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(viewport)
        await picture(page, f"{name}-{language}-{scheme}-{place}")


async def test_every_state_has_words_of_its_own_and_leaves_the_focus_where_it_is(gallery: Gallery) -> None:
    """None shows the name of a word that is missing, and no two tell the same."""
    told: dict[str, str] = {}
    async with gallery("en") as page:
        await page.locator("header a").first.focus()
        async for name in all_states(page, "en"):
            told[name] = await page.locator("voice-widget [part=panel]").inner_text()
            if name != "consent":  # which takes the place of what was pressed
                assert await page.evaluate("document.activeElement.matches('header a')"), name
    assert re.search(r"\b0:4\d left", told["expiring"])
    assert not [name for name, text in told.items() if "phase." in text or "reason." in text or "microphone." in text]
    alike = {"unloaded", "server_drain"}  # (a restart that nobody answered after)
    texts = [text for name, text in told.items() if name not in alike]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("viewport", [NARROW, ZOOMED, REFLOWED], ids=["320 px", "200 %", "400 %"])
async def test_nothing_is_cut_off(gallery: Gallery, viewport: dict[str, int]) -> None:
    """What does not fit can be scrolled to, by the height only; whatever can be pressed is large enough for a thumb."""
    async with gallery("fr", viewport=viewport, reduced_motion="reduce") as page:
        async for name in all_states(page, "fr"):
            await picture(page, f"{name}-fr-{viewport['width']}x{viewport['height']}")
            problems = await page.evaluate(
                """() => {
                  const root = document.querySelector("voice-widget").shadowRoot;
                  const all = [...root.querySelectorAll("button, input, a, p, h2, h3")];
                  const shown = all.filter((n) => n.checkVisibility());
                  const hidden = (n) => n.closest("[aria-hidden=true]") || getComputedStyle(n).clipPath !== "none";
                  const wide = shown.filter((n) => !hidden(n)).filter((n) => {
                    const { left, right } = n.getBoundingClientRect();
                    const cut = n.matches("button, p, h2") && n.clientWidth > 0 && n.scrollWidth > n.clientWidth + 1;
                    return left < -1 || right > innerWidth + 1 || cut;
                  });
                  const small = shown.filter((n) => n.matches("button, input")).filter((n) => {
                    const { width, height } = n.getBoundingClientRect();
                    return Math.min(width, height) < 44;
                  });
                  const panel = root.querySelector(".panel").getBoundingClientRect();
                  const isIn = (n, room, spare) => {
                    const { top, bottom, left, right } = n.getBoundingClientRect();
                    const fits = top >= room.top && bottom <= room.bottom - spare;
                    return fits && left >= spare && right <= room.right - spare;
                  };
                  const edged = shown.filter((n) => n.matches(".choices button")).filter((n) => !isIn(n, panel, 8));
                  const outside = shown.filter((n) => n.matches("button")).filter((n) => {
                    n.scrollIntoView({ block: "nearest" });
                    const page = { top: 0, bottom: innerHeight, right: innerWidth };
                    return !isIn(n, n.matches(".panel *") ? panel : page, 0);
                  });
                  const over = shown.filter((n) => n.matches(".intro")).filter((n) => {
                    const room = n.parentElement.getBoundingClientRect();
                    return n.getBoundingClientRect().bottom > room.bottom + 1;
                  });
                  return [...wide, ...small, ...edged, ...outside, ...over].map((n) => n.outerHTML.slice(0, 80));
                }"""
            )
            assert problems == [], name


async def test_it_stands_where_the_page_wants_it_in_the_colour_of_the_site(gallery: Gallery) -> None:
    """Above the page, or in it; then there is nothing to open, and Escape closes nothing."""
    async with gallery("en", color_scheme="light") as page:
        above, inside = (page.locator(f"voice-widget[position={place}]") for place in ("floating", "inline"))
        await above.evaluate(
            """widget => {
              const twin = widget.cloneNode(true);
              twin.setAttribute("position", "inline");
              twin.setAttribute("accent", "#7a1fa2");
              document.querySelector("main").append(twin);
            }"""
        )
        main, panel = inside.locator("[part=main]"), inside.locator("[part=panel]")
        await main.focus()
        await page.keyboard.press("Escape")
        await expect(panel).to_be_visible()
        await expect(inside.locator("[part=launcher]")).to_have_count(0)
        assert await above.evaluate("widget => getComputedStyle(widget).position") == "fixed"
        assert await inside.evaluate("widget => getComputedStyle(widget).position") == "static"
        await picture(page, "inline")
        await expect(main).to_have_css("background-color", "rgb(122, 31, 162)")
        await expect(above.locator("[part=main]")).not_to_have_css("background-color", "rgb(122, 31, 162)")
        await page.emulate_media(color_scheme="dark")  # where that could not be read
        await expect(main).not_to_have_css("background-color", "rgb(122, 31, 162)")


async def test_in_forced_colours_everything_is_still_told_apart(gallery: Gallery) -> None:
    """Where the system's colours replace ours, buttons and lines keep their borders."""
    async with gallery("en", forced_colors="active", reduced_motion="reduce") as page:
        for name in ("interrupted", "rate_limited", "speaking"):
            await show(page, states("en", await page.evaluate("Date.now()"))[name])
            await picture(page, f"{name}-forced-colours")
            borderless = await page.evaluate(
                """() => {
                  const root = document.querySelector("voice-widget").shadowRoot;
                  const shown = [...root.querySelectorAll("button, input, .line p")].filter((n) => n.checkVisibility());
                  return shown.filter((n) => getComputedStyle(n).borderTopStyle === "none").map((n) => n.outerHTML);
                }"""
            )
            assert borderless == [], name
        colour = "node => getComputedStyle(node).color"
        coming = page.locator("voice-widget .coming")
        assert await coming.evaluate(colour) != await coming.locator("..").evaluate(colour), "heard, and to come"


async def test_without_motion_nothing_moves(gallery: Gallery) -> None:
    """The bars stand still where the visitor's system asks for it, and move elsewhere."""
    running = "() => document.querySelector('voice-widget').shadowRoot.getAnimations().length"
    for motion, moves in (("reduce", False), ("no-preference", True)):
        async with gallery("en", reduced_motion=motion) as page:
            await show(page, states("en", 0)["speaking"])
            assert bool(await page.evaluate(running)) is moves


async def test_by_keyboard_alone(gallery: Gallery) -> None:
    """Tab reaches everything, Escape ends, the focus is never lost, and the talk button is held by Space."""
    async with gallery("en") as page:
        scripts = states("en", await page.evaluate("Date.now()"))
        focused = "() => document.activeElement.shadowRoot?.activeElement?.part.value"
        main = page.locator("voice-widget [part=main]")
        await main.focus()
        order = []
        for _ in range(3):
            order.append(await page.evaluate(focused))
            await page.keyboard.press("Tab")
        assert order == ["main", "question", "send"]
        await main.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("voice-widget [part=consent]")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(main).to_be_focused()
        for name in ("listening", "speaking", "interrupted", "ended", "hold"):
            await show(page, scripts[name])
            await expect(main).to_be_focused()
        await page.keyboard.down("Space")
        await page.wait_for_timeout(400)  # longer than a tap
        await page.keyboard.up("Space")
        assert await told(page) == [["hold", True], ["hold", False]]
        await page.keyboard.press("Enter")  # a tap: until the next one
        assert await told(page) == [["hold", True]]
        await show(page, scripts["held"])
        await page.keyboard.press("Enter")
        assert await told(page) == [["hold", False]]
        await page.keyboard.press("Escape")
        assert await told(page) == [["stop"]]
        await show(page, scripts["ended"])
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Ask a question")).to_be_focused()


async def told(page: Page) -> list[Any]:
    """What the client was told since the last look."""
    return list(await page.evaluate("window.client.told.splice(0)"))


async def test_a_screen_reader_hears_complete_lines_and_each_change_once(gallery: Gallery) -> None:
    """What still grows is not in the log, and a status that stays is not set again."""
    async with gallery("en") as page:
        scripts = states("en", 0)
        log = page.locator("voice-widget").get_by_role("log")
        await show(page, scripts["hearing"])
        assert await log.inner_text() == ""
        await show(page, scripts["speaking"])
        assert "How late" in await log.inner_text()
        assert "harbour shop is open" not in await log.inner_text()
        await page.evaluate(
            """() => {
              window.changes = [];
              const status = document.querySelector("voice-widget").shadowRoot.querySelector("[part=status]");
              const every = { childList: true, characterData: true, subtree: true };
              new MutationObserver((found) => window.changes.push(...found)).observe(status, every);
            }"""
        )
        for _ in range(3):
            await show(page, scripts["speaking"])
        assert await page.evaluate("window.changes.length") == 0
        await show(page, scripts["answered"])
        assert "harbour shop is open" in await log.inner_text()
        assert await page.evaluate("window.changes.length") == 1


async def test_sources_can_be_followed_while_the_answer_is_heard(gallery: Gallery) -> None:
    """Who stands on one when the answer ends, and its line goes over to the log, stays there."""
    async with gallery("en") as page:
        scripts = states("en", 0)
        await show(page, scripts["speaking"][:-1])
        widget = page.locator("voice-widget")
        title = "Opening hours of the harbour shop"
        source = widget.get_by_role("link", name=title)
        await expect(source).to_have_count(0)  # nothing was heard yet
        await show(page, scripts["speaking"])
        await source.focus()
        await show(page, scripts["answered"])
        await expect(widget.get_by_role("log").get_by_role("link", name=title)).to_be_focused()


async def test_lines_stand_in_their_order_whatever_is_known_first(gallery: Gallery) -> None:
    """The words of a question may come when its answer is complete."""
    async with gallery("en") as page:
        told = [event for event in states("en", 0)["answered"] if event["type"] != "transcript.user"]
        await show(page, told)
        await show(page, [*told, {"type": "transcript.user", "item_id": "u1", "text": "How late?", "final": True}])
        lines = await page.locator("voice-widget .line").evaluate_all("lines => lines.map((line) => line.className)")
        assert lines == ["line visitor", "line assistant"]


async def test_after_a_barge_in_only_what_was_heard_stays(gallery: Gallery) -> None:
    """The words that never sounded are gone; the assistant does not know that it said them."""
    async with gallery("en") as page:
        await show(page, states("en", 0)["speaking"])
        coming = page.locator("voice-widget .coming")
        await expect(coming).to_contain_text("on Monday from 2 pm to 7 pm.")
        await show(page, states("en", 0)["interrupted"])
        text = await page.locator("voice-widget [part=captions]").inner_text()
        assert "The harbour shop" in text
        assert "on Monday" not in text
        assert "Interrupted" in text
