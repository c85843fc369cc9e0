"""The text of server events, numbered."""

from __future__ import annotations

from itertools import count
from typing import Any

from voice.protocol.audio import SAMPLE_RATE
from voice.protocol.wires.fields import json_text

PCM = {"type": "audio/pcm", "rate": SAMPLE_RATE}
"""The only format, either way."""

INTERNAL = "server_error"
REQUEST = "invalid_request_error"


class ServerEvents:
    """Writes the events of one connection; each has an id of its own."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def write(self, kind: str, **fields: Any) -> str:
        """The frame of an event."""
        return json_text({"type": kind, "event_id": f"event_{next(self._numbers)}", **fields})

    def error(
        self,
        kind: str,
        code: str,
        message: str,
        param: str | None = None,
        event_id: str | None = None,
        retry_after_ms: int | None = None,
    ) -> str:
        """The frame of an ``error``, of type ``kind``; ``event_id`` is that of the client's event it is about."""
        error: dict[str, Any] = {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}
        if retry_after_ms is not None:
            error["retry_after_ms"] = retry_after_ms  # the one word of ours: the vocabulary has none for it
        return self.write("error", error=error)
