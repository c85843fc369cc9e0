"""A site to talk with, in a process of its own, as a program sees it: an address, a token, and what it recorded."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import demo

Row = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A running site. Everything is warm: the first conversation is as fast as the tenth."""

    url: str
    """Of the conversations' socket."""
    token: str
    """A visitor's, good for two hours."""
    database: Path

    def session(self, session_id: str) -> Row:
        """The record of a session."""
        return self._rows("SELECT * FROM voice_voicesession WHERE id = ?", session_id)[0]

    async def ended(self, session_id: str) -> Row:
        """The record of a session, when its end is there; for ends that nobody is told of."""
        async with asyncio.timeout(5):
            while not (row := self.session(session_id))["ended_at"]:  # noqa: ASYNC110 (it is another process)
                await asyncio.sleep(0.05)
        return row

    def turns(self, session_id: str) -> list[Row]:
        """The records of its turns, in order."""
        rows = self._rows("SELECT * FROM voice_voiceturn WHERE session_id = ? ORDER BY number", session_id)
        return [{**row, **{name: json.loads(row[name]) for name in ("marks", "searches", "sources")}} for row in rows]

    def _rows(self, query: str, session_id: str) -> list[Row]:
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, (session_id,))]


@contextmanager
def running(folder: Path, **overrides: str) -> Iterator[Site]:
    """``manage.py demo`` with a database of its own in ``folder``; ``overrides`` are variables of its environment::

    with server.running(tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=upstream.url) as site:
        async with VoiceClient(site.url, site.token) as client: ...
    """
    environment = {"DJANGO_SETTINGS_MODULE": "tests.site", **overrides}
    with demo.running(folder, **environment) as running_demo:
        database = folder / "demo.sqlite3"
        token = _token({**os.environ, **environment, "DATABASE_URL": f"sqlite:///{database}", "DJANGO_DEBUG": "true"})
        yield Site(running_demo.url.replace("http", "ws") + "/v1/ws/voice", token, database)


def _token(environment: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", "voice_token", "visitor"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()
