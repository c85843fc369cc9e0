"""What the statistics page shows, in the words and numbers of the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from voice import figures
from voice.figures import Window
from voice.statistics import charts, queries, rankings, summary, words
from voice.statistics.expressions import Step
from voice.statistics.queries import Amount, Bucket, Group
from voice.statistics.range import Range, RangeForm

PERIODS = (7, 30)
"""Days that are compared with as many before; today is one of them."""


COUNTED = 5
"""An axis of whole numbers reaches so far at least; a shorter one would have marks between them."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that is read from afar, and what explains it. ``tone`` is "good", "bad" or nothing."""

    name: str
    figure: str
    notes: tuple[str, ...] = ()
    change: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its numbers."""

    title: str
    picture: SafeString
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def now(at: datetime) -> list[Tile]:
    """What goes on, and today against yesterday until this hour. Two queries, for it is asked for again and again."""
    live, oldest = queries.live(at)
    note = _("the longest for %(minutes)s min") % {"minutes": words.number(oldest.total_seconds() / 60)} if live else ""
    tile = Tile(_("Live now"), words.number(live), (note,) if note else (), tone="good" if live else "")
    return [tile, *_lately([(1, _("Today"))], at)]


def lately(at: datetime) -> list[Tile]:
    """The last days against those before. One query."""
    return list(_lately([(days, _("%(days)d days") % {"days": days}) for days in PERIODS], at))


def _lately(periods: list[tuple[int, str]], at: datetime) -> Iterator[Tile]:
    amounts = queries.amounts([window for days, _name in periods for window in _compared(at, days)], at)
    for (_days, name), recent, before in zip(periods, amounts[::2], amounts[1::2], strict=True):
        yield Tile(name, words.number(recent.sessions), (words.minutes(recent.seconds / 60),), _change(recent, before))


def context(chosen: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The whole page. ``chosen`` is what the address asks for; what cannot be understood is said, and not used."""
    form = RangeForm(chosen, today=timezone.localdate(at))
    asked = form.range()
    step = summary.step_for(asked.since, asked.until)
    everything = queries.sessions(asked.window, step, at)
    form.offer(sorted({group.provider for group in everything}))
    groups = [group for group in everything if asked.provider in ("", group.provider)]
    buckets = queries.first_audio(asked.window, step, asked.provider)
    currency = summary.main_currency(groups)
    sheet = _Sheet(asked, step, groups, buckets, currency)
    return {
        "form": form,
        "asked": asked,
        "presets": [(_("%(days)d days") % {"days": days}, asked.preset(days)) for days in (7, 30, 90, 365)],
        "now": now(at),
        "lately": lately(at),
        "tiles": sheet.tiles(),
        "figures": sheet.figures(),
        "rankings": [
            rankings.refused(figures.refusals(asked.window)),
            rankings.ends(groups),
            rankings.spent(queries.spenders(asked.window, asked.provider, currency), currency),
        ],
        "by_week": step is Step.WEEK,
        "nothing": not everything,
    }


