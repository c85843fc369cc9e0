"""A second connection that hears the same audio as the conversation, and only writes what is said.

It is a convenience of the first and can neither delay nor break it: what goes to it waits in a lane of its own that
nobody waits for, and all that happens to it ends in one exception of :meth:`SecondSocket.run`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from voice.protocol.commands import ClearAudio, CommitAudio
from voice.protocol.events import Fault, UpstreamEvent
from voice.upstream.base import UpstreamError, UpstreamProtocolError, UpstreamSession
from voice.upstream.openai import configuration, handshake, wire
from voice.upstream.openai.lane import Lane
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.transport import TransportFactory

_COMMIT, _CLEAR = wire.encode(CommitAudio()), wire.encode(ClearAudio())


class SecondSocket:
    """One transcription session, :meth:`run` once. The other methods may be called at any time and never wait."""

    def __init__(self, session: UpstreamSession, options: OpenAIOptions, transport: TransportFactory) -> None:
        self.decoder = wire.Decoder()
        self._session, self._options = session, options
        self._transport = transport(options)
        self._lane = Lane()
        self._due = asyncio.Event()

    def push(self, frame: bytes, milliseconds: int) -> None:
        """Send a frame of audio (as :func:`~voice.upstream.openai.wire.append` makes it) when it can take one."""
        self._lane.push(frame, milliseconds)
        self._due.set()

    def commit(self) -> bool:
        """An utterance is over. Whether there is enough of it to be committed."""
        self._due.set()
        return self._lane.commit(_COMMIT)

    def clear(self) -> None:
        """Forget what was said since the last commit."""
        self._lane.clear(_CLEAR)
        self._due.set()

    async def run(
        self, opened: Callable[[], Awaitable[None]], tell: Callable[[UpstreamEvent], Awaitable[None]]
    ) -> NoReturn:
        """Dial, then send what is pushed and ``tell`` what is heard, until it fails; then the connection is closed.

        ``opened`` is awaited as soon as the service takes audio.

        Raises:
            UpstreamError: always, in the end.
        """
        try:
            await self._open()
            await opened()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send())
                tasks.create_task(self._receive(tell))
            raise AssertionError("both only end by failing")
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            await self._transport.close()

    async def _open(self) -> None:
        options = self._options
        url, update = handshake.transcription_url(options), configuration.second_session_update(options, self._session)
        asked, given = await handshake.begin(self._transport, self.decoder, options, url, update)
        essential, _ = configuration.differences(asked, given, "")
        if essential:
            raise UpstreamProtocolError(f"session differs in {', '.join(essential)}")

    async def _send(self) -> NoReturn:
        while True:
            await self._due.wait()
            self._due.clear()
            while (frame := self._lane.pop()) is not None:
                await self._transport.send(frame)

    async def _receive(self, tell: Callable[[UpstreamEvent], Awaitable[None]]) -> NoReturn:
        while True:
            event = self.decoder.decode(await self._transport.receive())
            if event is None:
                handshake.check_garbage(self.decoder)
            elif isinstance(event, Fault) and event.event_id != wire.COMMIT_ID:
                raise _failure(event)
            else:
                await tell(event)


def _failure(fault: Fault) -> UpstreamError:
    """It has one thing to do. If it complains about anything but a commit, it is not worth keeping."""
    return handshake.FATAL.get(fault.code, UpstreamProtocolError)(fault.code)
