"""``voice/docs/deployment.md``: who has the app by ``integrate.md`` and follows it has nothing left to set."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from project.settings import env
from tests.document import Follower, blocks

ROOT = Path(settings.BASE_DIR)
DOCUMENT = (ROOT / "voice/docs/deployment.md").read_text()
OWN = [block for block in blocks(DOCUMENT) if block.heading == "A project of your own"]
SERVER = {
    "ENABLE_VOICE_REALTIME": "true",
    "JWT_SIGNING_KEY": "only-good-for-tests-because-everybody-can-read-it",
    "OPENAI_API_KEY": "only-good-for-tests",
    "REDIS_URL": "redis://redis.example:6379/0",
    "VOICE_RESUME_KEYS": "onlyGoodForTestsBecauseEverybodyCanReadIt00=",
    "VOICE_SPOOL": "/var/lib/voice/spool",
    "WEB_CONCURRENCY": "2",
}
SITE = ["DEBUG = False", "SECRET_KEY = '0123456789' * 5", "ALLOWED_HOSTS = ['www.example.org']"]
"""What a project that is served already has said."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Follower:
    """With the lines of both documents."""
    follower = Follower(tmp_path_factory.mktemp("own"))
    follower.run("django-admin startproject mysite && cp -r voice/voice mysite/ && cd mysite\n")
    for block in blocks():
        if block.heading == "The eight lines" and block.path:
            follower.write(block.path, block.lines)
    follower.write("mysite/settings.py", SITE)
    for block in OWN:
        follower.write(block.path, block.lines)
    return follower


def check(project: Follower, **environment: str) -> str:
    """What ``check --deploy`` says of voice there."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=project.directory, env=project.environment | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "System check identified" in done.stdout + done.stderr, done.stderr
    return "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "voice." in line)


def test_a_project_of_ones_own_has_nothing_left_to_set(project: Follower) -> None:
    assert check(project, **SERVER) == ""


def test_and_would_be_told(project: Follower) -> None:
    assert "voice.W001" in check(project, **(SERVER | {"OPENAI_API_KEY": ""}))


def test_its_variables_are_those_of_the_example() -> None:
    (block,) = OWN
    example = (ROOT / ".env.example").read_text()
    for name in [*SERVER][:-1]:
        assert f'"{name}"' in block.code
        assert f"{name}=" in example


def test_what_is_to_be_filled_in_on_a_machine_are_variables_of_this_project() -> None:
    code = "".join(block.code for block in blocks(DOCUMENT) if block.heading == "On a machine")
    named = {*re.findall(r"^([A-Z_]+)=", code, re.MULTILINE)}
    assert "DATABASE_URL" in named
    assert named <= {*env.dump()}
