"""``manage.py voice_erase USER``: what a person said is deleted, and their sessions are nobody's any more."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice import resumption, retention
from voice.admission.store import StoreUnavailable


class Command(BaseCommand):
    """Cannot be undone."""

    help = (
        "Deletes the transcripts of a user's conversations, the sources that were shown, and what Redis keeps for a "
        "minute for who comes back; and takes the user's name off the sessions. Their figures (times, usage, cost) "
        "stay, without a person. The user itself is left alone."
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
        try:
            waiting = asyncio.run(_forget(found.pk))
        except StoreUnavailable:
            raise CommandError("Redis does not answer: a conversation that waits there ends within a minute.") from None
        self.stdout.write(f"{waiting} conversations that could have gone on forgotten.")


async def _forget(user_id: Any) -> int:
    try:
        return await resumption.forget_user(user_id)
    finally:
        await resumption.close()
