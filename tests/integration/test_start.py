"""What the app costs a site that does not use it, and one where nobody talks: nothing is loaded, opened or started."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

START_MS = 30.0
"""Of CPU, by the app's own modules, as Django starts."""

# Where nothing listens: whoever dials is seen, and gets no answer.
SERVICES = {
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "WEAVIATE_URL": "http://127.0.0.1:9",
    "OPENAI_API_KEY": "only-good-for-tests",
    "OPENAI_BASE_URL": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a site that has everything but visitors."""
    database = tmp_path_factory.mktemp("start") / "start.sqlite3"
    environment = {
        **os.environ,
        **SERVICES,
        "DATABASE_URL": f"sqlite:///{database}",
        "DJANGO_DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    python("manage.py", "migrate", "-v0", environment=environment)
    return environment


def python(*arguments: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=120
    )


def visited(site: dict[str, str], *arguments: str, enabled: bool) -> dict[str, Any]:
    environment = {**site, "ENABLE_VOICE_REALTIME": str(enabled).lower()}
    told: dict[str, Any] = json.loads(
        python("-m", "tests.integration.visit", *arguments, environment=environment).stdout
    )
    return told


def quiet(told: dict[str, Any]) -> dict[str, Any]:
    """The part that says what is loaded, open and running."""
    return {name: told[name] for name in ("clients", "connections", "new_sockets", "tasks", "threads")}


NOTHING = {"clients": [], "connections": [], "new_sockets": 0, "tasks": 0, "threads": ["MainThread"]}


def test_switched_off_it_tells_whoever_asks_and_nothing_is_loaded_connected_or_started(site: dict[str, str]) -> None:
    told = visited(site, "change-a-user", enabled=False)

    assert told["page"]["status"] == 200
    assert "voice" not in told["page"]["text"].partition("</footer>")[2]  # where the tag is
    assert told["ticket"]["status"] == 403
    assert json.loads(told["ticket"]["text"])["error"]["code"] == "disabled"
    accepted, ending, closed = told["socket"]
    assert accepted["type"] == "websocket.accept"
    assert json.loads(ending["text"])["reason"] == "disabled"
    assert closed == {"type": "websocket.close", "code": 4503}
    assert json.loads(told["alive"]["text"])["enabled"] is False
    assert quiet(told) == NOTHING


def test_switched_on_nothing_is_connected_before_somebody_talks(site: dict[str, str]) -> None:
    told = visited(site, enabled=True)

    assert "voice-login" in told["page"]["text"]
    assert told["ticket"]["status"] == 401
    assert told["socket"][-1] == {"type": "websocket.close", "code": 4401}
    assert json.loads(told["alive"]["text"])["enabled"] is True
    # The socket asked whether staff have switched it off, which the database knows; and two refusals were written down.
    assert quiet(told) == {**NOTHING, "threads": ["MainThread", "voice-database_0", "voice-turned-away_0"]}


def test_its_modules_are_loaded_in_no_time(site: dict[str, str]) -> None:
    """By ``-X importtime``, without what they import of others. That is a clock, not CPU: others use the machine too,
    so each module's best of some starts counts."""
    best: dict[str, int] = {}
    for _ in range(10):
        said = python("-X", "importtime", "-c", "import project.asgi", environment=site).stderr
        for microseconds, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(voice[.\w]*)$", said, re.MULTILINE):
            best[name] = min(int(microseconds), best.get(name, sys.maxsize))
        milliseconds = sum(best.values()) / 1000
        if milliseconds <= START_MS:
            break
    print(f"\n{len(best)} modules of voice in {milliseconds:.1f} ms (allowed: {START_MS:.0f})")
    for name in sorted(best, key=best.__getitem__, reverse=True)[:5]:
        print(f"  {best[name] / 1000:.1f} ms {name}")
    assert "voice.routing" in best
    assert "voice.consumers" not in best
    assert milliseconds <= 3 * START_MS
