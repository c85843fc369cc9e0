"""What was said: how long it is kept, and what a person may ask for. The facts of sessions stay, without the person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from voice.models import VoiceSession, VoiceTranscript, VoiceTurn

BATCH = 1_000
"""Rows that one statement deletes, so that no conversation waits long for its turn to write."""

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
    """Delete what a person said and what answered it; the facts of their sessions stay, and are nobody's any more."""
    with transaction.atomic():
        sessions = VoiceSession.objects.filter(user_id=user_id)
        transcripts, _ = VoiceTranscript.objects.filter(session__in=sessions).delete()
        # The titles of what was found tell what was asked.
        VoiceTurn.objects.filter(session__in=sessions).update(sources=[])
        return Erased(sessions.update(user=None), transcripts)
