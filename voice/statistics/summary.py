"""From what the database added up to the figures that are shown. Pure: no database, no clock, no language."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import TypeVar

from voice.protocol.outcomes import EndReason
from voice.statistics.expressions import Step
from voice.statistics.queries import BUCKET_MS, Bucket, Group

Row = TypeVar("Row", Group, Bucket)

LIMIT_MS = 800
"""An answer that begins later feels late: the promise that the line in the chart stands for."""
LONGEST_BY_DAY = 92
"""Days; a longer range is shown by week."""

ERRORS = frozenset(reason.value for reason in EndReason if reason.ending.code >= 4500) - {
    EndReason.DISABLED.value,
    EndReason.SERVER_DRAIN.value,
}
"""Ends that somebody should look into: something of ours, or of the provider's, failed."""


def step_for(since: date, until: date) -> Step:
    """By day, or by week for a long range. ``until`` is its last day."""
    return Step.DAY if (until - since).days < LONGEST_BY_DAY else Step.WEEK


def steps(since: date, until: date, step: Step) -> list[date]:
    """The first day of each step from ``since`` to ``until``, both included."""
    first = since if step is Step.DAY else since - timedelta(days=since.weekday())
    length = timedelta(days=1 if step is Step.DAY else 7)
    return list(_from(first, until, length))


def _from(first: date, until: date, length: timedelta) -> Iterator[date]:
    while first <= until:
        yield first
        first += length


@dataclass(frozen=True, slots=True)
class Waits:
    """How soon answers began, in ms from the end of speech. ``None`` where there were none."""

    turns: int
    p50: int | None
    p95: int | None
    within: float | None
    """The share that began within :data:`LIMIT_MS`."""


def waits(buckets: Iterable[Bucket]) -> Waits:
    """Percentiles by the nearest rank; each is the middle of its bucket."""
    histogram: Counter[int] = Counter()
    for bucket in buckets:
        histogram[bucket.ms] += bucket.turns
    total = histogram.total()
    soon = sum(turns for ms, turns in histogram.items() if ms < LIMIT_MS)
    return Waits(total, _ranked(histogram, 0.50), _ranked(histogram, 0.95), soon / total if total else None)


def _ranked(histogram: Counter[int], share: float) -> int | None:
    rank = ceil(histogram.total() * share)
    for ms in sorted(histogram):
        rank -= histogram[ms]
        if rank <= 0:
            return ms + BUCKET_MS // 2
    return None


@dataclass(frozen=True, slots=True)
class Searches:
    """How retrieval went."""

    total: int
    in_time: float | None
    """Of the searches whose passages an answer wanted: the share that came before it was requested."""
    waste: float | None
    """Of all searches: the share that no answer used, because it came late or a newer question replaced it."""


def searches(groups: Iterable[Group]) -> Searches:
    """Of these sessions."""
    hit = late = superseded = failed = none = 0
    for group in groups:
        hit, late, superseded = hit + group.hit, late + group.late, superseded + group.superseded
        failed, none = failed + group.failed, none + group.none
    total = hit + late + superseded + failed + none
    return Searches(total, _share(hit, hit + late + failed), _share(late + superseded, total))


@dataclass(frozen=True, slots=True)
class Sessions:
    """Conversations, added up."""

    total: int
    minutes: float
    errors: int
    cost: Decimal
    unpriced: int
    """Those whose cost is not known, or in another currency."""

    @property
    def error_rate(self) -> float | None:
        """The share that ended by an error."""
        return _share(self.errors, self.total)


def sessions(groups: Iterable[Group], currency: str) -> Sessions:
    """Of these groups; the cost in ``currency``."""
    total, seconds, errors, cost, priced = 0, 0.0, 0, Decimal(0), 0
    for group in groups:
        total += group.sessions
        seconds += group.seconds
        errors += group.sessions if group.end_reason in ERRORS else 0
        if group.currency == currency:
            cost, priced = cost + group.spent, priced + group.priced
    return Sessions(total, seconds / 60, errors, cost, total - priced)


def main_currency(groups: Iterable[Group]) -> str:
    """The one in which most sessions were priced; a site that changes it has some days of two."""
    used: Counter[str] = Counter()
    for group in groups:
        used[group.currency] += group.priced
    return max(used, key=lambda currency: (used[currency], currency), default="")


def end_reasons(groups: Iterable[Group]) -> list[tuple[str, int]]:
    """How many sessions ended for each reason, the most frequent first. Those that go on are left out."""
    ends: Counter[str] = Counter()
    for group in groups:
        if group.end_reason:
            ends[group.end_reason] += group.sessions
    return ranked(ends)


def ranked(counted: dict[str, int]) -> list[tuple[str, int]]:
    """The highest first."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def by_step(rows: Iterable[Row]) -> dict[date, list[Row]]:
    """``rows`` by the step that they belong to. A step without any has an empty list."""
    found: defaultdict[date, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.begins].append(row)
    return found


def change(now: float, before: float) -> float | None:
    """By which share ``now`` is more than ``before``; ``None`` where there is nothing to compare with."""
    return now / before - 1 if before else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
