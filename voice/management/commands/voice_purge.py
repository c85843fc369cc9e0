"""``manage.py voice_purge``: what was said is kept for the days that the site says, and not longer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from voice import retention
from voice.conf import conf
from voice.management.progress import Progress


class Command(BaseCommand):
    """May be stopped at any time: the next run goes on."""

    help = "Deletes transcripts that are older than VOICE['RETENTION_DAYS']. Run it once a day, from a timer."

    def add_arguments(self, parser: CommandParser) -> None:
        """How much is done."""
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be deleted.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        """Delete what is old."""
        days = conf().retention_days
        count = retention.expired(days).count()
        if dry_run:
            self.stdout.write(f"{count} transcripts are older than {days} days and would be deleted.")
            return
        progress = Progress(self.stdout, redraw=self.stdout.isatty())
        done = retention.purge(days, lambda done: progress("transcripts", done / max(done, count)))
        progress.clear()
        self.stdout.write(f"{done} transcripts older than {days} days deleted.")
