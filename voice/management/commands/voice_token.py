"""``manage.py voice_token USER``: an access token, to try the socket out with."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.tokens import access_token


class Command(BaseCommand):
    """Prints the token alone, so that it can be put into a variable."""

    help = "Prints an access token of a user, for programs that talk to /v1/ws/voice."

    def add_arguments(self, parser: CommandParser) -> None:
        """The user, by the name that they log in with."""
        parser.add_argument("user", help=f"The user's {get_user_model().USERNAME_FIELD}.")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        """Print it. Raises ``CommandError`` for a user who could not use it."""
        users = get_user_model()
        try:
            found = users._default_manager.get_by_natural_key(user)
        except users.DoesNotExist:
            raise CommandError(f"There is no user {user!r}.") from None
        if not found.is_active:
            raise CommandError(f"The user {user!r} is not active.")
        self.stdout.write(access_token(found))
