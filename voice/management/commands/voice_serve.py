"""``manage.py voice_serve``: one server process, which ends its conversations well when it is stopped."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from typing import Any

# Early, because it must come before anything else that uses Twisted.
import daphne.server  # noqa: F401  # isort: skip
from channels.routing import get_default_application
from django.core.management import BaseCommand, CommandError

from voice.conf import conf


class Command(BaseCommand):
    """Serves until SIGTERM or SIGINT."""

    help = "Serves ASGI_APPLICATION, pages and conversations, and lets conversations end well when it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--server", choices=("daphne", "uvicorn"), default="daphne", help="default: daphne")
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: 127.0.0.1).")
        parser.add_argument("--port", type=int, default=8000, help="Port to listen on (default: 8000).")
        parser.add_argument("--unix-socket", default="", help="Path of a socket to listen on instead.")

    def handle(self, *, server: str, host: str, port: int, unix_socket: str, **_: Any) -> None:
        application = get_default_application()
        where = unix_socket or f"{host}:{port}"
        serve = self._uvicorn if server == "uvicorn" else self._daphne
        if not serve(application, host, port, unix_socket, lambda: self._say(f"{server} serves at {where}.")):
            raise CommandError(f"{where} cannot be listened on.")

    def _daphne(self, application: Any, host: str, port: int, unix_socket: str, ready: Any) -> bool:
        from voice.serving.daphne import VoiceServer, endpoints

        server = VoiceServer(application, endpoints(host, port, unix_socket), conf().drain, ready)
        server.run()
        return not server.abort_start

    def _uvicorn(self, application: Any, host: str, port: int, unix_socket: str, ready: Any) -> bool:
        if find_spec("uvicorn") is None:
            raise CommandError("uvicorn is not installed: pip install -r project/requirements-uvicorn.txt")
        from voice.serving.uvicorn import VoiceServer

        # uvicorn sends itself the signal again when it has stopped. Then it ends the process as anything else does.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit())
        server = VoiceServer(application, conf().drain, ready, host=host, port=port, unix_socket=unix_socket)
        try:
            server.run()
        except SystemExit:
            return server.started
        return True

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
