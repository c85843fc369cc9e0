"""A conversation with the OpenAI Realtime API.

Theory of operation. There is one socket, and :meth:`OpenAIUpstream.events` reads it itself: no task and no queue stands
between the service and the conversation. Only where a second socket writes the visitor's words (from the start, or
after the first turn has shown that the first one writes too late) a task reads each of the two into one bounded queue,
so that events come in the order in which they arrived.

The second socket takes the writing over when it is open, and the conversation's own transcripts are switched off, as
words would come twice. When it is lost, or never opens, they are switched on again and the session goes on with what
there is; it is not dialled again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, Self, TypeGuard

from voice.protocol.audio import duration_ms
from voice.protocol.commands import ClearAudio, CommitAudio, Recall, ToUpstream
from voice.protocol.events import AudioDelta, Fault, ResponseDone, TranscriptBilled, TranscriptDone, UpstreamEvent
from voice.upstream.base import (
    TakeAudio,
    Upstream,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRefused,
    UpstreamSession,
)
from voice.upstream.openai import configuration, handshake, wire
from voice.upstream.openai.circuit import REST_SECONDS, Circuit
from voice.upstream.openai.correlation import Correlation
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.partials import PartialsObserver, tell_operators
from voice.upstream.openai.second_socket import SecondSocket
from voice.upstream.openai.transport import Transport, TransportFactory

logger = logging.getLogger(__name__)

MOST_ARRIVALS = 64
"""Events of two sockets that wait for their reader. Then neither is read, and the services stop sending."""


@dataclass(frozen=True, slots=True)
class Overheard:
    """What the second socket says; ``None`` when it is gone."""

    event: UpstreamEvent | None


Arrival = UpstreamEvent | Overheard | UpstreamError
"""What comes from the first socket, from the second, and the end of the first."""


class OpenAIUpstream(Upstream):
    """The port's :class:`~voice.upstream.base.Upstream`. Entering it takes ``open_timeout`` plus
    ``settings_timeout`` at most.

    ``decoder`` counts what was not understood. ``circuit`` is shared with whoever has the same key.
    """

    provider = "openai"

    def __init__(
        self,
        session: UpstreamSession,
        options: OpenAIOptions,
        transport: TransportFactory = Transport,
        circuit: Circuit | None = None,
    ) -> None:
        self._circuit = circuit or Circuit()
        self.model = options.model
        self.decoder = wire.Decoder()
        self._session, self._options = session, options
        self._new_transport = transport
        self._transport = transport(options)
        self._transcription: dict[str, Any] = configuration.transcription(
            options, session.language, options.transcription_model
        )
        """What the conversation is told about its own transcripts."""
        self._observer = PartialsObserver()
        self._correlation = Correlation(
            push_to_talk=session.push_to_talk,
            second_writes=options.partials == "second_socket",
            connection=f"{secrets.token_hex(4)}_",
        )
        self._second: SecondSocket | None = None
        self._arrivals: asyncio.Queue[Arrival] | None = None
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False

    async def __aenter__(self) -> Self:
        """Dial, and have the service confirm the settings."""
        options, second = self._options, self._correlation.second_writes
        update = configuration.session_update(options, self._session, transcribes=not second)
        asked, given = await self._begin(update)
        try:
            self._compare(asked, given)
        except UpstreamError:
            await self._transport.close()
            raise
        self._transcription = asked["audio"]["input"]["transcription"] or self._transcription
        await self._group.__aenter__()
        if second:
            self._add_second_socket()
        return self

    async def _begin(self, update: dict[str, Any]) -> handshake.Agreed:
        now = asyncio.get_running_loop().time
        if self._circuit.is_open(now()):
            raise UpstreamRefused("refused a moment ago")
        url = handshake.conversation_url(self._options)
        try:
            return await handshake.begin(self._transport, self.decoder, self._options, url, update)
        except UpstreamRefused as refusal:
            if self._circuit.refused(now()):
                logger.error("OpenAI refuses this site (%s); it is not dialled for %d s", refusal, REST_SECONDS)
            raise

    async def __aexit__(self, *exc: object) -> None:
        """Close both sockets."""
        self._leaving = True
        for task in self._tasks:
            task.cancel()
        try:
            await self._transport.close()
        finally:
            await self._group.__aexit__(None, None, None)

    async def send_audio(self, pcm: bytes) -> None:
        """Append to the service's input buffer."""
        frame = wire.append(pcm)
        if self._second is not None:
            self._second.push(frame, duration_ms(len(pcm)))
        await self._transport.send(frame)

    def send_audio_at_once(self, pcm: bytes) -> bool:
        """The same, if the socket takes it."""
        frame = wire.append(pcm)
        if not self._transport.send_at_once(frame):
            return False
        if self._second is not None:
            self._second.push(frame, duration_ms(len(pcm)))
        return True

    async def send(self, command: ToUpstream) -> None:
        """Send the client event of this command."""
        match command:
            case CommitAudio():
                self._end_utterance()
            case ClearAudio():
                self._clear_utterance()
        for frame in self._encode(command):
            await self._transport.send(frame)

    async def events(self, take: TakeAudio | None = None) -> AsyncIterator[UpstreamEvent]:
        """Decode what arrives. Most of it is audio, in which the visitor's words are not."""
        transport, decode = self._transport, self.decoder.decode
        if take is not None:
            transport.offer(lambda frame: (audio := wire.scan_audio(frame)) is not None and take(audio))
        while self._arrivals is None:
            event = decode(await transport.receive())
            if isinstance(event, AudioDelta):
                yield event
            elif self._is_event(event):
                for told in self._understand(event):
                    yield told
        transport.offer(None)
        self._start(self._read_first_socket(self._arrivals))
        while True:
            arrival = await self._arrivals.get()
            if isinstance(arrival, UpstreamError):
                raise arrival
            for told in self._understand(arrival):
                yield told

    def _encode(self, command: ToUpstream) -> list[bytes]:
        if isinstance(command, Recall):
            return wire.recall(command.history)
        return wire.encode_with_tool(command) if self._options.context_role == "tool" else [wire.encode(command)]

    # -- the first socket ------------------------------------------------------------------------------------

    async def _read_first_socket(self, arrivals: asyncio.Queue[Arrival]) -> None:
        try:
            while True:
                event = self.decoder.decode(await self._transport.receive())
                if self._is_event(event):
                    await arrivals.put(event)
        except UpstreamError as failure:
            await arrivals.put(failure)

    def _is_event(self, event: UpstreamEvent | None) -> TypeGuard[UpstreamEvent]:
        """Whether a frame said anything. Raises what ends the session."""
        if event is None:
            handshake.check_garbage(self.decoder)
        elif isinstance(event, Fault):
            handshake.check_fatal(event.code)
        elif isinstance(event, ResponseDone) and event.status == "failed":
            handshake.check_fatal(event.reason or "")  # told there alone
        return event is not None

    def _compare(self, asked: dict[str, Any], given: dict[str, Any]) -> None:
        essential, other = configuration.differences(asked, given, self._options.model)
        if essential:
            raise UpstreamProtocolError(f"session differs in {', '.join(essential)}")
        if other:
            logger.warning("OpenAI session differs from its settings in %s", ", ".join(other))

    # -- what it means ---------------------------------------------------------------------------------------

    def _understand(self, arrival: UpstreamEvent | Overheard) -> list[UpstreamEvent]:
        """What the core is told about ``arrival``."""
        told = self._overheard(arrival) if isinstance(arrival, Overheard) else self._heard(arrival)
        for event in told:
            if self._observer.see(event):
                self._judge_partials()
        return [*told, *self._billed(arrival)]

    def _billed(self, arrival: UpstreamEvent | Overheard) -> list[UpstreamEvent]:
        """What a transcript costs, told or not: for some time around the second socket's opening both write."""
        second = isinstance(arrival, Overheard)
        event = arrival.event if isinstance(arrival, Overheard) else arrival
        if not isinstance(event, TranscriptDone):
            return []
        model = configuration.streaming_model(self._options) if second else str(self._transcription["model"])
        return [TranscriptBilled(f"second_{event.item_id}" if second else event.item_id, model, event.usage)]

    def _heard(self, event: UpstreamEvent) -> list[UpstreamEvent]:
        match event:
            case Fault(event_id=configuration.RETURN_ID):
                self._start(self._ask_for_less(event))
                return []
            case Fault(event_id=configuration.UPDATE_ID):
                return []  # it goes on transcribing, and nobody listens to that
        if self._correlation.ends(event):
            self._end_utterance()
        return self._correlation.main(event)

    def _overheard(self, overheard: Overheard) -> list[UpstreamEvent]:
        if overheard.event is not None:
            return self._correlation.second(overheard.event)
        self._observer.restart()
        return self._correlation.lose()

    def _end_utterance(self) -> None:
        self._correlation.end(committed=self._second is not None and self._second.commit())

    def _clear_utterance(self) -> None:
        self._correlation.clear()
        if self._second is not None:
            self._second.clear()

    def _judge_partials(self) -> None:
        second = self._correlation.second_writes
        verdict = self._observer.verdict or ""
        self.partials = "second_socket" if second and verdict == "streaming" else verdict
        model = configuration.streaming_model(self._options) if second else self._options.transcription_model
        tell_operators(self.partials, model)
        if verdict == "late" and self._options.partials == "auto" and self._arrivals is None:
            self._add_second_socket()

    # -- the second socket -----------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _add_second_socket(self) -> None:
        self._arrivals = asyncio.Queue(MOST_ARRIVALS)
        self._second = SecondSocket(self._session, self._options, self._new_transport)
        self._start(self._overhear(self._second, self._arrivals))

    async def _overhear(self, second: SecondSocket, arrivals: asyncio.Queue[Arrival]) -> None:
        """The second socket from dialling to its end, whatever that is."""
        try:
            await second.run(self._hand_over, lambda event: arrivals.put(Overheard(event)))
        except Exception as failure:  # also a fault of ours: the conversation does not depend on it
            reason = failure if isinstance(failure, UpstreamError) else type(failure).__name__
            logger.warning("no second connection for transcripts: %s", reason)
        self._second = None
        if self._leaving:
            return  # it failed in that very moment, in place of being cancelled
        if self._correlation.second_writes:
            await self._change_transcription(configuration.transcription_change(self._transcription))
        await arrivals.put(Overheard(None))

    async def _hand_over(self) -> None:
        """The second socket is open; from here on it writes."""
        self._observer.restart()
        if not self._correlation.second_writes:
            self._correlation.take_over()
            await self._change_transcription(configuration.transcription_change(None))

    async def _ask_for_less(self, refused: Fault) -> None:
        """Ask for the conversation's own transcripts again, without the field that the service refused."""
        update = configuration.transcription_change(self._transcription)
        try:
            update = handshake.relaxed(update, refused)
        except UpstreamError as failure:
            logger.warning("OpenAI no longer writes what visitors say: %s", failure)
            return
        self._transcription = update["session"]["audio"]["input"]["transcription"]
        await self._change_transcription(update)

    async def _change_transcription(self, update: dict[str, Any]) -> None:
        try:
            await self._transport.send(wire.dump(update))
        except UpstreamError:
            return  # whoever reads the first socket is told
