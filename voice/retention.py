"""What was said: how long it is kept, and what a person may ask for. The facts of sessions stay, without the person.

What exactly stays, and where else a person could be found, is told in ``voice/docs/privacy.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.utils import timezone

from voice.models import VoiceSession, VoiceTranscript, VoiceTurn

BATCH = 500
"""Rows that one statement takes, so that no conversation waits long for its turn to write."""

Progress = Callable[[int], None]
"""Told how many rows are done."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done for one person."""

    sessions: int
    transcripts: int


def expired(days: int) -> Any:
    """The transcripts that are older than ``days``."""
    return VoiceTranscript.objects.filter(created_at__lt=timezone.now() - timedelta(days=days))


def purge(days: int, progress: Progress) -> int:
    """Delete them; how many. May be stopped at any time: the next run goes on."""
    done = 0
    while batch := list(expired(days).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        VoiceTranscript.objects.filter(pk__in=batch).delete()
        done += len(batch)
        progress(done)
    return done


def user_named(name: str) -> Any:
    """The user of this name, or of this primary key. Raises ``LookupError``."""
    users = get_user_model()._default_manager
    found = users.filter(**{users.model.USERNAME_FIELD: name}).first()
    if found is None and name.isdigit():
        found = users.filter(pk=name).first()
    if found is None:
        raise LookupError(name)
    return found


def export(user_id: Any) -> Iterator[dict[str, Any]]:
    """All that is kept of a person's conversations, a session at a time, the oldest first."""
    sessions = VoiceSession.objects.filter(user_id=user_id).order_by("started_at")
    for session in sessions.iterator(chunk_size=100):
        facts = VoiceSession.objects.filter(pk=session.pk).values().get()
        turns = VoiceTurn.objects.filter(session=session).order_by("number").values()
        said = VoiceTranscript.objects.filter(session=session).values("turn", "role", "text", "created_at")
        yield {**facts, "turns": list(turns), "transcripts": list(said)}


def erase(user_id: Any) -> Erased:
    """Delete what a person said and what answered it; the facts of their sessions stay, and are nobody's any more.

    Also of conversations that go on: what is said in them from now on is not stored (:mod:`voice.turns`). May be
    stopped at any time, and done again.
    """
    sessions, transcripts = 0, 0
    while mine := list(VoiceSession.objects.filter(user_id=user_id).order_by().values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic(using=router.db_for_write(VoiceSession)):
            # First, because it holds the rows: whoever wants to store a turn of theirs waits, and finds nobody.
            sessions += VoiceSession.objects.filter(pk__in=mine).update(user=None)
            transcripts += VoiceTranscript.objects.filter(session__in=mine).delete()[0]
            # The titles of what was found tell what was asked.
            VoiceTurn.objects.filter(session__in=mine).update(sources=[])
    return Erased(sessions, transcripts)
