"""What staff see of a year of conversations, in a real browser under the site's strict policy."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests import demo
from tests.browser.conftest import Visit, whole_picture
from tests.demo import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

YEAR = """
from django.utils import timezone
from tests import generated_year
generated_year.make(4_000, until=timezone.now())
"""
STATISTICS = "/admin/voice/voicestatistics/"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
LOOKS = pytest.mark.parametrize(
    ("scheme", "viewport", "locale"),
    [
        pytest.param("light", DESKTOP, "en-GB", id="light-desktop-en"),
        pytest.param("dark", DESKTOP, "fr-FR", id="dark-desktop-fr"),
        pytest.param("light", PHONE, "fr-FR", id="light-phone-fr"),
        pytest.param("dark", PHONE, "en-GB", id="dark-phone-en"),
    ],
)
NOTE_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (e) => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demonstration site, after a year. Nobody talks here: with a key it has no speech models to load."""
    with demo.running(tmp_path_factory.mktemp("year"), OPENAI_API_KEY="sk-test") as running:
        program = [sys.executable, "manage.py", "shell", "-c", YEAR]
        subprocess.run(program, env=running.environment, check=True, capture_output=True)
        yield running


async def opened(page: Page, path: str, site: Demo) -> None:
    """The page at ``path``, where whatever its policy forbids is noted."""
    await page.add_init_script(NOTE_VIOLATIONS)
    response = await page.goto(f"{site.url}{path}")
    assert response is not None
    assert "default-src 'self'" in (await response.all_headers())["content-security-policy"]


async def fits(page: Page) -> None:
    """Nothing was forbidden, and nothing is wider than the window."""
    assert await page.evaluate("violations") == []
    widths = "[document.documentElement.scrollWidth, innerWidth]"
    width, window = await page.evaluate(widths)
    assert width <= window


@LOOKS
async def test_the_statistics_of_a_year(
    visit: Visit, site: Demo, scheme: str, viewport: dict[str, int], locale: str
) -> None:
    """Charts are drawn in colours, not as black boxes, and the numbers open below them."""
    look = {"color_scheme": scheme, "viewport": viewport, "locale": locale}
    async with visit("/admin/", user="staff", **look) as page:
        await page.get_by_role("link", name="Statisti").first.click()
        await page.wait_for_url(f"**{STATISTICS}")
        await opened(page, STATISTICS, site)
        charts = page.locator("svg.pygal-chart")
        await expect(charts).to_have_count(5)
        for line in await charts.first.locator(".line.reactive").all():
            assert await line.evaluate("line => getComputedStyle(line).fill") == "none"
            assert await line.evaluate("line => getComputedStyle(line).stroke") not in ("none", "rgb(0, 0, 0)")
        await fits(page)
        await whole_picture(page, f"statistics-{scheme}-{viewport['width']}-{locale[:2]}")
        await page.locator("figure summary").first.click()
        await expect(page.locator("figure table").first).to_be_visible()
        await page.locator(".voice-presets a").last.click()
        await expect(page.locator("figure tbody").first.locator("tr")).to_have_count(53)
        await page.select_option("select[name=provider]", "local")
        await page.locator("form.voice-range input[type=submit]").click()
        await page.wait_for_url("**provider=local*")
        await expect(charts).to_have_count(5)
        await fits(page)


async def test_what_goes_on_is_asked_for_again_and_again(visit: Visit, site: Demo) -> None:
    async with visit(STATISTICS, user="staff") as page:
        await opened(page, STATISTICS, site)
        await expect(page.locator(".voice-now .voice-figure").first).to_have_text("3")
        await page.locator(".voice-now .voice-figure").first.evaluate("figure => { figure.textContent = 'old' }")
        await expect(page.locator(".voice-now .voice-figure").first).to_have_text("3", timeout=30_000)
        await fits(page)


@LOOKS
async def test_a_session_shows_its_turns_as_waterfalls(
    visit: Visit, site: Demo, scheme: str, viewport: dict[str, int], locale: str
) -> None:
    look = {"color_scheme": scheme, "viewport": viewport, "locale": locale}
    sessions = "/admin/voice/voicesession/?o=-6.-1"
    async with visit(sessions, user="staff", **look) as page:
        address = await page.locator("#result_list tbody th a").nth(9).get_attribute("href")
        await opened(page, address or "", site)
        bars = page.locator(".voice-steps").first.locator("tbody rect")
        await expect(bars).to_have_count(8)
        for bar in await bars.all():
            box, line = await bar.bounding_box(), await bar.locator("xpath=..").bounding_box()
            assert box is not None
            assert line is not None
            assert line["x"] - 1 <= box["x"] < box["x"] + box["width"] <= line["x"] + line["width"] + 1
        await fits(page)
        await whole_picture(page, f"waterfall-{scheme}-{viewport['width']}-{locale[:2]}")
