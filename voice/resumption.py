"""The visitor comes back: who may go on with which conversation, as this site has it.

Ticket and socket ask the same store, so that they agree: in Redis where the site has one and a key to seal with, in
this process's memory where it has none, and nowhere where the site wants nothing kept.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache

from django.http import HttpRequest

from voice import finishing, gate
from voice.admission.store import ANSWER_SECONDS, StoreUnavailable
from voice.conf import conf
from voice.frames import Over
from voice.protocol.outcomes import EndReason, Retry
from voice.resuming.keeping import Keeping
from voice.resuming.memory import MemoryResumeStore
from voice.resuming.state import State
from voice.resuming.store import Holder, Kept, NothingKept, ResumeStore
from voice.resuming.tokens import ResumeToken
from voice.session import Session
from voice.wiring import Past

log = logging.getLogger(__name__)


@cache
def store() -> ResumeStore:
    """Where conversations wait."""
    settings = conf()
    if not settings.resume or (settings.redis_url and not settings.resume_keys):
        return NothingKept()
    if not settings.redis_url:
        return MemoryResumeStore()
    from voice.resuming.redis.store import RedisResumeStore
    from voice.resuming.sealing import Seal

    return RedisResumeStore(settings.redis_url, settings.redis_prefix, Seal(settings.resume_keys))


async def close() -> None:
    """Give up the connections of this process and event loop."""
    if store.cache_info().currsize:
        await store().close()


# -- the socket's side ---------------------------------------------------------------------------------------------


class Beginning:
    """The conversation that a session begins with, and keeps while it goes on. A new one holds nothing."""

    def __init__(self, keeping: Keeping, state: State, resumed_from: str = "", notices: tuple[str, ...] = ()) -> None:
        self.state = state
        """As it stood at the beginning."""
        self.resumed_from = resumed_from
        """The session that it goes on from; empty: it is new."""
        self.went_on = False
        """Whether the visitor could speak: from then on this session keeps the conversation."""
        self._keeping, self._notices = keeping, notices
        self._latest, self._revision = state, -1

    def past(self, seconds: float) -> Past:
        """What the session has behind it, where a conversation may last so many ``seconds``. Raises :class:`Over`."""
        left = seconds - max(0.0, time.time() - self.state.began_at)
        if left < 1:
            raise Over(EndReason.MAX_DURATION)
        return Past(left, self.state.turns, self.state.history, self._keeping.told, self._notices)

    async def keep(self, session: Session) -> None:
        """Keep the conversation as it grows. Returns when it may not be kept any more."""
        await self._keeping.run(lambda: self._now(session))

    async def finish(self, reason: EndReason, session: Session) -> None:
        """The session has ended: the last of it is kept, or nothing is."""
        self.went_on = session.began
        state = self._now(session)
        if state is not None:
            await self._keeping.finish(reason, state)

    def _now(self, session: Session) -> State | None:
        """``None`` before the visitor can speak. The same as the last time, if nothing has happened since: to put a
        long history together takes a fifth of a millisecond, and each session is asked for its own once a second."""
        if not session.began:
            return None
        if session.revision != self._revision:
            self._revision = session.revision
            spent = self.state.spent + (session.cost or 0)
            self._latest = replace(self.state, turns=session.turns, spent=spent, history=session.history)
        return self._latest


@asynccontextmanager
async def resumed(raw: str, session_id: str, holder: Holder, *, kept: bool) -> AsyncIterator[Beginning]:
    """What the token ``raw`` is good for; or else a new conversation, named after the session that begins. With
    ``kept``, it is kept for its visitor in turn.

    A conversation that was taken and that could not go on, for a reason that may pass, is given back at the end, so
    that the same token is good for the next try. Raises :class:`Over`.
    """
    keeping = Keeping(store() if kept else NothingKept(), ResumeToken.new(session_id), holder)
    token = ResumeToken.parse(raw)
    taken = await _taken(token, holder) if token else None
    state = _read(taken)
    if token is None or taken is None or state is None:
        notices = ("not_resumed",) if raw else ()
        yield Beginning(keeping, State(session_id, time.time()), notices=notices)
        return
    beginning, passing = Beginning(keeping, state, token.session_id), True
    try:
        yield beginning
    except Over as over:
        passing = over.reason.ending.retry is not Retry.NO
        raise
    finally:
        if passing and not beginning.went_on:
            await finishing.waited(finishing.begin(_give_back(token.session_id, taken)), ANSWER_SECONDS)


async def _taken(token: ResumeToken, holder: Holder) -> Kept | None:
    try:
        return await store().take(token.session_id, holder, token.digest)
    except StoreUnavailable as error:
        gate.refused(error.reason)
        raise Over(error.reason) from None


def _read(kept: Kept | None) -> State | None:
    try:
        return State.from_json(kept.text) if kept else None
    except ValueError:
        log.warning("a conversation that another version has kept cannot be read")
        return None


async def _give_back(session_id: str, kept: Kept) -> None:
    try:
        await store().give_back(session_id, kept)
    except StoreUnavailable:
        log.warning("session %s: its conversation could neither go on nor be given back", session_id)


# -- the page's side -----------------------------------------------------------------------------------------------


def browser(request: HttpRequest) -> str:
    """Which Django session a page has: a digest, for it goes where the key of that session must not."""
    key = request.session.session_key
    return hashlib.sha256(f"voice.browser:{key}".encode()).hexdigest() if key else ""


async def reissue(session_id: str, holder: Holder) -> str | None:
    """A new token for the conversation of a session that this page had; ``None``: there is nothing to go on with.

    Raises:
        StoreUnavailable: It cannot be known.
    """
    token = ResumeToken.new(session_id)
    return token.text if await store().reissue(session_id, holder, token.digest) else None


async def forget_user(user_id: object) -> int:
    """Nothing of a user's conversations is kept any more; how many there were. Raises :class:`StoreUnavailable`."""
    return await store().forget_user(str(user_id))
