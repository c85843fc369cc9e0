"""How many were turned away, by hour and reason: who is refused has no record of their own.

Counted in memory, and written at most once a second by a thread of its own, so that a flood at the door costs one
statement a second and nobody waits for it. A process that is killed loses what it had not written yet: a second's
worth.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from django.db import IntegrityError, router, transaction
from django.db.models import F
from django.utils import timezone

from voice import database
from voice.models import VoiceRefusal
from voice.protocol.outcomes import EndReason

log = logging.getLogger("voice.turned_away")

PAUSE = 1.0
"""Seconds between two writes."""
LONGEST = 500
"""Hours and reasons that wait for a database that is away; the oldest go first."""

Counts = Mapping[tuple[datetime, EndReason], int]


class TurnedAway:
    """Refusals of this process. ``write`` stores what was counted, all or nothing, or raises."""

    def __init__(self, write: Callable[[Counts], None], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._write, self._sleep = write, sleep
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[datetime, EndReason]] = Counter()
        self._busy = False
        self._writing: Future[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice-turned-away")

    def count(self, reason: EndReason) -> None:
        """Somebody was refused just now. From any thread; never waits."""
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._waiting[hour, reason] += 1
            if not self._busy:
                self._busy = True
                self._writing = self._thread.submit(self._keep_writing)

    def settle(self) -> None:
        """Wait until what was counted is written, or given up for now."""
        writing = self._writing
        if writing is not None:
            writing.result()

    def _keep_writing(self) -> None:
        while counted := self._taken():
            try:
                database.on_fresh_connections(lambda counted=counted: self._write(counted))  # type: ignore[misc]
            except Exception as error:  # of a driver's own kind, too: counting goes on
                log.warning("refusals cannot be written down: %s", type(error).__name__)
                self._give_back(counted)
                return  # the next refusal tries again
            self._sleep(PAUSE)

    def _taken(self) -> Counter[tuple[datetime, EndReason]]:
        with self._lock:
            counted, self._waiting = self._waiting, Counter()
            self._busy = bool(counted)
        return counted

    def _give_back(self, counted: Counter[tuple[datetime, EndReason]]) -> None:
        with self._lock:
            waiting = counted + self._waiting
            self._waiting = Counter(dict(sorted(waiting.items())[-LONGEST:]))
            self._busy = False


def write(counts: Counts) -> None:
    """Add ``counts`` to the rows."""
    with transaction.atomic(using=router.db_for_write(VoiceRefusal)):
        for (hour, reason), count in counts.items():
            _add(hour, reason.value, count)


def _add(hour: datetime, reason: str, count: int) -> None:
    row = VoiceRefusal.objects.filter(hour=hour, reason=reason)
    if row.update(count=F("count") + count):
        return
    try:
        with transaction.atomic(using=router.db_for_write(VoiceRefusal)):
            VoiceRefusal.objects.create(hour=hour, reason=reason, count=count)
    except IntegrityError:  # another process was first
        row.update(count=F("count") + count)


visitors = TurnedAway(write)
