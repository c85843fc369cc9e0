"""A real browser with a recorded microphone, in front of the demonstration site."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests import demo
from tests.demo import Demo

Visit = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demonstration site."""
    with demo.running(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def visit(site: Demo) -> Visit:
    """``visit(path, microphone)``: a page of the site, with somebody logged in, whose microphone hears that file."""
    chromium = shutil.which("chromium")
    if chromium is None:
        assert os.environ.get("CI") != "true", "chromium is missing"
        pytest.skip("needs Debian's chromium")

    @asynccontextmanager
    async def visiting(path: str, microphone: Path, **context: object) -> AsyncIterator[Page]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={microphone}%noloop",
                    "--disable-background-networking",
                    "--disable-component-update",
                ],
            )
            page = await browser.new_page(**context)  # type: ignore[arg-type]
            await page.goto(f"{site.url}/accounts/login/?next={path}")
            await page.fill("input[name=username]", "visitor")
            await page.fill("input[name=password]", site.visitor_password)
            await page.press("input[name=password]", "Enter")
            await page.wait_for_url(f"**{path}")
            try:
                yield page
            finally:
                await browser.close()

    return visiting
