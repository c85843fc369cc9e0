"""The admission objects that the faces of this process share, made from the settings.

The widget's tag, the ticket and the socket ask the same ones, so that they agree.
"""

from __future__ import annotations

from functools import cache

from django.contrib.auth.models import AbstractBaseUser

from voice import live
from voice.admission.flag import Flag
from voice.admission.limits import Limits
from voice.admission.memory import MemoryStore
from voice.admission.store import AdmissionStore
from voice.conf import conf, enabled
from voice.protocol.outcomes import EndReason


@cache
def flag() -> Flag:
    """Whether voice is on, and for whom."""
    return Flag(enabled, live.current)


@cache
def store() -> AdmissionStore:
    """Who has started, who talks, and which tickets are spent."""
    return MemoryStore()


def decide(user: AbstractBaseUser) -> EndReason | Limits:
    """The limits that ``user`` may talk within, or why they may not. May ask the database, and raise its errors."""
    return flag().decide(user) or flag().limits(conf().limits)


def look() -> None:
    """Learn what staff have decided meanwhile. Where the site's setting is off, that is nobody's business."""
    if flag().master():
        live.refresh()


def is_off() -> bool:
    """Whether a switch is known to be off. No I/O: what :func:`look` has learnt last counts, however long ago."""
    return not flag().master() or not live.last().enabled
