"""A whole conversation under policies of the strictest kind, of which the browser has nothing to report."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.ear import EAR, Ear

pytestmark = pytest.mark.asyncio(loop_scope="session")

ARTICLE = "/help/opening-hours-harbour/"
REPORTS = """
  window.reports = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    window.reports.push(`${effectiveDirective} ${blockedURI}`);
  });
"""


@pytest.mark.parametrize("query", ["", "?policy=nonce"], ids=["by source", "by nonce"])
async def test_under_the_strictest_policy_nothing_is_blocked(visit: Visit, query: str) -> None:
    """From the press to the sound of an answer: modules, looks, worklets, socket, media."""
    async with visit(f"{ARTICLE}{query}", scripts=[REPORTS, EAR]) as page:
        await page.get_by_role("button", name="Ask a question").click()
        await page.get_by_role("button", name="Start talking").click()
        await page.get_by_role("button", name="I agree").click()
        status = page.locator("voice-widget [part=status]")
        await expect(status).to_have_text("Listening")
        await page.locator("voice-widget [part=question]").fill("How late is it open?")
        await page.keyboard.press("Enter")
        await Ear(page).until_played(100)
        await expect(page.locator("voice-widget [part=panel]")).to_have_css("display", "flex")
        assert await page.evaluate("window.reports") == []
