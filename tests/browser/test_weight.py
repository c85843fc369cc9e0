"""What the widget costs a page: its bytes as served, and what is loaded before anybody wants it."""

import asyncio
import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Visit

MOST_BYTES = 40_000
STATIC = Path(__file__).resolve().parents[2] / "voice/static/voice"
NOT_SERVED = {"react.js", "login.css", "statistics.css"}
"""The first is for those who bundle it, the others stand on pages without the widget."""
THE_ELEMENT = {
    "widget.js", "widget.css", "accent.js", "captions.js", "consent.js", "dom.js", "icons.js",
    "interrupted.js", "links.js", "push.js", "state.js", "status.js", "talk.js", "transcript.js", "view.js", "words.js",
}  # fmt: skip
THE_PAGE = {"/", "/static/demo/site.css", "/static/demo/wheel.svg", "/static/demo/shore.svg"}


def test_all_of_the_widget_weighs_at_most_40_kb(collected: dict[str, str]) -> None:
    """As a server sends it: collected, renamed and compressed."""
    folder = Path(collected["STATIC_ROOT"]) / "voice"
    weights = {coding: [_weight(path, coding) for path in _hashed(folder)] for coding in ("br", "gz")}
    brotli, total = sum(weights["br"]), sum(weights["gz"])
    print(f"{total:,} bytes in {len(weights['gz'])} files with gzip, {brotli:,} with brotli")
    assert MOST_BYTES / 4 < brotli < total <= MOST_BYTES


def _weight(path: Path, coding: str) -> int:
    packed = path.with_name(f"{path.name}.{coding}")
    return (packed if packed.exists() else path).stat().st_size


def _hashed(folder: Path) -> list[Path]:
    """The files that pages refer to: each under the name with its hash."""
    names = {path.relative_to(STATIC) for path in STATIC.rglob("*") if path.suffix in {".js", ".css"}}
    wanted = [name for name in names if name.name not in NOT_SERVED]
    return [next((folder / name.parent).glob(f"{name.stem}.????????????{name.suffix}")) for name in wanted]


@pytest.mark.asyncio(loop_scope="session")
async def test_before_the_first_press_only_the_element_itself_is_loaded(visit: Visit) -> None:
    """Also if somebody passes by with the mouse, or with the tab key."""
    asked: set[str] = set()
    async with visit("/") as page:
        page.on("request", lambda request: asked.add(urlsplit(request.url).path))
        page.on("websocket", lambda socket: asked.add(urlsplit(socket.url).path))
        await page.reload()
        launcher = page.get_by_role("button", name="Ask a question")
        await launcher.hover()
        await launcher.focus()
        await page.wait_for_timeout(500)
        loaded = _of_the_widget(asked)
        assert {_unhashed(path) for path in asked if not path.startswith("/static/voice/")} == THE_PAGE
        weight = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in loaded)
        print(f"{len(loaded)} files, {weight:,} bytes compressed: {', '.join(sorted(loaded))}")
        assert loaded == THE_ELEMENT
        await launcher.click()
        async with asyncio.timeout(10):
            while "client.js" not in _of_the_widget(asked):
                await page.wait_for_timeout(20)


def _of_the_widget(paths: set[str]) -> set[str]:
    """The widget's files among these, by the names that they have in the checkout."""
    return {_unhashed(path).removeprefix("/static/voice/") for path in paths if path.startswith("/static/voice/")}


def _unhashed(path: str) -> str:
    return re.sub(r"\.[0-9a-f]{12}\.", ".", path)
