"""A real browser with a recorded microphone, in front of the demonstration site."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests import demo
from tests.demo import Demo

ARGUMENTS = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
]

expect.set_options(timeout=20_000)  # milliseconds: on a machine that does other things, five seconds are not long

Visit = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a site with collected static files; ``STATIC_ROOT`` holds them."""
    folder = tmp_path_factory.mktemp("static")
    environment = {"DJANGO_SETTINGS_MODULE": "tests.collected", "STATIC_ROOT": str(folder)}
    program = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(program, env={**os.environ, **environment, "DJANGO_DEBUG": "true"}, check=True)
    return environment


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, collected: dict[str, str]) -> Iterator[Demo]:
    """The demonstration site, with its strict Content-Security-Policy and renamed static files."""
    with demo.running(tmp_path_factory.mktemp("demo"), **collected) as running:
        yield running


_guests: dict[str, Iterator[str]] = {}


def new_guests(site: Demo) -> Iterator[str]:
    """People who have not talked yet, without end: nobody may talk as often as these tests do."""
    for batch in count():
        yield from site.add_users([f"guest{batch}-{n}" for n in range(20)])


@pytest.fixture
def visit(site: Demo) -> Visit:
    """``visit(path)``: a page of the site in a browser of its own, where somebody new is logged in.

    ``user`` is somebody else, or "" for nobody; the ``microphone`` hears that file, or the browser's own beeps.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        assert os.environ.get("CI") != "true", "chromium is missing"
        pytest.skip("needs Debian's chromium")

    @asynccontextmanager
    async def visiting(
        path: str, *, microphone: Path | None = None, user: str | None = None, **context: object
    ) -> AsyncIterator[Page]:
        hears = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *hears])
            page = await (await browser.new_context(**context)).new_page()  # type: ignore[arg-type]
            if user is None:
                user = next(_guests.setdefault(site.url, new_guests(site)))
            if user:
                await page.goto(f"{site.url}/accounts/login/?next=/fr/")
                await log_in(page, site, user)
                await page.wait_for_url("**/fr/")
            await page.goto(f"{site.url}{path}")
            try:
                yield page
            finally:
                await browser.close()

    return visiting


async def log_in(page: Page, site: Demo, user: str) -> None:
    """Fill in the form."""
    await page.fill("input[name=username]", user)
    await page.fill("input[name=password]", site.passwords[user])
    await page.press("input[name=password]", "Enter")


async def picture(page: Page, name: str) -> None:
    """A screenshot for people to look at, if ``SCREENSHOTS`` names a folder for them."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png")


async def whole_picture(page: Page, name: str) -> None:
    """The same, from the top of the page to its end."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)
