"""What is measured: the site itself, and what it is compared with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import ports
from tests.load.processes import Server
from tests.load.visitors import Dialect
from tests.redis_server import RedisServer
from tests.several.site import DEPLOYED

_SITE = {
    **DEPLOYED,
    "DJANGO_SETTINGS_MODULE": "tests.load.many",
    "TEST_APPLICATION": "tests.load.measured.application",
    "ENABLE_VOICE_REALTIME": "true",
    "OPENAI_API_KEY": "sk-test",
}
_VISITOR = """
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from voice.tokens import access_token
call_command("migrate", verbosity=0)
print(access_token(User.objects.create_user("visitor")))
"""


@dataclass(frozen=True)
class Target:
    """A server that stands between visitors and the upstream. ``command`` has the fields ``port`` and ``upstream``."""

    name: str
    command: list[str]
    dialect: Dialect
    path: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)

    def start(self, upstream_port: int, log: Path) -> tuple[Server, str]:
        """The server, and where visitors dial."""
        port, upstream = ports.free(), f"ws://127.0.0.1:{upstream_port}/v1/realtime?model=gpt-realtime"
        command = [each.format(port=port, upstream=upstream) for each in self.command]
        ours = {"LOAD_UPSTREAM": upstream, "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1"}
        server = Server(command, {**os.environ, **self.environment, **ours}, port, log)
        return server, f"ws://127.0.0.1:{port}{self.path}"


@contextmanager
def targets(server: str, folder: Path) -> Iterator[dict[str, Target]]:
    """All of them, by name; the site and the tutorial's consumer on this server."""
    python = sys.executable
    relays = [
        Target("relay", [python, "-m", "tests.load.relay_aiohttp", "{port}", "{upstream}"], "events"),
        Target("picows", [python, "-m", "tests.load.relay_picows", "{port}", "{upstream}"], "binary"),
    ]
    tutorial = {
        "daphne": [python, "-m", "daphne", "-v", "0", "-p", "{port}", "tests.load.tutorial:application"],
        "uvicorn": [
            *(python, "-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "--lifespan", "off"),
            *("--ws", "websockets-sansio", "tests.load.tutorial:application"),
        ],
    }  # fmt: skip
    with RedisServer() as redis:
        shared = {**_SITE, "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}", "REDIS_URL": redis.url}
        made = [python, "-c", _VISITOR]
        token = subprocess.run(made, env={**os.environ, **shared}, check=True, stdout=subprocess.PIPE, text=True).stdout
        serve = [python, "manage.py", "voice_serve", "--server", server, "--port", "{port}"]
        everything = [
            Target("bridge", serve, "voice", "/v1/ws/voice", shared, token.strip()),
            *relays,
            Target("tutorial", tutorial[server], "binary", environment=shared),
        ]
        yield {target.name: target for target in everything}
