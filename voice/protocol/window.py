"""What was sent of the answers and has not been reported as played: the measure of a client that does not read.

Servers differ in what they do with a reader that stopped: some wait for ever, some buffer without a limit. A client
that plays says so four times a second, over the same connection; one that says nothing while answer after answer is
sent to it holds no conversation.
"""

from __future__ import annotations

from voice.protocol.audio import BYTES_PER_MS

UNREPORTED_LIMIT_MS = 20_000.0
"""Audio that a client may leave unreported. It is sent two seconds ahead at most, so an honest one is never near."""


class Window:
    """Audio in the hands of one client. Items play one after the other, in the order in which they were sent."""

    def __init__(self) -> None:
        self._sent_ms = self._reported_ms = 0.0
        self._begins: dict[str, float] = {}

    @property
    def is_over(self) -> bool:
        """Whether the client leaves more unreported than anybody who listens."""
        return self._sent_ms - self._reported_ms > UNREPORTED_LIMIT_MS

    def sent(self, item_id: str, size: int) -> None:
        """So many bytes of an item went out."""
        self._begins.setdefault(item_id, self._sent_ms)
        self._sent_ms += size / BYTES_PER_MS

    def played(self, item_id: str, played_ms: int) -> None:
        """The client says so. It is never believed beyond what was sent; items that nobody knows are nothing."""
        begin = self._begins.get(item_id)
        if begin is not None:
            self._reported_ms = max(self._reported_ms, min(begin + played_ms, self._sent_ms))

    def stopped(self) -> None:
        """What was not played will not be, and is not owed any more."""
        self._begins.clear()
        self._reported_ms = self._sent_ms
