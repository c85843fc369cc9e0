"""The floor for Python: a bare bridge on picows, which does the work on a frame and nothing else.

    python -m tests.load.relay_picows PORT UPSTREAM

Binary frames become base64 in JSON, and audio deltas become binary frames. There are no visitors, limits, records,
back-pressure or errors.
"""

from __future__ import annotations

import asyncio
import sys
from binascii import a2b_base64, b2a_base64

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,
    ws_create_server,
)

from tests.load.lag import Lag

DELTA = b'"delta":"'
UPSTREAM = sys.argv[2] if __name__ == "__main__" else ""


class Visitor(WSListener):
    """The side of the browser."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Dial the service; nothing is sent by a client before it is greeted by it."""
        self.transport = transport
        self.service: WSTransport | None = None
        self._dialling = asyncio.create_task(self._dial())

    async def _dial(self) -> None:
        await ws_connect(lambda: Service(self), UPSTREAM)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Up."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif self.service is not None:
            audio = b2a_base64(frame.get_payload_as_memoryview(), newline=False)
            self.service.send(WSMsgType.TEXT, b'{"type":"input_audio_buffer.append","audio":"' + audio + b'"}')

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The visitor has gone."""
        if self.service is not None:
            self.service.disconnect()


class Service(WSListener):
    """The side of the upstream."""

    def __init__(self, visitor: Visitor) -> None:
        self._side, self._visitor = visitor, visitor.transport

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Before its greeting is handed on: the visitor answers that with audio."""
        self._side.service = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Down."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        raw = frame.get_payload_as_bytes()
        if raw.startswith(b'{"type":"response.output_audio.delta"'):
            begin = raw.index(DELTA) + len(DELTA)
            self._visitor.send(WSMsgType.BINARY, a2b_base64(raw[begin : raw.index(b'"', begin)]))
        else:
            self._visitor.send(WSMsgType.TEXT, raw)


async def main() -> None:
    """Serve until killed."""

    def visitor(_request: WSUpgradeRequest) -> Visitor:
        return Visitor()

    lag = Lag()
    server = await ws_create_server(visitor, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()
    del lag


if __name__ == "__main__":
    asyncio.run(main())
