"""What there is most of: bars, the longest first, with their numbers beside them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from voice.models import end_reasons
from voice.statistics import summary
from voice.statistics.queries import Group, Spender
from voice.statistics.words import money, number, percent, sessions
from voice.visible import visible


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a ranking. ``share`` is the length of its bar, in percent of the longest."""

    name: str
    figure: str
    share: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What there is most of."""

    title: str
    bars: list[Bar]
    note: str = ""


def ends(groups: list[Group]) -> Ranking:
    """The reasons for which sessions ended."""
    counted = summary.end_reasons(groups)
    return Ranking(_("How sessions ended"), _counted(counted), _("Red: errors."))


def refused(counted: dict[str, int]) -> Ranking:
    """The reasons for which visitors were turned away, by how many."""
    return Ranking(
        _("Turned away at the door"),
        _counted(summary.ranked(counted)),
        _("Of all providers: nobody was connected yet."),
    )


def _counted(counted: list[tuple[str, int]]) -> list[Bar]:
    names = {value: str(name) for value, name in end_reasons()}
    most, total = max((count for _reason, count in counted), default=1), sum(count for _reason, count in counted)
    return [
        Bar(
            visible(names.get(reason, reason)),
            f"{number(count)} · {percent(count / total, 1)}",
            _length(count / most),
            "bad" if reason in summary.ERRORS else "",
        )
        for reason, count in counted
    ]


def spent(spenders: list[Spender], currency: str) -> Ranking:
    """Those whose conversations cost most."""
    most = max((spender.cost for spender in spenders), default=Decimal(1))
    bars = [
        Bar(
            visible(spender.name) or _("deleted accounts"),
            f"{money(spender.cost, currency)} · {sessions(spender.sessions)}",
            _length(float(spender.cost / most)),
        )
        for spender in spenders
    ]
    return Ranking(_("Users by cost"), bars, _("The ten highest."))


def _length(share: float) -> str:
    return f"{max(0.5, share * 100):.1f}%"
