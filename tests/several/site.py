"""A site that several processes serve, with one database and one Valkey."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tests import ports, ready_made
from tests.redis_server import RedisServer

START_LIMIT = 60.0
ORIGIN = "http://localhost"
DEPLOYED = {
    "DJANGO_DEBUG": "false",
    "DJANGO_SECRET_KEY": "of a site that is measured and gone in a minute or two",
    "JWT_SIGNING_KEY": "of a site that is measured and gone in a minute or two",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1,localhost",
}
"""The environment of a server, where a checkout's would be measured otherwise: debugging, Django keeps each query."""

_PEOPLE = """
import json, sys
import django
django.setup()
from django.contrib.auth.models import User
from voice.tokens import access_token, mint
tickets, users = int(sys.argv[1]), [User.objects.create_user(name) for name in sys.argv[2:]]
print(json.dumps([[u.pk, access_token(u), [mint(u, "http://localhost") for _ in range(tickets)]] for u in users]))
"""


@dataclass
class Process:
    """One server process."""

    port: int
    environment: dict[str, str] = field(repr=False)
    log: Path
    server: str
    unix_socket: Path | None = None
    """Where it listens, if not at its port."""
    popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its socket."""
        return f"ws://127.0.0.1:{self.port}/v1/ws/voice"

    @property
    def where(self) -> str:
        """Its socket's path, or its port."""
        return str(self.unix_socket or self.port)

    def start(self) -> None:
        """Start it. :meth:`wait` returns when it answers."""
        option = "--unix-socket" if self.unix_socket else "--port"
        command = [sys.executable, "manage.py", "voice_serve", "--server", self.server, option, self.where]
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until somebody can connect."""
        until = time.monotonic() + START_LIMIT
        while True:
            try:
                self._connect().close()
                return
            except OSError:
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.05)

    def _connect(self) -> socket.socket:
        if self.unix_socket is None:
            return socket.create_connection(("127.0.0.1", self.port), 1)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.unix_socket))
        return connection

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.popen is not None
        self.popen.send_signal(number)
        if number is signal.SIGKILL:
            self.popen.wait()


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    pk: int
    token: str = field(repr=False)
    tickets: list[str] = field(repr=False)


@dataclass(frozen=True)
class Site:
    """The processes, and what they share."""

    processes: list[Process]
    redis: RedisServer
    database: Path

    def people(self, *names: str, tickets: int = 0) -> list[Person]:
        """These people, each with so many new tickets of pages of ``ORIGIN``."""
        command = [sys.executable, "-c", _PEOPLE, str(tickets), *names]
        run = subprocess.run(command, env=self.processes[0].environment, check=True, capture_output=True, text=True)
        return [Person(*person) for person in json.loads(run.stdout)]

    def reasons(self, person: Person) -> list[str]:
        """How each of the person's recorded sessions ended, oldest first."""
        query = "SELECT end_reason FROM voice_voicesession WHERE user_id = ? ORDER BY started_at"
        with closing(sqlite3.connect(self.database)) as connection:
            return [row[0] for row in connection.execute(query, (person.pk,))]

    def log(self) -> str:
        """What the processes have written."""
        return "".join(process.log.read_text() for process in self.processes)


@contextmanager
def running(
    folder: Path,
    processes: int,
    server: str = "daphne",
    *,
    application: str = "project.asgi.application",
    unix_sockets: bool = False,
    redis: RedisServer | None = None,
    own: Sequence[Mapping[str, str]] = (),
    **overrides: str,
) -> Iterator[Site]:
    """Start them all, with a new database in ``folder``; ``overrides`` are variables of their environment.

    ``redis`` is one that runs already, ``own`` each process's own variables, on top of everybody's.
    """
    database = folder / "several.sqlite3"
    with nullcontext(redis) if redis else RedisServer() as redis:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.several.settings",
            "DJANGO_DEBUG": "true",
            "DATABASE_URL": f"sqlite:///{database}",
            "REDIS_URL": redis.url,
            "ENABLE_VOICE_REALTIME": "true",
            "OPENAI_API_KEY": "sk-test",
            "TEST_APPLICATION": application,
            **overrides,
        }
        with ready_made.database(database, "several"):
            if not database.exists():
                subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True)
        environments = [environment | (own[n] if own else {}) for n in range(processes)]
        all_of_them = [
            Process(ports.free(), its_own, folder / f"{n}.log", server) for n, its_own in enumerate(environments)
        ]
        for n, process in enumerate(all_of_them):
            process.unix_socket = folder / f"{n}.sock" if unix_sockets else None
        try:
            for process in all_of_them:
                process.start()
            for process in all_of_them:
                process.wait()
            yield Site(all_of_them, redis, database)
        finally:
            for process in all_of_them:
                process.send(signal.SIGKILL)
