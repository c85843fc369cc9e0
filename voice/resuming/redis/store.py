"""Conversations that wait where every process finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voice.admission.redis.clients import Clients
from voice.admission.redis.scripts import CLOCK, Script
from voice.resuming.sealing import Seal
from voice.resuming.store import CLOSED_SECONDS, KEPT_SECONDS, Holder, Kept, ResumeStore

_FOLDER = Path(__file__).parent


class RedisResumeStore(ResumeStore):
    """A hash for each conversation, and scripts on Redis's own clock.

    Every key begins with ``{prefix}``, so all are in one slot of a cluster, and expires by itself. What was said is
    sealed before it leaves this process. Who waits (user, origin) is not: Redis has it beside the leases anyway.
    """

    clock = CLOCK
    """The Lua function that tells the time."""

    def __init__(self, url: str, prefix: str, seal: Seal) -> None:
        self._prefix, self._seal = f"{{{prefix}}}:", seal
        self._clients = Clients(url)
        begin = self.clock + _source("places")
        names = "keep", "take", "reissue", "forget"
        self._keep, self._take, self._reissue, self._forget = (Script(begin + _source(name)) for name in names)

    async def keep(self, session_id: str, kept: Kept) -> bool:
        """See the port."""
        return bool(await self._kept(session_id, kept))

    async def take(self, session_id: str, holder: Holder, digest: str) -> Kept | None:
        """See the port."""
        found = await self._ask(self._take, session_id, holder.user_id, digest, holder.user_id, holder.origin)
        if not found:
            return None
        browser, sealed = found
        text = self._seal.open(sealed, session_id)
        return None if text is None else Kept(Holder(holder.user_id, holder.origin, browser), digest, text)

    async def give_back(self, session_id: str, kept: Kept) -> None:
        """See the port."""
        await self._kept(session_id, kept, "1")

    async def reissue(self, session_id: str, holder: Holder, digest: str) -> bool:
        """See the port."""
        who = holder.user_id, holder.origin, holder.browser
        return bool(await self._ask(self._reissue, session_id, holder.user_id, digest, *who))

    async def forget(self, session_id: str, user_id: str) -> None:
        """See the port."""
        await self._ask(self._forget, session_id, user_id)

    async def forget_user(self, user_id: str) -> int:
        """See the port."""
        client: Any = self._clients.client()
        sessions = await self._clients.answer(client.smembers(self._of(user_id)))
        return sum([await self._ask(self._forget, session_id, user_id) for session_id in sessions])

    async def close(self) -> None:
        """See the port."""
        await self._clients.close()

    async def _kept(self, session_id: str, kept: Kept, *again: str) -> Any:
        who, text = kept.holder, self._seal.seal(kept.text, session_id)
        about = kept.digest, who.user_id, who.origin, who.browser, text
        return await self._ask(self._keep, session_id, who.user_id, *about, *again)

    async def _ask(self, script: Script, session_id: str, user_id: str, *more: str) -> Any:
        spans = round(KEPT_SECONDS * 1000), round(CLOSED_SECONDS * 1000)
        keys = [self._key(session_id), self._of(user_id)]
        return await self._clients.answer(self._run(script, keys, (*spans, session_id, *more)))

    async def _run(self, script: Script, keys: list[str], arguments: tuple[str | int, ...]) -> Any:
        return await self._clients.run(script, keys, arguments)

    def _key(self, session_id: str) -> str:
        return f"{self._prefix}conversation:{session_id}"

    def _of(self, user_id: str) -> str:
        return f"{self._prefix}conversations:{user_id}"


def _source(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text()
