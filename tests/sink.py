"""A place that error reports and metrics are sent to, and that keeps all it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import brotli

DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}


class Sink:
    """An HTTP server on a free port that takes everything. A context manager."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        """Path and body, decompressed, of each request."""
        self._something = threading.Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                # Any other encoding is a KeyError: what cannot be read must not pass for silence.
                decompress = DECOMPRESS[self.headers.get("Content-Encoding", "identity")]
                sink._take(self.path, decompress(body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def text(self) -> str:
        """All that was sent."""
        return "\n".join(f"{path}\n{body.decode('utf-8', 'backslashreplace')}" for path, body in self.taken)

    def wait(self, count: int, within: float = 10.0) -> None:
        """Until so many requests came."""
        with self._something:
            assert self._something.wait_for(lambda: len(self.taken) >= count, within), self.text

    def _take(self, path: str, body: bytes) -> None:
        with self._something:
            self.taken.append((path, body))
            self._something.notify_all()
