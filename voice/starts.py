"""The starts of a user as the records know them: for a store of admissions that came back empty."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from voice import database
from voice.models import VoiceSession
from voice.protocol.outcomes import REFUNDED, EndReason

LOOKUP_SECONDS = 1.5
"""How long the records may take. Whoever asks holds a visitor at the door."""


async def of_user(user_id: str, seconds: float) -> list[tuple[str, float]]:
    """The sessions (id, and when in seconds since 1970) that the user began in the last ``seconds``, refunds aside.

    One that went on with a conversation is no start.

    Raises ``TimeoutError`` or ``django.db.Error`` when they cannot be read.
    """
    return await database.call(_of_user, user_id, seconds, limit=LOOKUP_SECONDS)


def _of_user(user_id: str, seconds: float) -> list[tuple[str, float]]:
    unreached = Q(ready_at=None, end_reason__in=[reason.value for reason in REFUNDED])
    refunded = unreached | Q(end_reason=EndReason.NO_MICROPHONE.value)
    begun = VoiceSession.objects.filter(
        user_id=user_id, started_at__gt=timezone.now() - timedelta(seconds=seconds), resumed_from=None
    )
    rows = begun.exclude(refunded).order_by("started_at").values_list("id", "started_at")
    return [(session_id.hex, started_at.timestamp()) for session_id, started_at in rows]
