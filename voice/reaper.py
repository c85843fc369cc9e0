"""What a server left behind when it was killed, or could not write, is brought to its end by another.

Every process that has conversations does this every fifteen seconds, and ``manage.py voice_reap`` does it once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass

from django.db import DataError, IntegrityError
from django.db import Error as DatabaseFault

from voice import database, ends
from voice.ends import End
from voice.spool import Spool, SpoolError
from voice.turns import Facts, Words

log = logging.getLogger("voice.reaper")

INTERVAL = 15.0
"""Seconds between two rounds. With :data:`voice.ends.LOST_SECONDS` a killed session is ended after 45 at most."""
ROUND_LIMIT = 10.0
"""Seconds that a round may take."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    replayed: int
    """Ends and turns that had waited for the database."""
    lost: int
    """Sessions that nobody held any more."""


def reap(spool: Spool, *, lost: bool = True) -> Round:
    """One round: first what is known, then what must be presumed. Blocking. Raises the database's errors."""
    replayed = 0
    try:
        for name, line in spool.waiting():
            replayed += _replay(spool, name, line)
    except (OSError, SpoolError) as error:
        log.error("the spool cannot be read: %s", error)
    return Round(replayed, ends.end_lost() if lost else 0)


async def run(spool: Spool) -> None:
    """Round after round, until cancelled.

    After a round that failed, the next one presumes nobody lost: while the database was away no session could give a
    sign of life, and those that live are given the time to do so.
    """
    trusted = True
    while True:
        try:
            done = await database.call(reap, spool, lost=trusted, limit=ROUND_LIMIT)
            trusted = True
            if done.lost or done.replayed:
                log.warning("%d sessions of lost servers ended, %d records replayed", done.lost, done.replayed)
        except (DatabaseFault, TimeoutError) as error:
            trusted = False
            log.warning("records of lost servers cannot be ended: %s", type(error).__name__)
        except Exception:  # whatever it is, the conversations beside go on
            trusted = False
            log.exception("records of lost servers cannot be ended")
        await asyncio.sleep(INTERVAL)


def _replay(spool: Spool, name: str, line: str) -> int:
    try:
        _bring(line)
    except (ValueError, KeyError, TypeError, DataError, IntegrityError) as error:
        # It would be so the next time, too. The database's other errors say that it is away.
        log.error("the spool holds what cannot be brought, and is set aside: %s (%s)", name, type(error).__name__)
        spool.set_aside(name)
        return 0
    spool.remove(name)
    return 1


def _bring(line: str) -> None:
    said = json.loads(line)
    match said["kind"]:
        case "end":
            ends.write(End.from_json(said))
        case "facts":
            Facts.from_json(said).write()
        case "words":
            Words.from_json(said).write()
        case _:
            raise ValueError("kind")
