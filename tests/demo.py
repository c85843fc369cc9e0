"""The demonstration site as a visitor gets it: ``manage.py demo`` in a process of its own, warm and ready."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

READY_LIMIT = 120.0
"""Seconds to migrate, to index the knowledge and to load the models, on a machine that does other things too."""


@dataclass(frozen=True)
class Demo:
    """A running demonstration site."""

    url: str
    visitor_password: str


@contextmanager
def running(folder: Path, **overrides: str) -> Iterator[Demo]:
    """Start the demo with a database of its own in ``folder``; stop it by Ctrl-C.

    ``overrides`` are variables of its environment. It must leave no process behind.
    """
    port = _free_port()
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}", "DJANGO_DEBUG": "true"}
    environment |= {"DJANGO_SETTINGS_MODULE": "project.settings", **overrides}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    stuck = threading.Timer(READY_LIMIT, process.kill)
    stuck.start()
    try:
        printed = _until_ready(process)
        stuck.cancel()
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        password = re.search(r"visitor / (\S+)", printed)
        assert password, printed
        yield Demo(f"http://127.0.0.1:{port}", password[1])
    finally:
        stuck.cancel()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
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


def _drain(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for _ in process.stdout:
        pass  # a full pipe would stop the server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
