"""The upstream of a measurement: ``python -m tests.load.upstream`` prints its port.

It speaks as much of GA Realtime as a session needs, and costs as little as it can. Every ten seconds the visitor
asks, and is answered for five of them with deltas of 100 ms in real time: when a response is requested, from whoever
has sent a ``session.update``; by itself, otherwise. At the line ``BEGIN END`` of its input (nanoseconds) it prints
what the frames took that were sent to it in between, and how many it sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from base64 import b64encode
from itertools import count
from typing import Any

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from tests.load.stamps import GRACE, SIZE, Arrivals, Departures

PERIOD = 10.0
"""Seconds from one question to the next."""
SPOKEN = 4.5
"""Seconds that a question takes."""
SPREAD = PERIOD * 0.618
"""Seconds between the beginnings of one session and the next: no two of few coincide, and many are spread evenly."""
DELTAS, DELTA_MS = 50, 100
BODY = os.urandom(DELTA_MS * 48 - SIZE)
MODEL = "gpt-realtime"
_INPUT = "input_audio_buffer"
_TRANSCRIPTION = "conversation.item.input_audio_transcription"

talks: list[Talk] = []
"""All there were since the last report, and those that go on, oldest first."""


class Talk(WSListener):
    """One connection."""

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self._asked, self._waits_for_requests = asyncio.Event(), False
        self._metadata: Any = None
        self.over = False
        self._talking: asyncio.Task[None] | None = None
        self.departures = Departures(BODY)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Greet."""
        self._phase = len(talks) * SPREAD % PERIOD
        talks.append(self)
        self._transport, self._loop = transport, asyncio.get_running_loop()
        self._tell("session.created", session={"type": "realtime", "model": MODEL})

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """It is over."""
        self.over = True
        if self._talking is not None:
            self._talking.cancel()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Note when audio arrived, and do what is asked."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            return
        raw = frame.get_payload_as_bytes()
        if b"input_audio_buffer.append" in raw[:50]:
            self.arrivals.add_encoded(raw, b'"audio"')
            if self._talking is None:  # by now it is known who requests responses
                self._talking = asyncio.create_task(self._talk())
            return
        self._obey(json.loads(raw))

    def _obey(self, event: dict[str, Any]) -> None:
        if event["type"] == "session.update":
            self._waits_for_requests = True
            self._tell("session.updated", session={**event["session"], "model": MODEL})
        elif event["type"] == "response.create":
            self._metadata = event["response"]["metadata"]
            self._asked.set()

    async def _talk(self) -> None:
        """Turn after turn, as if it had begun a while ago: at any time about half of all are answered."""
        begin = self._loop.time() - self._phase
        for turn in count(1):
            await self._until(begin)
            await self._listen(begin, f"item_{turn}")
            await self._answer(begin + SPOKEN, f"resp_{turn}", f"answer_{turn}")
            begin += PERIOD

    async def _listen(self, begin: float, item_id: str) -> None:
        self._tell(f"{_INPUT}.speech_started", item_id=item_id, audio_start_ms=0)
        await self._until(begin + SPOKEN / 2)
        self._tell(f"{_TRANSCRIPTION}.delta", item_id=item_id, content_index=0, delta="When do you")
        await self._until(begin + SPOKEN)
        self._tell(f"{_TRANSCRIPTION}.delta", item_id=item_id, content_index=0, delta=" open?")
        self._asked.clear()
        self._tell(f"{_INPUT}.speech_stopped", item_id=item_id, audio_end_ms=0)
        self._tell(f"{_INPUT}.committed", item_id=item_id, previous_item_id=None)
        self._tell(f"{_TRANSCRIPTION}.completed", item_id=item_id, content_index=0, transcript="When do you open?")
        if self._waits_for_requests:
            await self._asked.wait()

    async def _answer(self, begin: float, response_id: str, item_id: str) -> None:
        response = {"id": response_id, "status": "in_progress", "metadata": self._metadata, "output": []}
        where = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
        self._tell("response.created", response=response)
        for n in range(DELTAS):
            due = begin + n * DELTA_MS / 1000
            if due + DELTA_MS / 1000 < self._loop.time():
                continue  # over before the connection was there
            await self._until(due)
            self._tell("response.output_audio.delta", **where, delta=b64encode(self.departures.frame()).decode())
        self._tell("response.output_audio.done", **where)
        self._tell("response.done", response={**response, "status": "completed"})

    async def _until(self, instant: float) -> None:
        await asyncio.sleep(instant - self._loop.time())

    def _tell(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": "event_1", **fields}
        self._transport.send(WSMsgType.TEXT, json.dumps(event, separators=(",", ":")).encode())


def report(begin: int, end: int) -> dict[str, Any]:
    """Of the frames that were sent in this time, either way."""
    return {
        "took": [each for talk in talks for each in talk.arrivals.within(begin, end)],
        "lost": sum(talk.arrivals.lost for talk in talks),
        "sent": sum(talk.departures.within(begin, end) for talk in talks),
    }


async def main() -> None:
    """Serve until the end of standard input."""
    server = await ws_create_server(_talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        begin, end = map(int, line.split())
        await asyncio.sleep(max(0.0, end / 1e9 + GRACE - time.monotonic()))
        print(json.dumps(report(begin, end)), flush=True)
        talks[:] = [talk for talk in talks if not talk.over]


def _talk(_request: WSUpgradeRequest) -> Talk:
    return Talk()


if __name__ == "__main__":
    asyncio.run(main())
