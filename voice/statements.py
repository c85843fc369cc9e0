"""Statements of what conversations write most, put together once.

The ORM takes up to half a millisecond for one of so many columns, each time anew, and twice that in a process that
conversations keep busy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Field


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL of one database, whose first values are these columns'."""

    alias: str
    sql: str
    columns: tuple[Field[Any, Any], ...]

    def execute(self, values: Iterable[Any], *more: Any) -> int:
        """How many rows it was about. ``values`` are the columns', ``more`` is behind them as the database has it.
        Blocking. Raises the database's errors."""
        connection = connections[self.alias]
        pairs = zip(self.columns, values, strict=True)
        stored = [column.get_db_prep_save(value, connection) for column, value in pairs]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, (*stored, *more))
            return int(cursor.rowcount)
