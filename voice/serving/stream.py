"""Messages out of what a client sends, ahead of the server's own parser; and to it, past the server's own writer.

Both servers take frames apart and put them together in Python, each with dozens of calls: the first was a sixth of a
profile of twenty conversations on uvicorn. Nearly all that a client of ours sends are frames of one kind: whole
messages, masked, of less than 64 KiB (RFC 6455 §5.2). Those are opened here, where somebody hears them. Everything else
is the parser's, byte by byte as it came, and so is everything that nobody takes; all that is kept of it here is where
its frames end.
"""

from __future__ import annotations

from collections.abc import Callable

from voice.bypass import Bypass
from voice.protocol.wires.base import Frame

Unmask = Callable[[bytes, bytes], bytes]
"""A payload and its four bytes of key: the payload as it was meant."""

_TEXT, _BINARY = 0x81, 0x82
"""A final fragment, of a message that begins with it."""
_MASKED = 0x80
_CONTROL, _CLOSE = 0x8, 0x8
_SHORT, _MEDIUM = 126, 0xFE
"""Lengths below are in the second byte itself; a masked frame with this second byte has its length in two more."""


def written(message: Frame) -> bytes:
    """The frame of a message to a client: final and not masked."""
    payload, opcode = (message, _BINARY) if isinstance(message, bytes) else (message.encode(), _TEXT)
    length = len(payload)
    if length < _SHORT:
        return bytes((opcode, length)) + payload
    if length < 0x10000:
        return bytes((opcode, _SHORT, length >> 8, length & 0xFF)) + payload
    return bytes((opcode, _SHORT + 1)) + length.to_bytes(8) + payload


class Stream:
    """What one client sends: first the request that opens the socket, in one piece, then frames.

    ``unmask`` is the server's own, and so is ``parse``, which gets what nobody takes here.
    """

    # Without a dictionary: what each of a hundred streams looks up for a frame is rarely in the processor's caches.
    __slots__ = (
        "_bypass", "_closing", "_fragmented", "_header", "_opens", "_owed", "_parse", "_requested", "_unmask",
        "waiting",
    )  # fmt: skip

    def __init__(self, bypass: Bypass, unmask: Unmask, parse: Callable[[bytes], object]) -> None:
        self.waiting = False
        """Something that came before has not been fetched by the application, or nothing is fetched any more: set by
        the server. Then nobody is asked."""
        self._bypass, self._unmask, self._parse = bypass, unmask, parse
        self._requested = False
        self._header = b""
        """What has come of a frame's header, if not all."""
        self._owed = 0
        """Bytes of a frame that the parser waits for."""
        self._fragmented = self._closing = False
        self._opens = False
        """Whether a frame that comes next may be opened here: a message begins with it."""

    def receive(self, data: bytes) -> None:
        """Let who hears past the queue have what they take of this; the rest is for the parser."""
        hear = self._bypass.hear
        if hear is not None and self._opens and not self.waiting:
            while (frame := _message(data)) is not None:
                begin, end = frame
                payload = self._unmask(data[begin:end], data[begin - 4 : begin])
                if not (hear(payload) if data[0] == _BINARY else _read(hear, payload)):
                    break
                if end == len(data):  # nearly always
                    return
                data = data[end:]
        if data:
            self._follow(data)
            self._parse(data)

    def _follow(self, data: bytes) -> None:
        if not self._requested:
            self._requested = True
            data = data.partition(b"\r\n\r\n")[2]
        while data:
            if self._owed:
                owed, self._owed = self._owed, max(0, self._owed - len(data))
                data = data[owed:]
            else:
                data = self._begin(self._header + data)
        self._opens = not (self._header or self._owed or self._fragmented or self._closing)

    def _begin(self, data: bytes) -> bytes:
        """A frame begins. Returns what follows its header."""
        size = _header_size(data)
        if len(data) < size:
            self._header = data
            return b""
        self._header = b""
        length = data[1] & ~_MASKED
        self._owed = length if length < _SHORT else int.from_bytes(data[2 : size - 4 * (data[1] >= _MASKED)])
        opcode = data[0] & 0x0F
        self._closing = self._closing or opcode == _CLOSE
        if opcode < _CONTROL:
            self._fragmented = data[0] < _MASKED
        return data[size:]


def _header_size(data: bytes) -> int:
    if len(data) < 2:
        return 2
    length = data[1] & ~_MASKED
    return 2 + (0 if length < _SHORT else 2 if length == _SHORT else 8) + 4 * (data[1] >= _MASKED)


def _read(hear: Callable[[Frame], bool], payload: bytes) -> bool:
    try:
        return hear(payload.decode())
    except UnicodeDecodeError:  # the parser knows what follows from that
        return False


def _message(data: bytes) -> tuple[int, int] | None:
    """From where to where the payload is, if ``data`` begins with a whole frame of that kind."""
    if len(data) < 6 or (data[0] != _BINARY and data[0] != _TEXT):
        return None
    second = data[1]
    if second == _MEDIUM:
        begin, length = 8, data[2] << 8 | data[3]
        if length < _SHORT:  # not the shortest way to say it; the parser knows what follows from that
            return None
    elif _MASKED <= second < _MEDIUM:
        begin, length = 6, second - _MASKED
    else:
        return None
    return (begin, begin + length) if begin + length <= len(data) else None
