"""The assistant switches itself off when the last minutes passed a limit (:mod:`voice.protocol.safeguard`).

Every process that has conversations looks every fifteen seconds, and as its first conversation begins. Of several that
come to the same verdict one acts: the switch is flipped by a conditional update (:func:`voice.live.switch_off`). Staff
switch it on again as always; what began before they did so counts no more, so old failures cannot undo it.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db.models import Count, Q, Sum
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext

from voice import database, figures, live
from voice.figures import Window
from voice.models import VoiceTurn
from voice.protocol.safeguard import Cause, Figures, Safeguard, Verdict, judge
from voice.statistics.summary import ERRORS

log = logging.getLogger("voice.guarding")

INTERVAL = 15.0
"""Seconds between two looks."""
LOOK_LIMIT = 5.0
"""Seconds that a look may take."""


async def run(limits: Safeguard, currency: str) -> None:
    """Look again and again, until cancelled; not at all where there is no limit. Raises nothing."""
    while limits.watches:
        try:
            await database.call(look, limits, currency, limit=LOOK_LIMIT)
        except (DatabaseFault, TimeoutError) as error:
            log.warning("the figures of the last minutes cannot be read: %s", type(error).__name__)
        except Exception:  # whatever it is, the conversations beside go on
            log.exception("the figures of the last minutes cannot be judged")
        await asyncio.sleep(INTERVAL)


def look(limits: Safeguard, currency: str) -> bool:
    """Judge the last minutes once; whether this call switched the assistant off. Blocking: four queries at most.

    Raises the database's errors.
    """
    if not live.current().enabled:
        return False
    flipped = live.last_flip()
    now = timezone.now()
    since = now - timedelta(minutes=limits.minutes)
    verdict = judge(read(Window(max(since, flipped.at) if flipped else since, now), currency), limits)
    if verdict is None:
        return False
    with translation.override(settings.LANGUAGE_CODE):  # what is stored is read by whoever comes later
        name, reason = gettext("automatic switch-off"), _words(verdict, limits.minutes, currency)
    if not live.switch_off(by=name, reason=reason, after=flipped):
        return False
    log.error(
        "switched off by itself: %s %s passed %s (%d sessions, %d minutes)",
        verdict.cause, round(verdict.value, 4), verdict.limit, verdict.sessions, limits.minutes,
    )  # fmt: skip
    return True


def read(window: Window, currency: str) -> Figures:
    """The figures of the sessions that began in ``window``; the money in ``currency``."""
    sums = figures.begun(window).aggregate(
        sessions=Count("pk"),
        errors=Count("pk", filter=Q(end_reason__in=ERRORS)),
        spent=Sum("cost", filter=Q(currency=currency)),
    )
    heard = VoiceTurn.objects.filter(
        created_at__gte=window.since, first_audio_ms__isnull=False, session__started_at__gte=window.since
    ).order_by()
    counted = heard.aggregate(turns=Count("pk"), sessions=Count("session", distinct=True))
    ordered = heard.order_by("first_audio_ms").values_list("first_audio_ms", flat=True)
    return Figures(
        sessions=sums["sessions"],
        errors=sums["errors"],
        answered=counted["sessions"],
        p95_ms=figures.ranked(ordered, counted["turns"], 95),
        spent=sums["spent"] or Decimal(0),
    )


def _words(verdict: Verdict, minutes: int, currency: str) -> str:
    """The verdict for people, within the 200 characters of a reason."""
    match verdict.cause:
        case Cause.ERROR_RATE:
            what, unit, factor, places = gettext("errors"), "%", 100, 1
        case Cause.FIRST_AUDIO:
            what, unit, factor, places = gettext("first audio (p95)"), "ms", 1, 0
        case Cause.SPEND:
            what, unit, factor, places = gettext("cost"), currency, 1, 2
    value, limit = (
        f"{number_format(round(amount * factor, places), places)}\N{NO-BREAK SPACE}{unit}"
        for amount in (verdict.value, verdict.limit)
    )
    facts = {"sessions": verdict.sessions, "minutes": minutes, "what": what, "value": value, "limit": limit}
    return gettext("%(sessions)d conversations in %(minutes)d minutes: %(what)s %(value)s, limit %(limit)s.") % facts
