"""An upstream that hears one question as if it were spoken, and answers after a given time. It needs no service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Self

from voice.probe.script import Script, timetable
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import silence
from voice.protocol.events import UpstreamEvent
from voice.upstream.base import TakeAudio, Upstream


class ScriptedUpstream(Upstream):
    """Hears ``question`` from the moment it is entered; audio that it is sent means nothing to it.

    It keeps the order of the conversation's items, so that the commit tells, as a real service does, behind which
    item the question was placed.
    """

    provider = "scripted"
    model = "scripted"

    def __init__(self, question: str, script: Script) -> None:
        self._question, self._script = question, script
        self._said: asyncio.Queue[UpstreamEvent] = asyncio.Queue()  # bounded by the script: a question, an answer
        self._items: list[str] = []
        self._due: list[asyncio.TimerHandle] = []
        self._answers = 0
        self._answering: tuple[str, str, asyncio.TimerHandle] | None = None

    async def __aenter__(self) -> Self:
        """The visitor begins to speak."""
        for seconds, event in timetable(self._question, self._script):
            self._later(seconds, event)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Whatever was still to be said is not said."""
        for handle in self._due:
            handle.cancel()
        if self._answering is not None:
            self._answering[2].cancel()

    async def send_audio(self, pcm: bytes) -> None:
        """Ignored."""

    async def send(self, command: c.ToUpstream) -> None:
        """Keep the items in order, and answer. Whatever else is asked changes nothing."""
        match command:
            case c.InjectContext(item_id=item_id) | c.SubmitText(item_id=item_id):
                self._items.append(item_id)
            case c.DeleteItem(item_id=item_id) if item_id in self._items:
                self._items.remove(item_id)
            case c.CreateResponse(request_id=request_id):
                self._begin_answer(request_id)
            case c.CancelResponse():
                self._cancel_answer()

    async def events(self, take: TakeAudio | None = None) -> AsyncIterator[UpstreamEvent]:
        """The timetable of the question, and the answers; for ever, since nothing can close it but its user."""
        while True:
            yield await self._said.get()

    # -- hearing -------------------------------------------------------------------------------------------------

    def _later(self, seconds: float, event: UpstreamEvent) -> None:
        self._due.append(asyncio.get_running_loop().call_later(seconds, self._say, event))

    def _say(self, event: UpstreamEvent) -> None:
        if isinstance(event, e.InputCommitted):
            event = replace(event, previous_item_id=self._items[-1] if self._items else None)
            self._items.append(event.item_id)
        self._said.put_nowait(event)

    # -- answering -----------------------------------------------------------------------------------------------

    def _begin_answer(self, request_id: str) -> None:
        self._answers += 1
        response_id = f"response_{self._answers}"
        self._say(e.ResponseStarted(response_id, request_id))
        delay = self._script.latency_ms / 1000
        ready = asyncio.get_running_loop().call_later(delay, self._answer, response_id, request_id)
        self._answering = response_id, request_id, ready

    def _answer(self, response_id: str, request_id: str) -> None:
        self._answering = None
        item_id = f"item_{response_id}"
        self._items.append(item_id)
        self._say(e.AudioDelta(response_id, item_id, silence(self._script.answer_ms)))
        self._say(e.AudioDone(response_id, item_id))
        self._say(e.ResponseDone(response_id, "completed", request_id=request_id))

    def _cancel_answer(self) -> None:
        if self._answering is not None:
            response_id, request_id, ready = self._answering
            self._answering = None
            ready.cancel()
            self._say(e.ResponseDone(response_id, "cancelled", "client_cancelled", request_id=request_id))
