"""A place that error reports and metrics are sent to, and that keeps all it is sent."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, Self


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
                sink._take(self.path, _decompressed(body, self.headers.get("Content-Encoding")))
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


def _decompressed(body: bytes, encoding: str | None) -> bytes:
    if encoding == "br":  # Sentry prefers it where it is installed
        return bytes(import_module("brotli").decompress(body))
    return gzip.decompress(body) if encoding == "gzip" else body
