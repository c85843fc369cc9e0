"""What a client says, passed on to its session as it comes. Nothing here waits for anything but the next message."""

from __future__ import annotations

import asyncio
import contextvars

from voice.bypass import Bypass
from voice.credential import Credential
from voice.frames import Frames, Over
from voice.protocol import commands as c
from voice.protocol.outcomes import EndReason
from voice.protocol.wires.base import Frame, Said
from voice.protocol.wires.messages import Commit, Discard, End, RefreshAuth, Start
from voice.session import Session


class Hearing:
    """The receive path of one conversation. Made for one :meth:`run`."""

    __slots__ = ("_context", "_credential", "_frames", "_over", "_refreshing", "_session", "_tasks")

    def __init__(self, frames: Frames, session: Session, credential: Credential) -> None:
        self._frames, self._session, self._credential = frames, session, credential
        self._refreshing: asyncio.Task[None] | None = None
        self._over = False

    async def run(self, bypass: Bypass, first: Said | None) -> None:
        """Hear ``first``, and then what comes: past the server's queue where there is a way, and by it."""
        self._context = contextvars.copy_context()
        async with asyncio.TaskGroup() as self._tasks:
            with bypass.lent(self.hear):
                if first is not None:
                    self._obey(first)
                try:
                    while True:
                        self._obey(await self._frames.next())
                except Over as over:
                    self._end(over.reason)

    def hear(self, frame: Frame) -> bool:
        """Take a message that has not come by the queue, or leave it to the queue. Raises nothing."""
        if isinstance(frame, str):
            return self._read(frame)
        if not self._frames.takes(frame):
            return False
        self._session.push_audio(frame)
        return True

    def _read(self, text: str) -> bool:
        if self._over:
            return False
        try:
            self._context.run(self._obey_all, text)  # called by the server, which is in nobody's context
        except Over as over:
            self._end(over.reason)
        except Exception as fault:
            self._session.fail(fault)
        return True

    def _obey_all(self, text: str) -> None:
        for said in self._frames.said(text):
            self._obey(said)

    def _obey(self, said: Said) -> None:
        if isinstance(said, bytes):
            self._session.push_audio(said)
            return
        session = self._session
        if isinstance(said, End):
            session.end(EndReason.CLIENT_HANGUP)
            return
        session.take_up()
        match said:
            case Commit():
                session.release_push()
            case Discard():
                session.discard_push()
            case Start():
                session.tell(c.TellError("unexpected", "start comes first and once.", "type"))
            case RefreshAuth():
                self._refresh(said.token)
            case c.ToBrowser():
                session.tell(said)
            case _:
                session.receive(said)

    def _refresh(self, token: str) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = self._tasks.create_task(self._credential.renew(token))
        else:
            self._session.tell(c.TellError("unexpected", "One auth.refresh at a time.", "type"))

    def _end(self, reason: EndReason) -> None:
        self._over = True
        self._session.end(reason)
