"""A real browser with a recorded microphone, in front of the demonstration site."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests import demo
from tests.demo import Demo

ARGUMENTS = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",  # there is none
]

expect.set_options(timeout=20_000)  # milliseconds: on a machine that does other things, five seconds are not long

Visit = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a site with collected static files, in ``STATIC_ROOT``, and a witness, who writes to
    ``WITNESS``."""
    folder, witness = tmp_path_factory.mktemp("static"), tmp_path_factory.mktemp("witness") / "facts"
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.collected",
        "STATIC_ROOT": str(folder),
        "WITNESS": str(witness),
    }
    # Nobody visits the pages of these two here, and they have twice as many files as all others.
    ignored = ["--ignore", "admin", "--ignore", "rest_framework"]
    program = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0", *ignored]
    subprocess.run(program, env={**os.environ, **environment, "DJANGO_DEBUG": "true"}, check=True)
    shutil.copy(Path(__file__).with_name("ear-worklet.js"), folder)  # a page runs only what its own site has
    return environment


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, collected: dict[str, str]) -> Iterator[Demo]:
    """The demonstration site, with its strict Content-Security-Policy and renamed static files."""
    with demo.running(tmp_path_factory.mktemp("demo"), **collected) as running:
        yield running


Witnessed = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def witnessed(collected: dict[str, str]) -> Witnessed:
    """``witnessed(session_id)``: what tests/witness.py has written about a conversation, in its order."""

    def facts(session_id: str) -> list[dict[str, Any]]:
        lines = Path(collected["WITNESS"]).read_text().splitlines()
        return [fact for fact in map(json.loads, lines) if fact["session"] == session_id]

    return facts


_guests: dict[str, Iterator[str]] = {}


def new_guests(site: Demo) -> Iterator[str]:
    """People who have not talked yet, without end: nobody may talk as often as these tests do."""
    for batch in count():
        yield from site.add_users([f"guest{batch}-{n}" for n in range(60)])


Listening = Callable[[Path | None], AbstractAsyncContextManager[Browser]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def listening() -> AsyncIterator[Listening]:
    """``listening(microphone)``: a browser that hears that file. All who hear its own beeps share one."""
    chromium = shutil.which("chromium")
    if chromium is None:
        assert os.environ.get("CI") != "true", "chromium is missing"
        pytest.skip("needs Debian's chromium")
    async with async_playwright() as playwright, AsyncExitStack() as stack:

        async def launched(*arguments: str) -> Browser:
            return await playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *arguments])

        beeping = await stack.enter_async_context(await launched())

        @asynccontextmanager
        async def browser(microphone: Path | None) -> AsyncIterator[Browser]:
            if microphone is None:
                yield beeping
                return
            async with await launched(f"--use-file-for-fake-audio-capture={microphone}%noloop") as own:
                yield own

        yield browser


@pytest.fixture
def visit(site: Demo, listening: Listening) -> Visit:
    """``visit(path)``: a page of the site in a browser of its own, where somebody new is logged in.

    ``user`` is somebody else, or "" for nobody; the ``microphone`` hears that file, or the browser's own beeps;
    ``scripts`` run in each page before its own.
    """

    @asynccontextmanager
    async def visiting(
        path: str,
        *,
        microphone: Path | None = None,
        user: str | None = None,
        scripts: Sequence[str] = (),
        **how: Any,
    ) -> AsyncIterator[Page]:
        async with listening(microphone) as browser, await browser.new_context(**how) as context:
            for script in scripts:
                await context.add_init_script(script)
            user = next(_guests.setdefault(site.url, new_guests(site))) if user is None else user
            if user:
                await come_in(context, site, user)
            page = await context.new_page()
            await page.goto(f"{site.url}{path}")
            yield page

    return visiting


async def come_in(context: BrowserContext, site: Demo, user: str) -> None:
    """Log in, without looking at pages."""
    address = f"{site.url}/accounts/login/"
    await context.request.get(address)
    token = next(cookie["value"] for cookie in await context.cookies(address) if cookie["name"] == "csrftoken")
    form = {"username": user, "password": site.passwords[user], "csrfmiddlewaretoken": token}
    answer = await context.request.post(address, form=form, max_redirects=0)
    assert answer.status == HTTPStatus.FOUND


async def log_in(page: Page, site: Demo, user: str) -> None:
    """Fill in the form, as people do."""
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
