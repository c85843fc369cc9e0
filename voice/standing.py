"""May who is talking still talk? Asked again and again during a session, and at once when somebody says so.

A user may be deactivated, deleted, given another password or taken out of the roll-out while they talk. Each session
asks the database every :data:`INTERVAL` seconds, which finds everything, also what was changed beside Django; and
:func:`poke` makes those of one user ask now, which :mod:`voice.signals` does, here and by a message in every process.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import Error as DatabaseFault
from django.utils.crypto import constant_time_compare

from voice import database, gate, live
from voice.admission.rollout import Rollout
from voice.protocol.outcomes import EndReason

MESSAGE = "voice.standing"
"""Type of the message to all processes. ``user`` in it is the primary key as text; without, it concerns everybody."""

INTERVAL = 30.0
"""Seconds between two questions of one session."""
FIRST_WITHIN = 20.0
"""Seconds within which a session asks first, at random, so that those that began together do not ask together. Shorter
than the interval: ten seconds may lie between the look at the credential and the first word."""
ANSWER_SECONDS = 2.0
"""How long the database may take. One that does not answer ends nobody's session."""
SPACING = 0.001
"""Seconds between one session's question and the next one's when everybody is to ask."""

_Ear = tuple[asyncio.AbstractEventLoop, asyncio.Event]

_ears: dict[str, set[_Ear]] = {}
_guard = threading.Lock()
_rollout: Rollout | None = None
"""That of the last look."""


async def lost(user: AbstractBaseUser) -> EndReason:
    """Return when ``user``, as the database said when they came in, may no longer talk: why."""
    fingerprint = user.get_session_auth_hash()
    wait = random.uniform(0, FIRST_WITHIN)  # noqa: S311 (it spreads load, it guards nothing)
    with _listening(str(user.pk)) as poked:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await poked.wait()
            poked.clear()
            wait = INTERVAL
            with suppress(TimeoutError, DatabaseFault):
                reason = await database.call(_reason, user.pk, fingerprint, limit=ANSWER_SECONDS)
                if reason is not None:
                    return reason


def poke(user_id: str | None) -> None:
    """Have the sessions of this user in this process ask at once; ``None``: everybody's, one after the other.

    From any thread. Nothing happens where the user is not talking.
    """
    with _guard:
        ears = [ear for mine in _ears.values() for ear in mine] if user_id is None else [*_ears.get(user_id, ())]
    for position, (loop, poked) in enumerate(ears):
        with suppress(RuntimeError):  # the loop is closed, and the session with it
            loop.call_soon_threadsafe(loop.call_later, position * SPACING, poked.set)


def look() -> None:
    """Learn what staff have decided meanwhile. Another roll-out concerns everybody who talks. Blocking."""
    global _rollout
    gate.look()
    before, _rollout = _rollout, live.last().rollout
    if before not in (None, _rollout):
        poke(None)


def hear(message: Mapping[str, Any]) -> None:
    """A :data:`MESSAGE` has come, from this process or another."""
    poke(message.get("user"))


def _reason(user_id: Any, fingerprint: str) -> EndReason | None:
    user = get_user_model()._default_manager.filter(pk=user_id).first()
    if user is None or not user.is_active:
        return EndReason.REVOKED
    if not constant_time_compare(user.get_session_auth_hash(), fingerprint):  # another password
        return EndReason.REVOKED
    return gate.flag().decide(user)


@contextmanager
def _listening(user_id: str) -> Iterator[asyncio.Event]:
    poked = asyncio.Event()
    ear = (asyncio.get_running_loop(), poked)
    with _guard:
        _ears.setdefault(user_id, set()).add(ear)
    try:
        yield poked
    finally:
        with _guard:
            _ears[user_id].discard(ear)
            if not _ears[user_id]:
                del _ears[user_id]
