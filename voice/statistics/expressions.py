"""Arithmetic with times that the database does by itself.

On SQLite Django would call Python for each row, which makes a year of conversations slow. Columns hold UTC there, as
text, so SQLite's own functions can do it once they are told the zone's offsets.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from django.db.models import DateField, FloatField, Func
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek, TruncYear
from django.utils import timezone

from voice.figures import Window


class Step(StrEnum):
    """A stretch of the calendar. Charts have points for days or weeks."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


def period(column: str, window: Window, step: Step) -> Any:
    """The first day of the step that a time within ``window`` is in, on the calendars of the current zone."""
    expression: Any = _TRUNCS[step](column, output_field=DateField(), tzinfo=timezone.get_current_timezone())
    expression.window = window
    return expression


class Seconds(Func):
    """``Seconds(start, end)``: from one time to another. For SQLite, and for databases that know ``EXTRACT(EPOCH)``."""

    arity = 2
    arg_joiner = " - "
    template = "CAST(EXTRACT(EPOCH FROM (%(expressions)s)) AS DOUBLE PRECISION)"
    output_field = FloatField()

    def __init__(self, start: Any, end: Any) -> None:
        super().__init__(end, start)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The difference of two Julian days."""
        (end, end_parameters), (start, start_parameters) = map(compiler.compile, self.source_expressions)
        return f"((julianday({end}) - julianday({start})) * 86400.0)", (*end_parameters, *start_parameters)


class _OnSQLite:
    window: Window
    lhs: Any
    tzinfo: tzinfo
    modifiers: str

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        column, parameters = compiler.compile(self.lhs)
        *before, (_end, last) = offsets(self.window, self.tzinfo)
        sql = self._date(column, last)
        if before:
            cases = (f"WHEN {column} < '{end:%Y-%m-%d %H:%M:%S}' THEN {self._date(column, o)}" for end, o in before)
            sql = f"CASE {' '.join(cases)} ELSE {sql} END"
        return sql, tuple(parameters) * (2 * len(before) + 1)

    def _date(self, column: str, offset: int) -> str:
        # To the second: SQLite would round the last half millisecond of a day into the next.
        return f"date(substr({column}, 1, 19), '{offset:+d} seconds'{self.modifiers})"


class _Day(_OnSQLite, TruncDay):
    modifiers = ""


class _Week(_OnSQLite, TruncWeek):
    modifiers = ", 'weekday 0', '-6 days'"
    """On to Sunday, unless it is one; then back to Monday."""


class _Month(_OnSQLite, TruncMonth):
    modifiers = ", 'start of month'"


class _Year(_OnSQLite, TruncYear):
    modifiers = ", 'start of year'"


_TRUNCS = {Step.DAY: _Day, Step.WEEK: _Week, Step.MONTH: _Month, Step.YEAR: _Year}


def offsets(window: Window, zone: tzinfo) -> list[tuple[datetime, int]]:
    """The seconds by which ``zone`` is ahead of UTC within ``window``, each with the time (UTC) until which it holds.

    Changes are found to the quarter of an hour; no zone has changed at another minute since 1972.
    """
    found: list[tuple[datetime, int]] = []
    at, until = window.since.astimezone(UTC), window.until.astimezone(UTC)
    offset = _offset(at, zone)
    while at < until:
        step = timedelta(days=1)
        if _offset(at + step, zone) != offset:
            step = timedelta(minutes=15 - at.minute % 15, seconds=-at.second, microseconds=-at.microsecond)
        at += step
        if _offset(at, zone) != offset:
            found.append((at, offset))
            offset = _offset(at, zone)
    return [*found, (until, offset)]


def _offset(at: datetime, zone: tzinfo) -> int:
    return round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())