class _Sheet:
    """The figures of the range, and each over time."""

    def __init__(self, asked: Range, step: Step, groups: list[Group], buckets: list[Bucket], currency: str) -> None:
        self._groups, self._buckets, self._currency = groups, buckets, currency
        self._steps = summary.steps(asked.since, asked.until, step)
        self._labels = [date_format(day, _("M j")) for day in self._steps]
        by_step, waits = summary.by_step(groups), summary.by_step(buckets)
        self._sessions = [summary.sessions(by_step[day], currency) for day in self._steps]
        self._searches = [summary.searches(by_step[day]) for day in self._steps]
        self._waits = [summary.waits(waits[day]) for day in self._steps]

    def tiles(self) -> list[Tile]:
        """The range in five numbers."""
        waits, searches = summary.waits(self._buckets), summary.searches(self._groups)
        sessions = summary.sessions(self._groups, self._currency)
        slow = waits.p50 is not None and waits.p50 > summary.LIMIT_MS
        return [
            Tile(_("Sessions"), words.number(sessions.total), (words.minutes(sessions.minutes),)),
            Tile(
                _("First audio"),
                words.ms(waits.p50),
                (
                    _("p95: %(time)s") % {"time": words.ms(waits.p95)},
                    _("%(share)s within 800 ms") % {"share": words.percent(waits.within)},
                ),
                tone="" if waits.p50 is None else "bad" if slow else "good",
            ),
            Tile(
                _("Retrieval in time"),
                words.percent(searches.in_time),
                (_("%(share)s of the searches unused") % {"share": words.percent(searches.waste)},),
            ),
            Tile(
                _("Errors"),
                words.percent(sessions.error_rate, 1),
                (words.sessions(sessions.errors),),
                tone="bad" if (sessions.error_rate or 0) > 0.05 else "",
            ),
            Tile(
                _("Cost"),
                words.money(sessions.cost, self._currency, 0 if sessions.cost >= 1_000 else 2),
                self._cost_notes(sessions),
            ),
        ]

    def _cost_notes(self, sessions: summary.Sessions) -> tuple[str, ...]:
        if sessions.unpriced:
            return (_("unknown for %(sessions)s") % {"sessions": words.sessions(sessions.unpriced)},)
        each = sessions.cost / sessions.total if sessions.total else Decimal(0)
        return (_("%(cost)s per session") % {"cost": words.money(each, self._currency, 3)},)

    def figures(self) -> list[Figure]:
        """Each with its numbers."""
        return [self._first_audio(), self._conversations(), self._retrieval(), self._cost(), self._errors()]

    def _first_audio(self) -> Figure:
        title = _("First audio after the end of speech")
        return Figure(
            title,
            charts.lines(
                self._labels,
                [
                    (_("half of the answers (p50)"), [w.p50 for w in self._waits]),
                    (_("95 % (p95)"), [w.p95 for w in self._waits]),
                ],
                alt=self._alt(title, words.ms(summary.waits(self._buckets).p50)),
                top=1_000,
                write=lambda ms: _("%(ms)s ms") % {"ms": words.number(ms)},
                limit=(_("800 ms"), [summary.LIMIT_MS] * len(self._labels)),
            ),
            (_("answers"), "p50", "p95", _("within 800 ms")),
            self._rows(
                (words.number(w.turns), words.ms(w.p50), words.ms(w.p95), words.percent(w.within))
                for w in self._waits
            ),
        )  # fmt: skip

    def _conversations(self) -> Figure:
        title = _("Sessions")
        return Figure(
            title,
            charts.bars(
                self._labels, (title, [s.total for s in self._sessions]),
                alt=self._alt(title, words.number(sum(s.total for s in self._sessions))), top=COUNTED,
                write=words.number, tone="plain",
            ),
            (_("sessions"), _("minutes")),
            self._rows((words.number(s.total), words.number(s.minutes)) for s in self._sessions),
        )  # fmt: skip

    def _retrieval(self) -> Figure:
        title, in_time, waste = _("Retrieval"), _("in time"), _("searches unused")
        return Figure(
            title,
            charts.lines(
                self._labels,
                [
                    (in_time, [_hundred(s.in_time) for s in self._searches]),
                    (waste, [_hundred(s.waste) for s in self._searches]),
                ],
                alt=self._alt(title, words.percent(summary.searches(self._groups).in_time)),
                top=100,
                write=lambda value: words.percent(value / 100),
            ),
            (_("searches"), in_time, waste),
            self._rows(
                (words.number(s.total), words.percent(s.in_time), words.percent(s.waste)) for s in self._searches
            ),
            _("In time: the passages were there before the answer was requested. Searching while the visitor still "
              "speaks costs searches that a newer question replaces."),
        )  # fmt: skip

    def _cost(self) -> Figure:
        title = _("Cost")
        total = sum((s.cost for s in self._sessions), Decimal(0))
        highest = max(s.cost for s in self._sessions)
        return Figure(
            title,
            charts.bars(
                self._labels, (title, [float(s.cost) for s in self._sessions]),
                alt=self._alt(title, words.money(total, self._currency)),
                top=1, write=lambda value: words.money(value, self._currency, 0 if highest >= 10 else 2), tone="money",
            ),
            (_("cost"), _("sessions of unknown cost")),
            self._rows((words.money(s.cost, self._currency), words.number(s.unpriced)) for s in self._sessions),
        )  # fmt: skip

    def _errors(self) -> Figure:
        title = _("Errors")
        return Figure(
            title,
            charts.bars(
                self._labels, (title, [s.errors for s in self._sessions]),
                alt=self._alt(title, words.number(sum(s.errors for s in self._sessions))), top=COUNTED,
                write=words.number, tone="bad",
            ),
            (_("sessions that ended by an error"), _("share")),
            self._rows((words.number(s.errors), words.percent(s.error_rate, 1)) for s in self._sessions),
        )  # fmt: skip

    def _rows(self, numbers: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Those of each step, with its day. The newest first, as whoever opens the table looks for yesterday."""
        days = [date_format(day, "SHORT_DATE_FORMAT") for day in self._steps]
        return [(day, *row) for day, row in zip(days, numbers, strict=True)][::-1]

    def _alt(self, title: str, figure: str) -> str:
        return _("%(title)s, %(first)s to %(last)s: %(figure)s in all. The numbers are in the table below.") % {
            "title": title, "first": self._labels[0], "last": self._labels[-1], "figure": figure,
        }  # fmt: skip


def _compared(at: datetime, days: int) -> tuple[Window, Window]:
    """The last ``days``, today included and until now, and as many before, until the same time of day."""
    first = timezone.localdate(at) - timedelta(days=days - 1)
    since, before = _midnight(first), _midnight(first - timedelta(days=days))
    return Window(since, at), Window(before, at - timedelta(days=days))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _change(recent: Amount, before: Amount) -> str:
    share = summary.change(recent.sessions, before.sessions)
    if share is None:
        return ""
    arrow = "▲" if share > 0.005 else "▼" if share < -0.005 else "="
    return _("%(arrow)s %(share)s against the time before") % {"arrow": arrow, "share": words.percent(abs(share))}


def _hundred(share: float | None) -> float | None:
    return None if share is None else share * 100
