"""Paced clients of one process: ``python -m tests.load.visitors``, with an :class:`Order` as JSON on its input.

When all have been let in, or a minute is over, it prints ``{"opened", "opened_s"}``; from its own admission on, each of
them sends a frame of audio whenever one is due. At the line ``BEGIN END`` (nanoseconds) it prints what the answers'
frames took that were sent in between, what was lost, how many frames they sent, and how many of them are not there any
more; then all hang up.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from tests.load.stamps import GRACE, SIZE, Arrivals, Departures

Dialect = Literal["voice", "binary", "events"]
"""``voice.v1``; binary frames both ways, other events as they are; the service's own events both ways."""

AT_ONCE = 8
"""Clients that dial at a time."""
OPEN_LIMIT = 60.0
"""Seconds until all are in."""
REPORT_INTERVAL = 0.25
"""Seconds between two reports of what was played."""
_ADMITTED = (b'"type":"session.ready"', b'"type":"session.created"', b'"type": "session.created"')
_DELTA = b"response.output_audio.delta"


@dataclass(frozen=True)
class Order:
    """Who shall come."""

    url: str
    dialect: Dialect
    sessions: int
    frame_ms: int
    token: str = ""


class Visitor(WSListener):
    """One of them."""

    def __init__(self, order: Order, phase: float) -> None:
        self.arrivals = Arrivals()
        self.admitted, self.lost = asyncio.Event(), False
        """``lost``: the connection was, before anybody hung up."""
        self._order, self._phase = order, phase
        self.departures = Departures(os.urandom(order.frame_ms * 48 - SIZE))
        self._item_id, self._heard_ms, self._reporting = "", 0, False

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        if self._order.dialect == "voice":
            transport.send(WSMsgType.TEXT, b'{"type":"start"}')

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Somebody has gone."""
        self.lost = True
        self.admitted.set()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Note when audio arrived."""
        if frame.msg_type == WSMsgType.BINARY:
            self._hear(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.TEXT:
            self._read(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    @property
    def present(self) -> bool:
        """Whether it was let in, and is still there."""
        return self.admitted.is_set() and not self.lost

    def hang_up(self) -> None:
        """Be gone."""
        if self.present:
            self._transport.disconnect()

    def _read(self, raw: bytes) -> None:
        if self._order.dialect == "events" and _DELTA in raw[:100]:
            self.arrivals.add_encoded(raw, b'"delta"')
        elif not self.admitted.is_set() and any(each in raw for each in _ADMITTED):
            self.admitted.set()
            self._due = self._loop.time() + self._phase
            self._loop.call_at(self._due, self._speak)
        elif self._order.dialect == "voice" and b'"audio.item"' in raw:
            self._item_id, self._heard_ms = json.loads(raw)["item_id"], 0

    def _hear(self, pcm: bytes) -> None:
        self.arrivals.add(pcm)
        self._heard_ms += len(pcm) // 48
        if self._order.dialect == "voice" and not self._reporting:
            self._reporting = True
            self._loop.call_later(REPORT_INTERVAL, self._report)

    def _report(self) -> None:
        self._reporting = False
        if not self.lost:
            told = {"type": "playback", "item_id": self._item_id, "played_ms": self._heard_ms, "underruns": 0}
            self._transport.send(WSMsgType.TEXT, json.dumps(told).encode())

    def _speak(self) -> None:
        if self.lost:
            return
        pcm = self.departures.frame()
        if self._order.dialect == "events":
            event = b'{"type":"input_audio_buffer.append","audio":"' + b64encode(pcm) + b'"}'
            self._transport.send(WSMsgType.TEXT, event)
        else:
            self._transport.send(WSMsgType.BINARY, pcm)
        self._due += self._order.frame_ms / 1000
        self._loop.call_at(self._due, self._speak)


async def dial(order: Order) -> list[Visitor]:
    """All of them, when they are in or have been turned away, or the time is over."""
    gate = asyncio.Semaphore(AT_ONCE)
    visitors = [Visitor(order, order.frame_ms / 1000 * n / order.sessions) for n in range(order.sessions)]
    protocols = {"Sec-WebSocket-Protocol": f"voice.v1, voice.bearer.{order.token}"} if order.token else {}

    async def one(visitor: Visitor) -> None:
        async with gate:
            with suppress(OSError, WSError):
                await ws_connect(
                    lambda: visitor, order.url, extra_headers=protocols, websocket_handshake_timeout=OPEN_LIMIT
                )
                await visitor.admitted.wait()

    with suppress(TimeoutError):
        async with asyncio.timeout(OPEN_LIMIT), asyncio.TaskGroup() as tasks:
            for visitor in visitors:
                tasks.create_task(one(visitor))
    return visitors


def report(visitors: list[Visitor], begin: int, end: int) -> dict[str, Any]:
    """Of the frames that were sent in this time."""
    return {
        "took": [each for visitor in visitors for each in visitor.arrivals.within(begin, end)],
        "lost": sum(visitor.arrivals.lost for visitor in visitors),
        "sent": sum(visitor.departures.within(begin, end) for visitor in visitors),
        "gone": sum(not visitor.present for visitor in visitors),
    }


async def main() -> None:
    """Dial, talk, report, hang up."""
    order = Order(**json.loads(sys.stdin.readline()))
    began = time.monotonic()
    visitors = await dial(order)
    opened_s = time.monotonic() - began
    print(json.dumps({"opened": sum(visitor.present for visitor in visitors), "opened_s": opened_s}), flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    if line:
        begin, end = map(int, line.split())
        await asyncio.sleep(max(0.0, end / 1e9 + GRACE - time.monotonic()))
        print(json.dumps(report(visitors, begin, end)), flush=True)
    for visitor in visitors:
        visitor.hang_up()


if __name__ == "__main__":
    asyncio.run(main())
