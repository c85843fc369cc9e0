"""``manage.py voice_flag on|off|status``: the staff's switch, without the admin."""

from __future__ import annotations

import getpass
import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from voice import gate, live
from voice.models import VoiceLiveSettings, VoiceSession


class Command(BaseCommand):
    """Flips the switch as the admin does, with the same trace."""

    help = "Switches the assistant on or off for the whole site, while it runs, or says how it is."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and why."""
        parser.add_argument("what", choices=["on", "off", "status"])
        parser.add_argument("--reason", default="", help="For those who read the changes later.")

    def handle(self, *args: Any, what: str, reason: str, **options: Any) -> None:
        """Do it, and say how things are."""
        if what != "status":
            row = live.row()
            row.enabled = what == "on"
            changes = live.save(row, by=_who(), reason=reason[:200])
            self.stdout.write(f"Switched {what}." if changes else f"It was {what} already.")
        self._report()

    def _report(self) -> None:
        found, master = live.read(), gate.flag().master()
        self.stdout.write(f"The site's setting: {_word(master)}. The staff's switch: {_word(found.enabled)}.")
        if not found.enabled and (flip := live.last_flip()):
            self.stdout.write(f"Switched off at {flip.at:%Y-%m-%d %H:%M} UTC by {flip.by}. {flip.reason}".rstrip())
        if not (master and found.enabled):
            self.stdout.write("Nobody can talk.")
        else:
            self.stdout.write(f"Let in: {_share(live.row())}.")
        self.stdout.write(f"Open sessions: {VoiceSession.objects.filter(ended_at=None).count()}.")


def _share(row: VoiceLiveSettings) -> str:
    people = f"the group {row.group.name}" if row.group else "all users"
    return f"{row.percent} % of {people}{', and staff' if row.staff else ''}"


def _word(on: bool) -> str:
    return "on" if on else "off"


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user without a name
        return socket.gethostname()
