"""The end of a server, in order: conversations, what else it serves, what is to be written, connections.

What stock servers do instead is no end for a conversation: Daphne waits for the first of its applications and forgets
the others, and uvicorn closes sockets whose visitors were told nothing.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from voice import departures, finishing, gate, resumption, wiring
from voice.protocol.drain import DrainPolicy

log = logging.getLogger("voice.serving")

LAST_WORDS_LIMIT = 3.0
"""Seconds, after everybody was told, for goodbyes and for pages that are under way."""
CANCELLED_LIMIT = 1.0
"""Seconds for what is cancelled then."""
WRITTEN_LIMIT = 2.0
"""Seconds for the ends of records. What a database does not take by then is in the spool."""
CLOSED_LIMIT = 1.0
"""Seconds to close the connections to other services."""
OVERTIME = 9.0
"""Seconds after the drain in which the process ends, whatever hangs: a thread that waits for a database, for one."""

Applications = Callable[[], Iterable["asyncio.Future[Any]"]]


async def wind_down(applications: Applications, stop_listening: Callable[[], None], policy: DrainPolicy) -> None:
    """Let everything end that this process serves; ``applications`` are those that run at the moment. Once.

    Pages are served until everybody was told. Then nobody may come any more: a page that began after the others were
    waited for would lose its event loop halfway, and its thread would keep the process. A proxy that cannot connect
    asks another process, and no visitor hears of it.
    """
    faulthandler.dump_traceback_later(policy.seconds + OVERTIME, exit=True)
    log.info("is being stopped: conversations have %.0f seconds", policy.seconds)
    await departures.depart(policy)
    stop_listening()
    await _over(applications)
    if not await finishing.settled(WRITTEN_LIMIT):
        log.warning("not everything that ended has been written to the database")
    await asyncio.gather(*map(_closed, (wiring.close, gate.close, resumption.close)))
    log.info("has ended its conversations")


async def _over(applications: Applications) -> None:
    running = set(applications())
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=LAST_WORDS_LIMIT)
    for application in late:
        application.cancel()
    if late:
        await asyncio.wait(late, timeout=CANCELLED_LIMIT)


async def _closed(close: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(CLOSED_LIMIT):
            await close()
    except Exception as error:  # nothing that fails here may keep the process
        log.warning("a connection was not closed: %s", type(error).__name__)
