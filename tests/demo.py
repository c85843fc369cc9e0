"""The demonstration site as a visitor gets it: ``manage.py demo`` in a process of its own, warm and ready."""

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import ports, ready_made

READY_LIMIT = 240.0
"""Seconds to migrate, to index the knowledge and to load the models, on a machine that does other things too."""
STOP_LIMIT = 60.0
"""Seconds from Ctrl-C to its end, on a machine that does other things too."""


@dataclass(frozen=True)
class Demo:
    """A running demonstration site."""

    url: str
    passwords: dict[str, str] = field(repr=False)
    """Of its users, by name: ``visitor``, ``staff``, and who was added."""
    environment: dict[str, str] = field(repr=False)

    def add_user(self, name: str) -> str:
        """Somebody new, who has not talked yet. Returns the name."""
        return self.add_users([name])[0]

    def add_users(self, names: list[str]) -> list[str]:
        """Several at once. Returns the names."""
        new = {name: secrets.token_urlsafe() for name in names}
        created = f"[User.objects.create_user(name, password=word) for name, word in {new!r}.items()]"
        self.manage("shell", "-c", f"from django.contrib.auth.models import User; {created}")
        self.passwords.update(new)
        return names

    def manage(self, *command: str) -> None:
        """Run a command of ``manage.py`` beside it."""
        program = [sys.executable, "manage.py", *command]
        subprocess.run(program, env=self.environment, check=True, capture_output=True)


@contextmanager
def running(folder: Path, *, port: int | None = None, **overrides: str) -> Iterator[Demo]:
    """Start the demo with the database in ``folder``, by default a new one; stop it by Ctrl-C.

    ``port`` is a free one by default; ``overrides`` are variables of its environment. It must leave no process behind.
    """
    port = port or ports.free()
    database = folder / "demo.sqlite3"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}", "DJANGO_DEBUG": "true"}
    environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONFAULTHANDLER": "1", **overrides}
    making = ExitStack()
    making.enter_context(ready_made.database(database, "demo"))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    stuck = threading.Timer(READY_LIMIT, process.kill)
    stuck.start()
    try:
        with making:
            printed = _until_ready(process)
        stuck.cancel()
        last_words: deque[str] = deque(maxlen=200)
        reader = threading.Thread(target=_drain, args=(process, last_words), daemon=True)
        reader.start()
        passwords = dict(re.findall(r"(\w+) / (\S+)", printed))
        assert passwords.keys() == {"visitor", "staff"}, printed
        yield Demo(f"http://127.0.0.1:{port}", passwords, environment)
    finally:
        stuck.cancel()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # it says where each of its threads stands
            process.wait(STOP_LIMIT)
            reader.join()
            raise AssertionError(f"the demo did not stop:\n{''.join(last_words)}") from None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def _until_ready(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            return printed
    raise AssertionError(f"the demo did not start:\n{printed}")


def _drain(process: "subprocess.Popen[str]", last_words: deque[str]) -> None:
    """Read on: a full pipe would stop the server."""
    assert process.stdout is not None
    last_words.extend(process.stdout)
