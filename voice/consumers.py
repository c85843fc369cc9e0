"""The socket's face: who may come in, what is said, and a goodbye with a reason.

:class:`VoiceConsumer` takes over the whole life of its socket instead of Channels' dispatch. That hands every message,
so every 40 ms of audio, to the one thread in which Django tidies its database connections: half of the CPU, and a
stall behind any slow query of the process. Here a frame goes straight to the session.

A refusal is accepted first and then explained, because a browser cannot see why a handshake failed; and the upstream
is dialled after the accept, because Daphne allows five seconds for a handshake.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine
from typing import Any, TypeVar

from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest
from django.utils import translation

from voice import (
    bypass,
    departures,
    entrance,
    gate,
    guarding,
    heartbeat,
    logs,
    origins,
    reaper,
    resumption,
    scoping,
    standing,
    wiring,
)
from voice.admission.lease import Lease, held
from voice.conf import conf
from voice.credential import Credential
from voice.door import Place
from voice.following import Follower, Hearer, followed
from voice.frames import Frames, Over
from voice.hearing import Hearing
from voice.messages import MESSAGES
from voice.observed import Observed
from voice.protocol import commands as c
from voice.protocol.events import TextSubmitted
from voice.protocol.outcomes import LEFT, REFUNDED, EndReason
from voice.protocol.wires.base import Said
from voice.protocol.wires.messages import End, Start
from voice.records import Recorder
from voice.resuming.store import Holder
from voice.resumption import Beginning
from voice.session import Session
from voice.telling import Telling
from voice.tokens import Identity

T = TypeVar("T")

log = logging.getLogger("voice.session")

FIRST_MESSAGE_LIMIT = 10.0
"""Seconds in which a client must say something, also one that is refused."""
SHORT_ID = 8
"""Digits of a session's id that a visitor is told."""
GOODBYE_LIMIT = 2.0
"""Seconds for the goodbye to leave."""
HASTY = frozenset({EndReason.TIMEOUT, EndReason.SERVER_DRAIN})
"""Goodbyes that do not wait for a client's first message: it has had the time, or the server has none."""
TO_THE_WIRE = 2
"""Rounds of the event loop in which what was sent to Daphne is written to the socket: it looks which sockets take
something behind what was ready before."""

HEARERS: dict[str, Hearer] = {standing.MESSAGE: standing.hear}
"""What is done at once with the messages of other processes, by their type."""


