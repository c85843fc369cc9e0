"""What goes wrong meanwhile: on the links, at the upstream, and with two of the processes. One seed, one course."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.proxy import Proxy
from tests.realtime_server import Answer, RealtimeServer, Script
from tests.several.site import Process

SHORTEST, LONGEST = 0.3, 8.0
"""Seconds of a fault; a ping is answered within five, or the connection is lost."""
REST = 15.0
"""Seconds between two faults of one link, at most."""


@dataclass
class Trouble:
    """All of it. What happened is counted in ``happened``."""

    seed: int
    happened: Counter[str]

    async def on_link(self, name: str, link: Proxy) -> None:
        """One fault of a link after the other, until cancelled; then the link is whole."""
        chance = random.Random(f"{self.seed} {name}")
        try:
            while True:
                await asyncio.sleep(chance.uniform(1, REST))
                fault = chance.choice(list(LINK_FAULTS))
                self.happened[f"{name.partition(' ')[0]} {fault}"] += 1
                LINK_FAULTS[fault](link, chance)
                await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                _made_whole(link)
        finally:
            _made_whole(link)

    async def at_upstream(self, upstream: RealtimeServer) -> None:
        """One fault of the service after the other, until cancelled; then it is as it was."""
        chance = random.Random(f"{self.seed} upstream")
        try:
            while True:
                await asyncio.sleep(chance.uniform(1, REST))
                fault = chance.choice(list(UPSTREAM_FAULTS))
                self.happened[f"service {fault}"] += 1
                with suppress(OSError, ConnectionClosed):  # the newest connection may have ended meanwhile
                    await UPSTREAM_FAULTS[fault](upstream, chance)
                await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                _well_again(upstream)
        finally:
            _well_again(upstream)

    async def of_processes(self, processes: list[Process], every: float) -> None:
        """Kill one of these with -9, and start it again, each ``every`` seconds, until cancelled; then all run."""
        chance = random.Random(f"{self.seed} processes")
        while True:
            await asyncio.sleep(every)
            process = chance.choice(processes)
            self.happened["process kill -9"] += 1
            process.send(signal.SIGKILL)
            process.start()
            await asyncio.to_thread(process.wait)


# -- of a link -------------------------------------------------------------------------------------------------------


def _late(link: Proxy, chance: random.Random) -> None:
    link.latency = chance.uniform(0.05, 0.8)


def _narrow(link: Proxy, chance: random.Random) -> None:
    link.bytes_per_second = chance.randint(8_000, 200_000)


LINK_FAULTS: dict[str, Callable[[Proxy, random.Random], None]] = {
    "latency": _late,
    "throttle": _narrow,
    "freeze": lambda link, chance: link.freeze(),
    "half-open": lambda link, chance: link.half_open(),
    "reset": lambda link, chance: link.reset(),
    "refused": lambda link, chance: link.refuse(),
}


def _made_whole(link: Proxy) -> None:
    swallowed = link.swallows
    link.heal()
    if swallowed:
        link.reset()  # what was lost on the way is never made up for


# -- of the service --------------------------------------------------------------------------------------------------


def _script(**fields: Any) -> Callable[[RealtimeServer, random.Random], Awaitable[None]]:
    async def changed(upstream: RealtimeServer, chance: random.Random) -> None:
        for name, value in fields.items():
            setattr(upstream.script, name, value)

    return changed


def _answers(*answers: Answer) -> Callable[[RealtimeServer, random.Random], Awaitable[None]]:
    async def given(upstream: RealtimeServer, chance: random.Random) -> None:
        upstream.script.answers.extend(answers)

    return given


async def _drop(upstream: RealtimeServer, chance: random.Random) -> None:
    if upstream.open:
        await upstream.drop(chance.choice([1000, 1001, 1011, None]))


async def _reset(upstream: RealtimeServer, chance: random.Random) -> None:
    if upstream.open:
        upstream.reset()


async def _freeze(upstream: RealtimeServer, chance: random.Random) -> None:
    if upstream.open:
        upstream.freeze()


UPSTREAM_FAULTS: dict[str, Callable[[RealtimeServer, random.Random], Awaitable[None]]] = {
    "503": _script(status=503),
    "429": _script(status=429, retry_after="1"),
    "no handshake": _script(hang="handshake"),
    "no greeting": _script(hang="created"),
    "silent": _script(silent=True),
    "slow": _script(response_latency=2.0, transcript_latency=2.0, delta_interval=0.2),
    "no end of answers": _script(withholds={"response.done"}),
    "no transcripts": _script(transcript_fails=True),
    "events twice": _script(repeats={"response.created", "response.done", "response.output_audio.done"}),
    "events late": _script(delays={"response.output_audio_transcript.done": 0.5, "input_audio_buffer.committed": 0.5}),
    "noise": _script(noise=[{"type": "response.invented", "event_id": "event_x"}]),
    "garbage": _script(noise=["{", b"\x00\xff"]),
    "failed answers": _answers(*[Answer(status="failed", code="server_error")] * 3),
    "no usage": _answers(*[Answer(usage=None)] * 3),
    "closed": _drop,
    "reset": _reset,
    "reads no more": _freeze,
}


def _well_again(upstream: RealtimeServer) -> None:
    well = Script()
    upstream.script.answers.clear()
    for name in (
        "status", "retry_after", "hang", "silent", "response_latency", "transcript_latency", "delta_interval",
        "withholds", "transcript_fails", "repeats", "delays", "noise",
    ):  # fmt: skip
        setattr(upstream.script, name, getattr(well, name))
