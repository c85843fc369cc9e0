"""Numbers as the reader's language writes them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def number(value: float) -> str:
    """A whole number."""
    return number_format(round(value), use_l10n=True, force_grouping=True)


def sessions(count: int) -> str:
    """How many sessions."""
    return ngettext("%(number)s session", "%(number)s sessions", count) % {"number": number(count)}


def minutes(value: float) -> str:
    """How much was spoken."""
    return _("%(minutes)s min spoken") % {"minutes": number(value)}


def ms(value: int | None) -> str:
    """Milliseconds; a dash where none are known."""
    return "–" if value is None else _("%(ms)s ms") % {"ms": number(value)}


def percent(share: float | None, places: int = 0) -> str:
    """A share of one, in percent; a dash where there is none."""
    if share is None:
        return "–"
    return _("%(number)s%%") % {"number": number_format(round(share * 100, places), places)}


def money(amount: Decimal | float, currency: str, places: int = 2) -> str:
    """An amount; without a currency, the bare number."""
    figure = number_format(amount, places, force_grouping=True)
    return f"{figure}\N{NO-BREAK SPACE}{currency}" if currency else figure
