"""``tests/run`` says in one sentence what is not there, and runs nothing then."""

import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def run(*arguments: str) -> tuple[int, str, str]:
    """Its exit code, and what it says on either stream."""
    done = subprocess.run(
        ["sh", "tests/run", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_python_that_is_not_there_is_named() -> None:
    said = "tests/run: there is no Python 3.99 here, so nothing was run on it.\n"
    assert run("--python", "3.99", "unit") == (0, "", said)


def test_which_python_has_to_be_said() -> None:
    assert run("--python") == (1, "", "tests/run: which Python?\n")


@pytest.mark.parametrize("part", ["nonsense", "units"])
def test_who_asks_for_a_part_that_is_none_is_told_how_to_ask(part: str) -> None:
    code, said, _ = run(part)
    assert code == 2
    assert "tests/run unit js" in said
