"""What has been counted of a session that lives, on its way into its row, each time with a number that rises.

This is most of what conversations write, so its statement is put together once: the ORM takes half a millisecond for an
update of so many columns, each time anew.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import Field
from django.utils import timezone

from voice.models import VoiceSession
from voice.protocol.counters import Counters

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
    connection = connections[router.db_for_write(VoiceSession)]
    values = (timezone.now(), count.number, *(getattr(count.counters, name) for name in _COUNTED), session_id)
    stored = [column.get_db_prep_save(value, connection) for column, value in zip(_columns(), values, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.alias, owned), (*stored, count.number))
        return bool(cursor.rowcount)


@cache
def _columns() -> tuple[Field[Any, Any], ...]:
    """The columns of the statement's values, the key's last."""
    by_name = {field.name: field for field in VoiceSession._meta.concrete_fields}
    return tuple(by_name[name] for name in ("seen_at", "checkpoint", *_COUNTED, "id"))


@cache
def _statement(alias: str, owned: bool) -> str:
    """SQL that every database of Django's takes. Its values: the columns', and the number."""
    quote = connections[alias].ops.quote_name
    *changed, key = (f"{quote(each.column)} = %s" for each in _columns() if each.column)
    older = f"{key} AND {quote('checkpoint')} < %s" + (f" AND {quote('user_id')} IS NOT NULL" if owned else "")
    return f"UPDATE {quote(VoiceSession._meta.db_table)} SET {', '.join(changed)} WHERE {older}"  # noqa: S608 (no values)
