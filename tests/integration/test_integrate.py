"""Who follows ``voice/docs/integrate.md`` from an empty project has a conversation, and with the setting off nothing.

The document is followed once; what each test finds is what its commands and lines have made.
"""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import ports
from tests.client import Received, VoiceClient
from tests.document import TEXT, Follower

START_LIMIT = 120.0
"""Seconds until the server answers, on a machine that does other things too."""
PATIENCE = 60.0
DIALS = 20


class Project:
    """What somebody has who followed the document up to the server's start."""

    def __init__(self, folder: Path) -> None:
        self.follower = Follower(folder)
        self.command = self.follower.follow()
        """That starts the server."""
        self.password = re.findall(r"DJANGO_SUPERUSER_PASSWORD=(\S+)", TEXT)[0]

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address, while the server runs, started as the document does, on a port that is free."""
        port = ports.free()
        with (self.follower.directory / "server.log").open("ab") as log:
            server = subprocess.Popen(
                ["sh", "-c", f"exec {self.command} {port}"],
                cwd=self.follower.directory, env=self.follower.environment, stdout=log, stderr=log,
                start_new_session=True,  # it starts a process that it restarts when a file has changed
            )  # fmt: skip
        try:
            ports.wait(port, START_LIMIT)
            yield f"localhost:{port}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def log(self) -> str:
        return (self.follower.directory / "server.log").read_text()


@contextmanager
def visiting(project: Project, address: str) -> Iterator[httpx.Client]:
    """A browser that opened the page and logged in, by the page's link if it has one."""
    origin = f"http://{address}"
    with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=PATIENCE) as browser:
        links = re.findall(r'href="(/admin/login/[^"]*)"', browser.get("/").text)
        login = html.unescape(links[0]) if links else "/admin/login/?next=/"
        browser.get(login)
        form = {"username": "visitor", "password": project.password, "csrfmiddlewaretoken": csrf_token(browser)}
        assert browser.post(login, data=form).headers["Location"] == "/"
        yield browser


def csrf_token(browser: httpx.Client) -> str:
    return browser.cookies["csrftoken"]


def ticket(browser: httpx.Client) -> httpx.Response:
    return browser.post("/v1/voice/ticket", headers={"X-CSRFToken": csrf_token(browser)})


async def conversation(browser: httpx.Client, address: str, question: str) -> list[Received]:
    """A question, and all that followed. Who comes while the models load is told to try again, as the document says."""
    for _ in range(DIALS):
        given = ticket(browser).json()
        async with VoiceClient(f"ws://{address}{given['url']}", given["ticket"], origin=f"http://{address}") as client:
            first = await client.first("session.ready", "session.ending", within=PATIENCE)
            if first.type == "session.ready":
                await client.ask(question)
                await client.until("turn.done", PATIENCE)
                await client.end()
                return client.received
            assert first["reason"] == "upstream_timeout"
    raise AssertionError(f"the models were not there after {DIALS} dials")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("integrate"))


def test_a_project_that_followed_it_has_no_complaints(project: Project) -> None:
    assert "System check identified no issues (0 silenced)." in project.follower.said


async def test_a_visitor_logs_in_by_the_link_and_has_a_conversation(project: Project) -> None:
    with project.served() as address, visiting(project, address) as browser:
        assert "<voice-widget" in browser.get("/").text
        received = await conversation(browser, address, "When do you open?")
    done = next(frame for frame in received if frame.type == "turn.done")
    assert done["outcome"] == "completed"
    assert any(frame.type == "transcript.assistant" for frame in received)
    assert sum(len(frame.pcm) for frame in received) > 24_000  # half a second of speech
    assert received[-1]["reason"] == "client_hangup"
    assert "Traceback" not in project.log()


async def test_with_the_setting_off_the_page_is_as_before_and_nobody_gets_in(project: Project) -> None:
    project.follower.write("mysite/settings.py", ["ENABLE_VOICE_REALTIME = False"])
    with project.served() as address, visiting(project, address) as browser:
        page = browser.get("/").text
        refused = ticket(browser)
        async with VoiceClient(f"ws://{address}/v1/ws/voice", "whatever", origin=f"http://{address}") as client:
            ending = await client.ending()
    assert "<h1>Opening hours</h1>\n\n</body>" in page
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "disabled")
    assert (ending["code"], ending["reason"]) == (4503, "disabled")
