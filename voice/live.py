"""What staff decide while the site runs: read from its row, remembered for a second, changed with a trace.

The row is the truth, so the kill switch needs nothing but the database. A change is announced to the other processes
(:mod:`voice.broadcast`), and whoever missed that reads it within a second.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from django.db import router, transaction

from voice import broadcast
from voice.admission.flag import Live
from voice.admission.rollout import Rollout
from voice.models import LIVE_LIMITS, VoiceLiveChange, VoiceLiveSettings

audit = logging.getLogger("voice.audit")

MESSAGE = "voice.live"
"""Type of the message that says that the row has changed. It does not say how: the row does."""
FRESH_SECONDS = 1.0
"""How long an answer of the database is good."""

_known: tuple[float, Live] | None = None


def current() -> Live:
    """The decisions in force, at most a second old: one query a second in each process, and only where it is asked.

    Blocking. Raises ``django.db.Error`` where the database does not say: who asks must not guess.
    """
    known = _known
    if known is not None and monotonic() < known[0] + FRESH_SECONDS:
        return known[1]
    return refresh()


def refresh() -> Live:
    """Ask the database now, and remember the answer."""
    global _known
    asked_at = monotonic()
    found = read()
    if _known is None or _known[0] <= asked_at:  # an answer that overtook this one is newer
        _known = asked_at, found
    return found


def last() -> Live:
    """The last answer, however old; before the first, what a site begins with. No I/O."""
    return _known[1] if _known else Live()


def forget() -> None:
    """Let the next question ask the database."""
    global _known
    _known = None


def read() -> Live:
    """What the row says; without one, what a site begins with. One query."""
    found = row()
    limits = {name: value for name in LIVE_LIMITS if (value := getattr(found, name)) is not None}
    return Live(found.enabled, Rollout(found.percent, found.group_id, found.staff), limits)


def row() -> VoiceLiveSettings:
    """The row, to be shown or changed; what a site begins with if nobody has changed anything."""
    return VoiceLiveSettings.objects.filter(pk=VoiceLiveSettings.ONLY).first() or VoiceLiveSettings()


def save(changed: VoiceLiveSettings, *, by: str, user: Any = None, reason: str = "") -> dict[str, list[str]]:
    """Store the row, and who changed what, and tell the other processes when it is committed.

    ``by`` is a name for people, ``user`` its account if there is one. Returns, by the field's name, what each changed
    field was and is; where nothing changed, nothing is stored.
    """
    with transaction.atomic(using=router.db_for_write(VoiceLiveSettings)):
        before = VoiceLiveSettings.objects.select_for_update().filter(pk=VoiceLiveSettings.ONLY).first()
        changes = differences(before or VoiceLiveSettings(), changed)
        if changes:
            changed.pk = VoiceLiveSettings.ONLY
            changed.save(force_insert=before is None, force_update=before is not None)
            VoiceLiveChange.objects.create(user=user, by=by, reason=reason, changes=changes)
            transaction.on_commit(lambda: _announce(by, changes), using=router.db_for_write(VoiceLiveSettings))
    return changes


def last_flip() -> VoiceLiveChange | None:
    """The last change of the switch; ``None`` if nobody has touched it."""
    return VoiceLiveChange.objects.filter(changes__has_key="enabled").first()


def switch_off(*, by: str, reason: str, after: VoiceLiveChange | None) -> bool:
    """Switch off without a person's doing, if ``after`` is still the :func:`last_flip`; whether that was done here.

    The switch is flipped by a conditional update, which holds the row until the change is stored: of several processes
    that want it at the same time exactly one does it. One that has judged what was before somebody flipped the switch
    does nothing.
    """
    using = router.db_for_write(VoiceLiveSettings)
    with transaction.atomic(using=using):
        VoiceLiveSettings.objects.get_or_create(pk=VoiceLiveSettings.ONLY)
        on = VoiceLiveSettings.objects.filter(pk=VoiceLiveSettings.ONLY, enabled=True)
        if not on.update(enabled=False):
            return False
        if last_flip() != after:
            transaction.set_rollback(True, using=using)
            return False
        changes = {"enabled": [_text(True), _text(False)]}
        VoiceLiveChange.objects.create(by=by, reason=reason, changes=changes)
        transaction.on_commit(lambda: _announce(by, changes), using=using)
    return True


def differences(before: VoiceLiveSettings, after: VoiceLiveSettings) -> dict[str, list[str]]:
    """The fields in which the rows differ, with both values as texts."""
    names = [field.name for field in VoiceLiveSettings._meta.concrete_fields if not field.primary_key]
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: [_text(old), _text(new)] for name, (old, new) in pairs.items() if old != new}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value is None else str(value)


def _announce(by: str, changes: dict[str, list[str]]) -> None:
    for name, (old, new) in changes.items():
        audit.info("live settings: %s changed from %s to %s by %r", name, old, new, by)
    forget()
    broadcast.announce({"type": MESSAGE})
