"""The conversation of a live session, kept as it grows, so that it survives its process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from voice import finishing
from voice.admission.store import StoreUnavailable
from voice.protocol.outcomes import EndReason
from voice.resuming.state import State
from voice.resuming.store import Holder, Kept, NothingKept, ResumeStore
from voice.resuming.tokens import ResumeToken

log = logging.getLogger("voice.session")

LOOK_SECONDS = 1.0
"""Between two looks whether something was said. So much of a conversation is lost with a killed process."""
SIGN_OF_LIFE_SECONDS = 5.0
"""After so long it is kept anew though nothing was said: the minute in which a visitor may come back begins then."""
FINISH_SECONDS = 1.0
"""How long the end of a session waits for the store; what it does goes on."""

SURVIVED = frozenset(
    {
        EndReason.CLIENT_AWAY,
        EndReason.CLIENT_LOST,
        EndReason.SERVER_DRAIN,
        EndReason.INTERNAL_ERROR,
        EndReason.LEASE_LOST,
    }
)
"""Ends after which a visitor may be back: the page, the connection or the server was lost. After any other, nothing is
kept."""

Sleep = Callable[[float], Awaitable[None]]


class Keeping:
    """That of the session that ``token`` names."""

    def __init__(self, store: ResumeStore, token: ResumeToken, holder: Holder, *, sleep: Sleep = asyncio.sleep) -> None:
        self._token = token
        self._store, self._holder, self._sleep = store, holder, sleep
        self._state: State | None = None
        self._text = ""

    @property
    def told(self) -> str:
        """The token, as the visitor is told it; empty where nothing is kept."""
        return "" if isinstance(self._store, NothingKept) else self._token.text

    async def run(self, state: Callable[[], State | None]) -> None:
        """Keep what ``state`` gives whenever that has changed; ``None``: there is nothing to keep yet.

        Returns when it may not be kept any more.
        """
        kept, quiet, answering = None, 0.0, True
        while True:
            now = state()
            if now is not None and (now != kept or quiet >= SIGN_OF_LIFE_SECONDS):
                try:
                    if not await self._store.keep(self._token.session_id, self._kept(now)):
                        return
                    kept, quiet, answering = now, 0.0, True
                except StoreUnavailable:
                    if answering:
                        log.warning("session %s: its conversation cannot be kept", self._token.session_id)
                    answering = False
            await self._sleep(LOOK_SECONDS)
            quiet += LOOK_SECONDS

    async def finish(self, reason: EndReason, state: State) -> None:
        """The session has ended: the last of it is kept, or nothing is; also where its caller is cancelled."""
        await finishing.waited(finishing.begin(self._finish(reason, state)), FINISH_SECONDS)

    async def _finish(self, reason: EndReason, state: State) -> None:
        try:
            if reason in SURVIVED:
                await self._store.keep(self._token.session_id, self._kept(state))
            else:
                await self._store.forget(self._token.session_id, self._holder.user_id)
        except StoreUnavailable:
            log.warning("session %s: what was kept of it ends by itself", self._token.session_id)

    def _kept(self, state: State) -> Kept:
        if state is not self._state:  # a sign of life repeats what was written
            self._state, self._text = state, state.to_json()
        return Kept(self._holder, self._token.digest, self._text)
