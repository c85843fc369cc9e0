"""Which days, and whose sessions: what the statistics page is asked for in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from voice.figures import Window

DAYS = 30
"""Without a wish, today included."""
LONGEST = 366
FIRST = date(2020, 1, 1)
"""Before there was anything like this, and far from where calendars end."""


@dataclass(frozen=True, slots=True)
class Range:
    """From the first moment of ``since`` to the last of ``until``, in the current zone. ``provider`` may be empty."""

    since: date
    until: date
    provider: str
    today: date

    @property
    def window(self) -> Window:
        """As instants."""
        return Window(_midnight(self.since), _midnight(self.until + timedelta(days=1)))

    @property
    def query(self) -> str:
        """As a query string."""
        asked = {"since": self.since, "until": self.until}
        return urlencode(asked | ({"provider": self.provider} if self.provider else {}))

    def preset(self, days: int) -> str:
        """The query string of the last ``days`` of the same provider."""
        return replace(self, since=self.today - timedelta(days=days - 1), until=self.today).query


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")  # what a browser's own picker reads and sends


class RangeForm(forms.Form):
    """By GET, so that a view of the figures has an address."""

    since = forms.DateField(label=_("From"), required=False, widget=_Day(), input_formats=["%Y-%m-%d"])
    until = forms.DateField(label=_("To"), required=False, widget=_Day(), input_formats=["%Y-%m-%d"])
    provider = forms.CharField(label=_("Provider"), required=False, max_length=32)

    def __init__(self, chosen: Mapping[str, Any], *, today: date) -> None:
        self._today = today
        first = today - timedelta(days=DAYS - 1)
        defaults = {"since": first.isoformat(), "until": today.isoformat(), "provider": ""}
        super().__init__(defaults | {name: chosen[name] for name in defaults if chosen.get(name)}, label_suffix="")

    def clean(self) -> dict[str, Any]:
        """The days are in order, and not too many."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not timedelta(0) <= until - since < timedelta(days=LONGEST):
            message = gettext("The first day must not be after the last, nor more than %(days)d days before it.")
            raise ValidationError(message % {"days": LONGEST})
        if since and until and not FIRST <= since <= until <= self._today + timedelta(days=LONGEST):
            raise ValidationError(gettext("There are no figures of that time."))
        return cleaned

    def range(self) -> Range:
        """What was asked for; what is without sense is replaced by the last days of all providers."""
        if self.is_valid():
            return Range(**self.cleaned_data, today=self._today)
        return Range(self._today - timedelta(days=DAYS - 1), self._today, "", self._today)

    def offer(self, providers: list[str]) -> None:
        """Let one of these be chosen, and the one that is."""
        chosen = self.data.get("provider", "")
        names = sorted({*providers, chosen} - {""})
        choices = [("", gettext("all")), *((name, name) for name in names)]
        self.fields["provider"].widget = forms.Select(choices=choices)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
