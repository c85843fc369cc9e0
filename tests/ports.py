"""Ports of this machine: one that is free, and one at which a server shall answer."""

import socket
import time


def free() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(port: int, seconds: float) -> None:
    """Until somebody can connect. Raises ``AssertionError`` after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until, f"nobody listens at port {port}"
            time.sleep(0.05)
