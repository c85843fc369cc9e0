"""What has been counted of a session that lives, on its way into its row, each time with a number that rises."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from functools import cache

from django.db import connections, router
from django.utils import timezone

from voice.models import VoiceSession
from voice.protocol.counters import Counters
from voice.statements import Statement

_COUNTED = tuple(each.name for each in fields(Counters))


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted, for the ``number``-th time."""

    number: int = 0
    counters: Counters = field(default_factory=Counters)

    def next(self, counters: Counters) -> Count:
        """What is counted now."""
        return Count(self.number + 1, counters)


def keep(session_id: uuid.UUID, count: Count, *, owned: bool = False) -> bool:
    """Keep the count, and that the session lives; with ``owned``, only if it is somebody's. Whether it was kept: one
    that is not newer is not. Blocking. Raises the database's errors."""
    values = (timezone.now(), count.number, *(getattr(count.counters, name) for name in _COUNTED), session_id)
    return bool(_statement(router.db_for_write(VoiceSession), owned).execute(values, count.number))


@cache
def _statement(alias: str, owned: bool) -> Statement:
    """In SQL that every database of Django's takes. Its values: the columns', the key's last; and the number."""
    by_name = {column.name: column for column in VoiceSession._meta.concrete_fields}
    columns = tuple(by_name[name] for name in ("seen_at", "checkpoint", *_COUNTED, "id"))
    quote = connections[alias].ops.quote_name
    *changed, key = (f"{quote(each.column)} = %s" for each in columns if each.column)
    older = f"{key} AND {quote('checkpoint')} < %s" + (f" AND {quote('user_id')} IS NOT NULL" if owned else "")
    table = quote(VoiceSession._meta.db_table)
    return Statement(alias, f"UPDATE {table} SET {', '.join(changed)} WHERE {older}", columns)  # noqa: S608 (no values)
