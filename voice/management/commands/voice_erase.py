"""``manage.py voice_erase USER``: what a person said is deleted, and their sessions are nobody's any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice import retention


class Command(BaseCommand):
    """Cannot be undone."""

    help = (
        "Deletes the transcripts of a user's conversations and the sources that were shown, and takes the user's name "
        "off the sessions. Their figures (times, usage, cost) stay, without a person. The user itself is left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("user", help="User name, or primary key.")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        """Erase."""
        try:
            found = retention.user_named(user)
        except LookupError:
            raise CommandError(f"There is no user {user!r}.") from None
        erased = retention.erase(found.pk)
        self.stdout.write(f"{erased.transcripts} transcripts deleted, {erased.sessions} sessions made anonymous.")