class VoiceConsumer(AsyncWebsocketConsumer):
    """One conversation, over the wire that the client asked for."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Accept, converse, say goodbye. Nothing is raised but a cancellation: Daphne's housekeeping dies of it."""
        self.scope, self.base_send = scope, send
        self._wire = wiring.wire(scope["url_route"]["kwargs"].get("wire"), scope["subprotocols"])
        self._place: Place = scope["voice_place"]
        self._frames = Frames(receive, self._wire)
        self._bypass = bypass.of_scope(scope)
        self._telling = Telling(self._wire, send, self._bypass)
        self._language = translation.get_language_from_request(_request(scope))
        await receive()  # websocket.connect
        await self.accept(self._wire.subprotocol if self._wire.subprotocol in scope["subprotocols"] else None)
        try:
            await self._converse()
        except Over as over:
            hasty = over.reason in HASTY or not self._place.allowed
            await self._say_goodbye(over, patience=0.0 if hasty else FIRST_MESSAGE_LIMIT)
        except asyncio.CancelledError:
            await self._say_goodbye(Over(EndReason.SERVER_DRAIN))
            raise
        except Exception:
            log.exception("a conversation failed")
            await self._say_goodbye(Over(EndReason.INTERNAL_ERROR))

    # -- getting in ----------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        """One conversation. Ends in :class:`Over`, always."""
        identity, limits = await entrance.admitted(self.scope, self._wire)
        session_id = uuid.uuid4().hex
        logs.current.set(session_id)
        admitted = c.TellAdmitted(session_id, int(time.time() + limits.session_seconds))
        start, first = await self._begun(admitted)
        self._language = wiring.language(start)
        holder = Holder(str(identity.user.pk), origins.of_scope(self.scope), identity.browser)
        async with resumption.resumed(start.resume, session_id, holder, kept=self._wire.resumes) as beginning:
            allowance = await entrance.allowance(identity, beginning.state.spent)
            past = beginning.past(limits.session_seconds)
            await entrance.take_place(self.scope, session_id, holder.user_id, limits, beginning.resumed_from)
            async with (
                held(gate.store(), session_id) as lease,
                followed(standing.look, HEARERS, _look_after) as follower,
                wiring.recorder(session_id, start) as recorder,
            ):
                found, observed = await scoping.scope_of(identity.user), Observed(recorder)
                session = wiring.session(
                    session_id,
                    start,
                    self._telling,
                    observed,
                    limits,
                    past,
                    found,
                    allowance,
                    reports=self._wire.reports,
                )
                await entrance.open_record(recorder, session, identity, start.notice, beginning)
                live = self._live(session, recorder, observed, lease, follower, identity, first, beginning)
                raise Over(await live, session.retry_after_ms)

    async def _first_message(self, admitted: c.TellAdmitted) -> tuple[Start, Said | None]:
        """How the conversation is to be, and what was said instead of that, if it was not said first."""
        try:
            async with asyncio.timeout(FIRST_MESSAGE_LIMIT):
                await self._telling.tell(admitted)
                while True:
                    match said := await self._frames.next():
                        case Start():
                            return said, None
                        case bytes() | TextSubmitted():
                            return Start(), said
                        case End():
                            raise Over(EndReason.CLIENT_HANGUP)
                        case c.ToBrowser():
                            await self._telling.tell(said)
                        case _:
                            await self._telling.tell(c.TellError("unexpected", "Say start first, or ask something."))
        except TimeoutError:
            start = self._wire.unasked()
            if start is None:
                raise Over(EndReason.TIMEOUT) from None
            return start, None

    async def _begun(self, admitted: c.TellAdmitted) -> tuple[Start, Said | None]:
        try:
            return await _unless_called(self._first_message(admitted))
        except Over as over:
            if over.reason not in LEFT:  # who goes before a conversation begins was not turned away
                gate.refused(over.reason)
            raise
        except OSError:  # how servers say that nobody is there any more, before they say it to those who listen
            raise Over(EndReason.CLIENT_LOST) from None

    # -- the conversation ----------------------------------------------------------------------------------------

    async def _live(
        self,
        session: Session,
        recorder: Recorder,
        observed: Observed,
        lease: Lease,
        follower: Follower,
        identity: Identity,
        first: Said | None,
        beginning: Beginning,
    ) -> EndReason:
        reason = EndReason.INTERNAL_ERROR
        self._place.got_in()
        credential = Credential(self.scope, identity, session)
        upstream, terms = session.upstream, session.terms
        observed.began(upstream.provider, upstream.model, terms.language, terms.prices.currency)
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(Hearing(self._frames, session, credential).run(self._bypass, first)),
                    tasks.create_task(credential.watch()),
                    tasks.create_task(_end_when_revoked(session, identity)),
                    tasks.create_task(_end_when_lost(session, lease)),
                    tasks.create_task(_end_when_off(session, follower)),
                    tasks.create_task(beginning.keep(session)),
                    tasks.create_task(_end_when_called(session)),
                ]
                reason = await session.run(lease)
                for task in beside:
                    task.cancel()
        except asyncio.CancelledError:
            reason = EndReason.SERVER_DRAIN
            raise
        finally:
            if reason is EndReason.NO_MICROPHONE or (reason in REFUNDED and not session.began):
                lease.refund()
            try:
                await recorder.finish(reason)
            finally:
                await beginning.finish(reason, session)
            observed.ended(reason, received=self._frames.received, sent=self._telling.sent, depths=session.depths)
        return reason

    # -- out -----------------------------------------------------------------------------------------------------

    async def _say_goodbye(self, over: Over, patience: float = 0.0) -> None:
        """The reason in an event, since Daphne drops the one of the close frame; then the close.

        Daphne resets a connection whose client does not answer a close frame within a second. A client that is busy
        for that long, as when many dial at once, and then sends its first message, finds the connection broken and
        never reads the reason that waits for it. So the close comes after that message, within ``patience`` seconds.
        And where the event loop itself stands still for that second, Daphne resets the connection before what was
        written to it has left: so the reason leaves before the close is written.
        """
        if self._frames.gone:
            return
        with translation.override(self._language):
            message = str(MESSAGES[over.reason])
        if over.reason is EndReason.INTERNAL_ERROR and (session_id := logs.current.get()):
            message = f"{message} ({session_id[:SHORT_ID]})"  # to be told to whoever can look it up
        try:
            async with asyncio.timeout(GOODBYE_LIMIT):
                await self._telling.tell(c.TellEnding(over.reason, message, over.retry_after_ms))
            for _ in range(TO_THE_WIRE):
                await asyncio.sleep(0)
            if patience:
                await self._frames.begun(patience)
            async with asyncio.timeout(GOODBYE_LIMIT):
                if not self._frames.gone:
                    await self.close(over.reason.ending.code)
        except (OSError, TimeoutError):
            log.debug("nobody heard the goodbye")


async def _look_after() -> None:
    """What this process does for the site while it has conversations."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(heartbeat.run())
        tasks.create_task(standing.run())
        tasks.create_task(reaper.run(wiring.spool()))
        tasks.create_task(wiring.prepare_knowledge())
        tasks.create_task(guarding.run(conf().safeguard, conf().prices.currency))


async def _end_when_revoked(session: Session, identity: Identity) -> None:
    session.end(await standing.lost(identity.user))


async def _unless_called(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns, unless the server is stopped before: then :class:`Over`."""
    working = asyncio.create_task(work)
    called = asyncio.create_task(departures.called(lambda: False))
    try:
        await asyncio.wait({working, called}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Over(EndReason.SERVER_DRAIN)
    finally:
        for task in (working, called):
            task.cancel()
        await asyncio.wait({working, called})


async def _end_when_lost(session: Session, lease: Lease) -> None:
    session.end(await lease.lost())


async def _end_when_called(session: Session) -> None:
    await departures.called(lambda: session.busy)
    session.end(EndReason.SERVER_DRAIN)


async def _end_when_off(session: Session, follower: Follower) -> None:
    await follower.until(gate.is_off)
    session.end(EndReason.DISABLED)


def _request(scope: Any) -> HttpRequest:
    """As much of a request as Django needs to choose a language."""
    request = HttpRequest()
    headers = dict(scope["headers"])
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return request
