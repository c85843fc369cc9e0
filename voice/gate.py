"""The admission objects that the faces of this process share, made from the settings.

The widget's tag, the ticket and the socket ask the same two, so that they agree.
"""

from __future__ import annotations

from functools import cache

from django.db import Error as DatabaseFault

from voice import starts
from voice.admission.flag import Flag, MasterFlag
from voice.admission.limits import HOUR_SECONDS
from voice.admission.memory import MemoryStore
from voice.admission.store import AdmissionStore, StoreUnavailable
from voice.conf import conf, enabled


@cache
def flag() -> Flag:
    """Whether voice is on, and for whom."""
    return MasterFlag(enabled)


@cache
def store() -> AdmissionStore:
    """Who has started, who talks, and which tickets are spent: in Redis where the site has one, else in here."""
    if not conf().redis_url:
        return MemoryStore()
    from voice.admission.redis.store import RedisStore

    return RedisStore(conf().redis_url, conf().redis_prefix, _history)


async def close() -> None:
    """Give up the connections of this process and event loop."""
    if store.cache_info().currsize:
        await store().close()


async def _history(user_id: str) -> list[tuple[str, float]]:
    try:
        return await starts.of_user(user_id, HOUR_SECONDS)
    except (DatabaseFault, TimeoutError) as error:
        raise StoreUnavailable("the records cannot be read") from error
