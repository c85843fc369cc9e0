"""Signs of life of the sessions that this process holds: one statement every ten seconds, however many there are.

Whoever finds a row without an end and without a sign of life for thirty seconds ends it (:mod:`voice.reaper`).
"""

from __future__ import annotations

import asyncio
import logging
import uuid

from django.db import Error as DatabaseFault

from voice import database, ends

log = logging.getLogger("voice.records")

INTERVAL = 10.0
"""Between two signs of life of a session; two of them may be missed (:data:`voice.ends.LOST_SECONDS`)."""
LIMIT = 5.0
"""Seconds that one may take."""

_held: set[uuid.UUID] = set()


def hold(session_id: uuid.UUID) -> None:
    """This process holds the session from now on."""
    _held.add(session_id)


def release(session_id: uuid.UUID) -> None:
    """It is over, or somebody else's."""
    _held.discard(session_id)


async def run() -> None:
    """Say every ten seconds that they live, until cancelled."""
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await database.call(ends.signs_of_life, tuple(_held), limit=LIMIT)
        except (DatabaseFault, TimeoutError) as error:
            log.warning("%d sessions could not be said to live: %s", len(_held), type(error).__name__)
        except Exception:  # whatever it is, the conversations beside go on
            log.exception("%d sessions could not be said to live", len(_held))
