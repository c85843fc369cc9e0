"""The processes of a measurement, and what the kernel says of one: its CPU time and its memory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_LIMIT = 60.0
"""Seconds until a server takes connections."""
TOLD_LIMIT = 5.0
"""Seconds until it tells of its event loop."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Helper:
    """One of our own modules, which is spoken with in lines."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,  # Ctrl-C is for whoever started it
        )

    def say(self, line: str) -> None:
        """Write a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """The next line, which is JSON.

        Raises:
            ValueError: it has ended instead.
        """
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


class Server:
    """A process that is measured. It serves at ``port``, and writes to ``log``."""

    def __init__(self, command: list[str], environment: Mapping[str, str], port: int, log: Path) -> None:
        self._lag, self._inside = log.with_suffix(".lag"), log.with_suffix(".inside")
        self._log = log
        with log.open("ab") as output:
            everything = {**environment, "LOAD_LAG": str(self._lag), "LOAD_INSIDE": str(self._inside)}
            self._process = subprocess.Popen(command, env=everything, stdout=output, stderr=output, process_group=0)
        try:
            self._wait(port)
        except BaseException:
            self.end()
            raise

    @property
    def cpu_ms(self) -> float:
        """That it has used so far, in the kernel too."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / _TICKS

    @property
    def rss_kib(self) -> int:
        """Memory that it holds."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def lag_ms(self) -> dict[str, float]:
        """How late its event loop was since this was asked last."""
        return self._told(signal.SIGUSR1, self._lag)

    def holdings(self) -> dict[str, int]:
        """What it holds, by kind: see :mod:`tests.load.leaks`."""
        files = [os.readlink(each) for each in Path(f"/proc/{self._process.pid}/fd").iterdir() if each.is_symlink()]
        threads = len(list(Path(f"/proc/{self._process.pid}/task").iterdir()))
        sockets = sum(each.startswith("socket:") for each in files)
        inside = self._told(signal.SIGUSR2, self._inside)
        return {"sockets": sockets, "files": len(files), "threads": threads, **inside, "rss_kib": self.rss_kib}

    def _told(self, asked: signal.Signals, path: Path) -> dict[str, Any]:
        path.unlink(missing_ok=True)
        self._process.send_signal(asked)
        until = time.monotonic() + TOLD_LIMIT
        while not path.exists():
            if time.monotonic() > until:
                return {}
            time.sleep(0.01)
        told: dict[str, Any] = json.loads(path.read_text())
        return told

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _wait(self, port: int) -> None:
        until = time.monotonic() + START_LIMIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"a server does not start:\n{self._log.read_text()}") from None
                time.sleep(0.02)


@contextmanager
def ended(*processes: Helper | Server) -> Iterator[None]:
    """They end with the block."""
    try:
        yield
    finally:
        for process in processes:
            process.end()
