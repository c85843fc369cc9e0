"""May who is talking still talk? Asked again and again during a session, and at once when somebody says so.

A user may be deactivated, deleted, given another password or taken out of the roll-out while they talk. Each process
asks the database every :data:`INTERVAL` seconds about everybody who talks in it, which finds everything, also what was
changed beside Django; and :func:`poke` makes it ask now about one user, which :mod:`voice.signals` does, here and by a
message in every process.

About many at a time: a question for each session alone, with all that Django does for a query, was a fiftieth of what a
conversation costs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import Error as DatabaseFault
from django.utils.crypto import constant_time_compare

from voice import database, gate, live
from voice.admission.rollout import Rollout
from voice.protocol.outcomes import EndReason

log = logging.getLogger("voice.standing")

MESSAGE = "voice.standing"
"""Type of the message to all processes. ``user`` in it is the primary key as text; without, it concerns everybody."""

INTERVAL = 20.0
"""Seconds between two questions about everybody. Ten more may lie between the look at the credential and the first
word, so whoever may not talk does not for longer than thirty."""
ANSWER_SECONDS = 2.0
"""How long the database may take. One that does not answer ends nobody's session."""
BATCH = 50
"""Sessions that one question is about: a roll-out by group asks about each of them, in one of few threads."""


@dataclass(eq=False, slots=True)
class _Talker:
    """One session. ``fingerprint`` is of the password that its user had when they came in."""

    user_id: Any
    fingerprint: str
    lost: asyncio.Future[EndReason]


@dataclass(eq=False, slots=True)
class _Register:
    """Who talks on one event loop, and whom it is to ask about at once, by the primary key as text."""

    talkers: set[_Talker] = field(default_factory=set)
    poked: set[str | None] = field(default_factory=set)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    users: int = 0
    """Those who talk, and who asks."""

    def poke(self, user_id: str | None) -> None:
        """Ask about this user; ``None``: about everybody."""
        self.poked.add(user_id)
        self.wanted.set()

    def concerned(self) -> list[_Talker]:
        """Those to ask about, who are then asked about."""
        poked, self.poked = self.poked, set()
        self.wanted.clear()
        return [each for each in self.talkers if None in poked or str(each.user_id) in poked]


_registers: dict[asyncio.AbstractEventLoop, _Register] = {}
_guard = threading.Lock()
_rollout: Rollout | None = None
"""That of the last look."""


async def lost(user: AbstractBaseUser) -> EndReason:
    """Return when ``user``, as the database said when they came in, may no longer talk: why. While :func:`run` runs."""
    talker = _Talker(user.pk, user.get_session_auth_hash(), asyncio.get_running_loop().create_future())
    with _register() as register:
        register.talkers.add(talker)
        try:
            return await talker.lost
        finally:
            register.talkers.remove(talker)


async def run() -> None:
    """Ask, for all who talk on this event loop, until cancelled. Raises nothing."""
    now = asyncio.get_running_loop().time
    with _register() as register:
        due = now() + INTERVAL
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await register.wanted.wait()
            if now() >= due:  # also where the next poke comes before the last is answered, again and again
                register.poke(None)
                due = now() + INTERVAL
            for batch in _batches(register.concerned()):
                await _ask(batch)


def poke(user_id: str | None) -> None:
    """Have this process ask at once about the sessions of this user; ``None``: about everybody's.

    From any thread. Nothing happens where the user is not talking.
    """
    with _guard:
        registers = list(_registers.items())
    for loop, register in registers:
        with suppress(RuntimeError):  # the loop is closed, and its sessions with it
            loop.call_soon_threadsafe(register.poke, user_id)


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


async def _ask(talkers: Sequence[_Talker]) -> None:
    try:
        reasons = await database.call(_reasons, talkers, limit=ANSWER_SECONDS)
    except (TimeoutError, DatabaseFault):
        return
    except Exception:  # of the site's own user model: the conversations go on, and so do the questions
        log.exception("whether %d sessions may go on cannot be said", len(talkers))
        return
    for talker, reason in zip(talkers, reasons, strict=True):
        if reason is not None and not talker.lost.done():
            talker.lost.set_result(reason)


def _reasons(talkers: Sequence[_Talker]) -> list[EndReason | None]:
    """Why each of these may talk no more, or ``None``. Blocking. Raises the database's errors."""
    users = get_user_model()._default_manager.in_bulk({each.user_id for each in talkers})
    return [_reason(users.get(each.user_id), each.fingerprint) for each in talkers]


def _reason(user: AbstractBaseUser | None, fingerprint: str) -> EndReason | None:
    if user is None or not user.is_active:
        return EndReason.REVOKED
    if not constant_time_compare(user.get_session_auth_hash(), fingerprint):  # another password
        return EndReason.REVOKED
    reason = gate.flag().decide(user)
    if reason is EndReason.NOT_IN_ROLLOUT and not _is_there(user):  # deleted meanwhile, and so in no group any more
        return EndReason.REVOKED
    return reason


def _is_there(user: AbstractBaseUser) -> bool:
    return get_user_model()._default_manager.filter(pk=user.pk).exists()


def _batches(talkers: Sequence[_Talker]) -> Iterator[Sequence[_Talker]]:
    for first in range(0, len(talkers), BATCH):
        yield talkers[first : first + BATCH]


@contextmanager
def _register() -> Iterator[_Register]:
    """That of this event loop, for as long as somebody is in it."""
    loop = asyncio.get_running_loop()
    with _guard:
        register = _registers.setdefault(loop, _Register())
        register.users += 1
    try:
        yield register
    finally:
        with _guard:
            register.users -= 1
            if not register.users:
                del _registers[loop]
