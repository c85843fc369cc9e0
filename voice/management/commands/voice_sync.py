"""``manage.py voice_sync``: the collection in Weaviate says what the knowledge documents say."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.conf import conf
from voice.knowledge.base import KnowledgeError
from voice.management.progress import Progress

if TYPE_CHECKING:
    from voice.knowledge.sync.run import Report

FAILURES_SHOWN = 5
NO_URL = "No Weaviate is configured: set WEAVIATE_URL in the environment, or VOICE['KNOWLEDGE']['weaviate']['url']."
NO_CLIENT = "The client of Weaviate is not installed: pip install weaviate-client."
STOPPED = "Stopped. What was sent stays; run the command again to go on."


class Command(BaseCommand):
    """May be stopped at any time: the next run goes on."""

    help = (
        "Brings the knowledge documents into the collection in Weaviate: makes it if there is none, sends what is new "
        "or changed, deletes what is gone. What others wrote into the collection stays. A collection serves one site."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How much is done."""
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="Send everything again, into a collection made anew if it holds nothing but these documents.",
        )

    def handle(self, *args: Any, dry_run: bool, rebuild: bool, **options: Any) -> None:
        """Synchronise. Raises ``CommandError`` if anything is not in the collection as it should be."""
        weaviate = conf().knowledge.weaviate
        if not weaviate.url:
            raise CommandError(NO_URL)
        try:
            # The client's own imports warn of each other's future, which is no matter of who runs this.
            with warnings.catch_warnings(record=True):
                from voice.knowledge.sync.makers import maker
                from voice.knowledge.sync.run import Run
        except ImportError as error:
            raise CommandError(NO_CLIENT) from error
        progress = Progress(self.stdout, redraw=self.stdout.isatty())
        try:
            run = Run(weaviate, maker(weaviate), progress)
            run(dry_run=dry_run, rebuild=rebuild)
        except KnowledgeError as error:
            progress.clear()
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            progress.clear()
            raise CommandError(STOPPED, returncode=130) from None
        progress.clear()
        self._say(run.report, weaviate.collection, dry_run)

    def _say(self, report: Report, collection: str, dry_run: bool) -> None:
        made = "would be made" if dry_run else "made"
        if report.makes:
            self.stdout.write(f"Collection {collection} {made}.")
        self.stdout.write(
            f"{'Would be: ' if dry_run else ''}{report.created} created, {report.updated} updated, "
            f"{report.deleted} deleted, {report.unchanged} unchanged (pieces of {report.documents} documents)."
        )
        if not report.failures:
            return
        for name, reason in list(report.failures.items())[:FAILURES_SHOWN]:
            self.stderr.write(f"  {name}: {reason}")
        raise CommandError(f"{len(report.failures)} of {report.documents} documents could not be brought up to date.")
