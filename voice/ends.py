"""The end of a session, once: by whoever held it, or by whoever finds that nobody does.

A row ends by one conditional ``UPDATE``, which needs no lock and lets exactly one writer win, in however many places a
session is declared over. Whoever comes later may only bring a newer count. Counts carry a number that rises, so one
that arrives late (a call that nobody waits for any more still takes effect) never replaces a newer one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from voice.counts import Count
from voice.models import VoiceSession
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason

LOST_SECONDS = 30.0
"""A row without an end and without a sign of life for this long belongs to a server that is gone."""
BATCH = 500
"""Rows that one statement names: a database takes so many values."""


@dataclass(frozen=True, slots=True)
class End:
    """Why and when a session ended, and its last count."""

    session_id: uuid.UUID
    reason: EndReason
    at: datetime
    count: Count

    def to_json(self) -> str:
        """One line, without anything that was said."""
        counters = asdict(self.count.counters)
        counters["cost"] = None if self.count.counters.cost is None else str(self.count.counters.cost)
        return json.dumps(
            {
                "kind": "end",
                "session_id": self.session_id.hex,
                "reason": self.reason.value,
                "at": self.at.isoformat(),
                "checkpoint": self.count.number,
                "counters": counters,
            }
        )

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> End:
        """What :meth:`to_json` wrote, parsed. Raises ``ValueError``, ``KeyError`` or ``TypeError`` if it is another."""
        counters = dict(said["counters"])
        if counters["cost"] is not None:
            counters["cost"] = Decimal(counters["cost"])
        return cls(
            uuid.UUID(said["session_id"]),
            EndReason(said["reason"]),
            datetime.fromisoformat(said["at"]),
            Count(int(said["checkpoint"]), Counters(**counters)),
        )


def write(end: End) -> None:
    """End the row, or bring a newer count to one that has ended. Does nothing the second time."""
    counted = {"checkpoint": end.count.number, **asdict(end.count.counters)}
    row = VoiceSession.objects.filter(pk=end.session_id)
    ended = row.filter(ended_at=None).update(ended_at=end.at, seen_at=end.at, end_reason=end.reason.value, **counted)
    if not ended:
        row.filter(checkpoint__lt=end.count.number).update(**counted)


def signs_of_life(session_ids: Sequence[uuid.UUID]) -> None:
    """Somebody holds these sessions."""
    for first in range(0, len(session_ids), BATCH):
        held = VoiceSession.objects.filter(pk__in=session_ids[first : first + BATCH], ended_at=None)
        held.update(seen_at=timezone.now())


def end_lost() -> int:
    """End each session that nobody holds any more, as of its last sign of life; how many. Exactly one caller wins."""
    lost = VoiceSession.objects.filter(ended_at=None, seen_at__lt=timezone.now() - timedelta(seconds=LOST_SECONDS))
    return lost.update(ended_at=F("seen_at"), end_reason=EndReason.SERVER_LOST.value, estimated=True)
