"""The credential of a live session: announced before it runs out, and taken anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from math import inf, isinf
from typing import Any

from django.db import Error as DatabaseFault

from voice import gate, origins
from voice.admission.store import StoreUnavailable
from voice.protocol.commands import TellError, TellExpiring
from voice.protocol.outcomes import EndReason
from voice.protocol.proof import Proof
from voice.session import Session
from voice.tokens import Identity, Unauthenticated, authenticate


class Credential:
    """That of ``session``, whose visitor came in by the WebSocket ``scope`` as ``identity``."""

    def __init__(self, scope: Mapping[str, Any], identity: Identity, session: Session) -> None:
        self._scope, self._user_id, self._session = scope, identity.user.pk, session
        self._proof = Proof(_on_the_loops_clock(identity.expires_at))
        self._renewed = asyncio.Event()

    async def watch(self) -> None:
        """Tell the visitor when the proof runs out, and end the session when it has."""
        while True:
            await self._until_due()
            match self._proof.receive_timeout(asyncio.get_running_loop().time()):
                case TellExpiring() as told:
                    self._session.tell(told)
                case EndReason() as reason:
                    self._session.end(reason)
                    return

    async def renew(self, token: str) -> None:
        """Take a new credential of the same user, or say why not; the session goes on either way."""
        refusal = await self._refusal(token)
        if refusal is not None:
            self._session.tell(refusal)

    async def _refusal(self, token: str) -> TellError | None:
        try:
            fresh = await authenticate(token, spend=gate.store().spend)
        except Unauthenticated:
            return TellError("invalid_field", "token is not accepted.", "token")
        except (StoreUnavailable, TimeoutError, DatabaseFault):
            return TellError("unavailable", "token cannot be checked at the moment. Send one again.", "token")
        if fresh.user.pk != self._user_id:
            return TellError("invalid_field", "token is another user's.", "token")
        if not origins.admits(self._scope, fresh):
            return TellError("invalid_field", "token is another page's.", "token")
        self._proof.renew(_on_the_loops_clock(fresh.expires_at))
        self._renewed.set()
        return None

    async def _until_due(self) -> None:
        self._renewed.clear()
        due = self._proof.deadline
        try:
            async with asyncio.timeout_at(None if isinf(due) else due):
                await self._renewed.wait()
        except TimeoutError:
            return


def _on_the_loops_clock(expires_at: float | None) -> float:
    # Once, at the door: from here on, setting the server's clock neither prolongs a credential nor ends one.
    if expires_at is None:
        return inf
    return asyncio.get_running_loop().time() + expires_at - time.time()
