"""The admission objects that the faces of this process share, made from the settings.

The widget's tag, the ticket and the socket ask the same ones, so that they agree.
"""

from __future__ import annotations

from functools import cache

from django.contrib.auth.models import AbstractBaseUser
from django.db import Error as DatabaseFault

from voice import database, live, metrics, starts, turned_away
from voice.admission.flag import Flag
from voice.admission.limits import HOUR_SECONDS, Limits
from voice.admission.store import AdmissionStore, StoreUnavailable
from voice.conf import conf, enabled
from voice.protocol.outcomes import EndReason

DECISION_LIMIT = 2.0
"""Seconds for the database to say whether somebody may talk."""


@cache
def flag() -> Flag:
    """Whether voice is on, and for whom."""
    return Flag(enabled, live.current)


@cache
def store() -> AdmissionStore:
    """Who has started, who talks, and which tickets are spent: in Redis where the site has one, else in here."""
    if not conf().redis_url:
        from voice.admission.memory import MemoryStore

        return MemoryStore()
    from voice.admission.redis.store import RedisStore

    return RedisStore(conf().redis_url, conf().redis_prefix, _history)


async def close() -> None:
    """Give up the connections of this process and event loop."""
    if store.cache_info().currsize:
        await store().close()


def decide(user: AbstractBaseUser) -> EndReason | Limits:
    """The limits that ``user`` may talk within, or why they may not. May ask the database, and raise its errors."""
    return flag().decide(user) or flag().limits(conf().limits)


async def decision(user: AbstractBaseUser) -> EndReason | Limits:
    """The same, off the event loop. Raises ``TimeoutError``, too."""
    return await database.call(decide, user, limit=DECISION_LIMIT)


def look() -> None:
    """Learn what staff have decided meanwhile. Where the site's setting is off, that is nobody's business."""
    if flag().master():
        live.refresh()


def is_off() -> bool:
    """Whether a switch is known to be off. No I/O: what :func:`look` has learnt last counts, however long ago."""
    return not flag().master() or not live.last().enabled


def refused(reason: EndReason) -> None:
    """Count that somebody was turned away. Where the site's setting is off, there is nobody to be."""
    if flag().master():
        turned_away.visitors.count(reason)
        metrics.refused(reason)


async def _history(user_id: str) -> list[tuple[str, float]]:
    try:
        return await starts.of_user(user_id, HOUR_SECONDS)
    except (DatabaseFault, TimeoutError) as error:
        raise StoreUnavailable("the records cannot be read") from error
