"""Client processes, each with many clients, who all dial at the same instant."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

Call = tuple[str, list[str], str | None]
"""Address, what is offered as subprotocols, and the origin of the page."""
Told = tuple[str | None, int | None]
"""The reason that a client was told, and the code that its connection was closed with; None: nothing of the kind."""

PATIENCE = 60.0
"""Seconds until all but the survivors are told, on a machine that does other things too."""


def dial(calls: Sequence[Call], processes: int, survivors: int) -> list[Told]:
    """What came of each call, in their order. When all but the ``survivors`` are over, these hang up."""
    crowd = [_Clients(calls[n::processes]) for n in range(processes)]
    for clients in crowd:
        clients.expect("ready")
    for clients in crowd:
        clients.go()
    until = time.monotonic() + PATIENCE
    while sum(len(clients.told) for clients in crowd) < len(calls) - survivors and time.monotonic() < until:
        time.sleep(0.05)
    for clients in crowd:
        clients.hang_up()
    return [crowd[n % processes].told.get(n // processes, (None, None)) for n in range(len(calls))]


class _Clients:
    def __init__(self, calls: Sequence[Call]) -> None:
        self.told: dict[int, Told] = {}
        command = [sys.executable, "-m", "tests.several.dial"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._say(json.dumps(calls))

    def expect(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == word

    def go(self) -> None:
        self._reader.start()
        self._say("go")

    def hang_up(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self._process.kill()
        self._reader.join()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        stdout: Any = self._process.stdout
        for line in stdout:
            n, reason, code = json.loads(line)
            self.told[n] = (reason, code)
