"""``manage.py demo``: a whole site to talk with, on this machine, for this machine only."""

from __future__ import annotations

import secrets
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

# Early, because it must come before anything else that uses Twisted. Its loop is the one that the server will run on,
# so what is warmed up on it stays usable.
from daphne.server import twisted_loop  # isort: skip
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import BaseCommand, CommandError, call_command

from project import BASE_DIR
from voice import wiring
from voice.conf import conf
from voice.knowledge import loading
from voice.management import progress
from voice.protocol.drain import DrainPolicy
from voice.serving.daphne import VoiceServer, endpoints

HOST = "127.0.0.1"
CTRL_C_SECONDS = 3.0
"""Seconds, after Ctrl-C, for exchanges that are going on to come to their end."""
SAMPLE = Path(__file__).resolve().parents[2] / "knowledge"
PROVIDERS: dict[str | None, str] = {"local": "listens and speaks on this machine, offline", "openai": "OpenAI Realtime"}


class Command(BaseCommand):
    """Prepares everything and serves it until Ctrl-C."""

    help = "Starts a demonstration site on this machine, with sample knowledge and two users."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port on the loopback address (default: 8000).")

    def handle(self, *, port: int, **_: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo prints passwords, so it does not start with the settings of a server.")
        _require_free(port)
        settings.ENABLE_VOICE_REALTIME = True
        try:
            self._prepare()
            self._serve(port, {name: _user(name) for name in ("visitor", "staff")})
        except KeyboardInterrupt:
            pass
        self.stdout.write("\n  Goodbye.")

    def _prepare(self) -> None:
        self.stdout.write(f"\n  {self.style.MIGRATE_HEADING('Vélo Rivage, a site to talk with')}\n")
        for message in run_checks(tags=["voice"]):
            self.stdout.write(self.style.WARNING(f"  ! {message.msg}\n    {message.hint}"))
        call_command("migrate", verbosity=0, interactive=False)
        self._done("Database", str(settings.DATABASES["default"]["NAME"]).removeprefix(f"{BASE_DIR}/"))
        entries = [entry for path in sorted(SAMPLE.glob("*.json")) for entry in loading.read(path)]
        loading.load(entries)
        self._done("Knowledge", f"{len(entries)} articles in English and French")
        if conf().knowledge.backend == "weaviate":
            self.stdout.write(self.style.WARNING("  ! Weaviate is searched; manage.py voice_sync puts them there"))
        self._warm_up()

    def _warm_up(self) -> None:
        began = time.monotonic()
        shown = progress.Progress(sys.stdout, redraw=sys.stdout.isatty())
        twisted_loop.run_until_complete(wiring.warm_up(shown))
        shown.clear()
        self._done("Assistant", f"{PROVIDERS[conf().provider]} (warm after {time.monotonic() - began:.1f} s)")

    def _serve(self, port: int, passwords: dict[str, str]) -> None:
        from project.asgi import application

        site = f"http://{HOST}:{port}/"

        def ready() -> None:
            self.stdout.write(f"\n  Open      {self.style.SUCCESS(site)}   (en français : {site}fr/)")
            for name, password in passwords.items():
                where = f"{site}admin/" if name == "staff" else ""
                self.stdout.write(f"  {name.title():<10}{name} / {password}   {where}".rstrip())
            self.stdout.write("\n  Ctrl-C ends it.")
            self.stdout.flush()

        VoiceServer(application, endpoints(HOST, port), DrainPolicy(seconds=CTRL_C_SECONDS), ready).run()

    def _done(self, what: str, how: str) -> None:
        self.stdout.write(f"  {self.style.SUCCESS('✓')} {what:<11}{how}")
        self.stdout.flush()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}). Try --port {port + 1}.") from error


def _user(name: str) -> str:
    """The password of the user ``name``, which is a new one at every start."""
    password = secrets.token_urlsafe(9)
    user, _ = get_user_model().objects.get_or_create(username=name)
    user.is_staff = user.is_superuser = name == "staff"
    user.set_password(password)
    user.save()
    return password
