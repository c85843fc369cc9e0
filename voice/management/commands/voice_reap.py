"""``manage.py voice_reap``: sessions that a killed server left open are ended."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from voice import wiring
from voice.reaper import reap


class Command(BaseCommand):
    """May run at any time and anywhere; what somebody else has ended is left alone."""

    help = (
        "Ends the sessions that a killed server left open, and brings to the database what had to wait for it. Every "
        "server process does this while it has conversations; run it from a timer for the time in between."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """One round."""
        done = reap(wiring.spool())
        self.stdout.write(f"{done.replayed} records replayed, {done.lost} sessions of lost servers ended.")
