"""The demonstration site with Redis, as a process that can be killed and started again at its address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests import ready_made
from tests.redis_server import RedisServer

START_LIMIT = 240.0
"""Seconds to migrate, to index the knowledge and to load the models, on a machine that does other things too."""
STOP_LIMIT = 60.0
KEY = "onlyGoodForTestsBecauseEverybodyCanReadIt00="


class Restartable:
    """A context manager, within which the process may be killed and started."""

    def __init__(self, folder: Path, redis: RedisServer, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._database = folder / "demo.sqlite3"
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{self._database}",
            "DJANGO_DEBUG": "true",
            "REDIS_URL": redis.url,
            "VOICE_RESUME_KEYS": KEY,
            **environment,
            "DJANGO_SETTINGS_MODULE": "tests.browser.patient",
        }
        self._log = folder / "demo.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Restartable:
        """Start it."""
        with ready_made.database(self._database, "demo"):
            self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave nothing behind."""
        self.stop(signal.SIGKILL)

    def start(self) -> None:
        """Returns when it answers."""
        program = [sys.executable, "manage.py", "demo", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(program, env=self.environment, stdout=log, stderr=log)
        until = time.monotonic() + START_LIMIT
        while not self._answers():
            assert time.monotonic() < until, self._log.read_text()
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.1)

    def stop(self, number: signal.Signals) -> None:
        """Returns when it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(STOP_LIMIT)

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/v1/voice/health")
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
