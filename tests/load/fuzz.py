"""Whatever anybody may send to the socket of ``voice.v1``, by chance, and the same for the same seed.

    python -m tests.load.fuzz URL TOKEN [--seeds 1 2 3] [--cases 1000]

A case is something that no honest client sends: a message that is not of the vocabulary, audio that is none, frames
that break RFC 6455, floods. Cases share a connection until one ends it. :data:`MARK` is in every text that the server
should not understand, and must be found nowhere behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.load import interrupted
from tests.load.frames import BINARY, CLOSE, CONTINUATION, PING, RawConnection, frame

MARK = "fuzz-0d9c"
TOGETHER = 4
"""Connections at a time."""

Case = Callable[[random.Random], bytes]

WRONG = [None, True, -1, 1e30, 10**40, "", MARK, [MARK], {MARK: MARK}, "\ud800" + MARK, MARK * 3_000, 2**63]
FIELDS = ["language", "mode", "page", "notice", "text", "item_id", "played_ms", "underruns", "muted", "token", MARK]
OURS = ["start", "input_text", "playback", "mute", "commit", "auth.refresh"]
THEIRS = ["session.update", "response.create", "conversation.item.create", "input_audio_buffer.append", "session.ready"]


# -- what is no message ----------------------------------------------------------------------------------------------


def wrong_fields(chance: random.Random) -> bytes:
    """A message with fields of the wrong kind, and one that nobody knows."""
    message = {name: chance.choice(WRONG) for name in chance.sample(FIELDS, chance.randint(1, 5))}
    return text({"type": chance.choice(OURS), **message, MARK: 1})


def another_vocabulary(chance: random.Random) -> bytes:
    """What the upstream would understand."""
    item = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": MARK}]}
    body = {"session": {"instructions": MARK, "tools": [{"server_url": MARK}]}, "item": item, "audio": MARK}
    kind = chance.choice(THEIRS)
    return text({"type": chance.choice([kind, kind.upper(), kind + " ", "\u200b" + kind, [kind]]), **body})


def broken_json(chance: random.Random) -> bytes:
    """Not JSON, or hardly."""
    depth = chance.choice([10, 1_000, 30_000])
    digits = chance.choice([5_000, 60_000])
    return frame(
        chance.choice(
            [
                b"[" * depth,
                b'{"a":' * depth + b"1" + b"}" * depth,
                b'{"type":"mute","muted":' + b"9" * digits + b"}",
                b'{"type":"playback","item_id":"a","played_ms":NaN,"x":"%b"}' % MARK.encode(),
                b'{"type":"input_text","type":"input_text","text":"%b"}' % MARK.encode(),
                b'{"type":"input_text","text":"%b","text":"%b"}' % (MARK.encode(), MARK.encode()),
                b'{"type":"input_text","text":"\\ud800%b"}' % MARK.encode(),
                b'{"type":"input_text","text":"%b' % MARK.encode(),
                b"\xef\xbb\xbf{}",
                b"",
                b"null",
                chance.randbytes(chance.randint(1, 200)).hex().encode(),
            ]
        )
    )


def bad_audio(chance: random.Random) -> bytes:
    """Half a sample, or more than a second."""
    return frame(bytes(chance.choice([1, 3, 961, 48_001, 48_002, 100_000])), BINARY)


# -- what is no WebSocket ----------------------------------------------------------------------------------------


def broken_frame(chance: random.Random) -> bytes:
    """Against the rules of framing."""
    mark = MARK.encode()
    return chance.choice(
        [
            frame(mark, rsv=chance.randint(1, 7)),
            frame(mark, opcode=chance.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])),
            frame(mark, masked=False),
            frame(b"\xff\xfe" + mark),
            frame(bytes(126), PING),
            frame(b"", PING, fin=False),
            frame(mark, CONTINUATION),
            frame(mark, fin=False) + frame(mark),
            frame(mark, length=2**63 - 1),
            frame(mark, length=10**6),
            frame((chance.choice([0, 999, 1004, 1005, 1006, 1015, 2_000, 65_535])).to_bytes(2, "big"), CLOSE),
            frame(b"\x03", CLOSE),
            chance.randbytes(chance.randint(1, 400)),
        ]
    )


def too_big(chance: random.Random) -> bytes:
    """More than 64 KiB of text, in one piece or in many."""
    size = chance.choice([65_537, 100_000, 131_073, 400_000])
    if chance.random() < 0.5:
        return frame(b"x" * size)
    piece = frame(b"x" * 100, CONTINUATION, fin=False)
    return frame(b"x", fin=False) + piece * (size // 100) + frame(b"", CONTINUATION)


def flood(chance: random.Random) -> bytes:
    """Very many of something small."""
    one = chance.choice([frame(b"\0\0", BINARY), frame(b"{}"), frame(b"", PING), frame(bytes(1_920), BINARY)])
    return one * chance.choice([300, 3_000])


CASES: list[tuple[Case, int]] = [
    (wrong_fields, 30), (another_vocabulary, 15), (broken_json, 25), (bad_audio, 15), (broken_frame, 8), (too_big, 4),
    (flood, 3),
]  # fmt: skip
FATAL = (broken_frame, too_big, flood)


def text(message: dict[str, object]) -> bytes:
    """A message as a frame."""
    return frame(json.dumps(message).encode())


# -- at work -----------------------------------------------------------------------------------------------------


async def attack(url: str, token: str, seed: int, cases: int) -> Counter[str]:
    """Send so many cases; how many of each kind there were."""
    chance = random.Random(seed)
    kinds, weights = zip(*CASES, strict=True)
    waiting = [(kind, kind(chance)) for kind in chance.choices(kinds, weights, k=cases)]
    async with asyncio.TaskGroup() as tasks:
        for n in range(TOGETHER):
            tasks.create_task(_send(url, token, waiting[n::TOGETHER], random.Random(seed + n)))
    return Counter(kind.__name__ for kind, _ in waiting)


async def _send(url: str, token: str, waiting: list[tuple[Case, bytes]], chance: random.Random) -> None:
    waiting = waiting[::-1]
    while waiting:
        with suppress(OSError, asyncio.IncompleteReadError):
            async with RawConnection(url, token) as connection:
                if chance.random() < 0.9:
                    await connection.send(text({"type": "start"}))
                while waiting and not connection.closed.is_set():
                    kind, data = waiting.pop()
                    cut = len(data) if chance.random() < 0.9 else chance.randint(0, len(data))
                    await connection.send(data[:cut])
                    if kind in FATAL or cut < len(data):
                        await connection.is_closed(within=0.2)
                        break
                    await asyncio.sleep(0)


@interrupted.in_a_line
def main() -> None:
    """Attack, and say how many of what there were, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cases", type=int, default=1_000)
    options = parser.parse_args()
    began = time.monotonic()
    for seed in options.seeds:
        done = asyncio.run(attack(options.url, options.token, seed, options.cases))
        print(f"seed {seed}: {dict(done)} after {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
