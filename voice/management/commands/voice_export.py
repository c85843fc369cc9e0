"""``manage.py voice_export USER``: all that is kept of a person's conversations, for them."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from voice import retention


class Command(BaseCommand):
    """JSON to the standard output, a session a line; what was counted goes to the standard error."""

    help = "Writes what is kept of a user's conversations as JSON, one session a line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("user", help="User name, or primary key.")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        """Export."""
        try:
            found = retention.user_named(user)
        except LookupError:
            raise CommandError(f"There is no user {user!r}.") from None
        count = 0
        for session in retention.export(found.pk):
            self.stdout.write(json.dumps(session, cls=DjangoJSONEncoder, ensure_ascii=False))
            count += 1
        self.stderr.write(f"{count} sessions exported.")
