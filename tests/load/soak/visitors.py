"""Visitors of a site in trouble: what they do is up to chance, and what they saw is remembered."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException

from tests.client import Received, VoiceClient
from tests.load import fuzz
from tests.load.frames import RawConnection
from tests.realtime_server import tone
from tests.several.site import Person
from voice.protocol.audio import silence

PATIENCE = 20.0
"""Seconds to wait for anything."""
VISIT_LIMIT = 120.0
"""Seconds that a visit takes at most, whatever hangs."""
WORDS = "asks when you open"
"""In every question, and found in no log."""


@dataclass(frozen=True)
class Seen:
    """A session that began, as its visitor knows it."""

    session_id: str
    user_id: int
    resumed_from: str = ""
    """The session whose words it was shown, so that it goes on with that conversation."""


@dataclass
class Register:
    """What all of them have seen."""

    sessions: list[Seen] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    """Visits by kind, answers that were heard to the end, and goodbyes by reason."""


@dataclass(frozen=True)
class Past:
    """What somebody needs to go on."""

    session_id: str
    token: str = field(repr=False)


@dataclass
class Talk:
    """A session, from its visitor's side."""

    client: VoiceClient
    session_id: str
    chance: random.Random
    _asked_behind: Received | None = None

    async def ask(self, what: str) -> None:
        """In writing. The question names the session, so that it is known upstream whom an answer is for."""
        self._asked_behind = self.client.received[-1]
        await self.client.ask(f"{self.session_id} {WORDS} {what}")

    async def say(self, milliseconds: int) -> None:
        """Aloud."""
        self._asked_behind = self.client.received[-1]
        await self.client.say(tone(milliseconds) + silence(700))

    async def answered(self) -> None:
        """Wait until a turn is over that was not when the newest question was asked."""
        await self.client.until("turn.done", PATIENCE, after=self._asked_behind)

    async def a_while(self, longest: float) -> None:
        """Any time up to so many seconds."""
        await asyncio.sleep(self.chance.uniform(0, longest))


# -- what they do ----------------------------------------------------------------------------------------------------


async def chat(talk: Talk) -> None:
    """Interrupt or listen, ask again; say goodbye."""
    for n in range(talk.chance.randint(1, 6)):
        if talk.chance.random() < 0.4:
            await talk.a_while(1.5)
        else:
            await talk.answered()
        await talk.ask(f"again, {n}")
    await talk.answered()
    await talk.client.end()


async def speak(talk: Talk) -> None:
    """Aloud, with a barge-in now and then."""
    await talk.answered()
    for _ in range(talk.chance.randint(1, 3)):
        await talk.say(talk.chance.randint(300, 1_500))
        if talk.chance.random() < 0.7:
            await talk.answered()
    await talk.client.end()


async def vanish(talk: Talk) -> None:
    """In mid-answer, as a page does that is loaded anew: the next visit goes on."""
    await talk.a_while(3)
    talk.client.vanish()


async def read_nothing(talk: Talk) -> None:
    """Ask, and take nothing of the answer."""
    talk.client.stop_reading()
    await talk.ask("everything")
    await talk.a_while(30)
    talk.client.vanish()


async def stay(talk: Talk) -> None:
    """Until the time is over."""
    while not talk.client.all("session.ending"):
        await talk.answered()
        await talk.ask("and so on")
    await talk.client.ending()


async def flood(talk: Talk) -> None:
    """Send more than anybody says."""
    frame = talk.chance.choice(['{"type": "interrupt"}', bytes(1_920)])
    for _ in range(600):
        await talk.client.send_anyway(frame)
    await talk.client.ending()


KINDS: dict[Callable[[Talk], Awaitable[None]], int] = {
    chat: 30, speak: 12, vanish: 25, read_nothing: 4, stay: 6, flood: 3,
}  # fmt: skip
"""With how likely each is."""
BABBLE = 0.05
"""How likely somebody sends what no honest client does."""
BABBLED = 20
"""Of that, so many pieces."""


class Visitor:
    """One person, who comes again and again to one of ``doors``."""

    def __init__(self, person: Person, doors: Sequence[str], register: Register, chance: random.Random) -> None:
        self._person, self._doors, self._register, self._chance = person, doors, register, chance
        self._past: Past | None = None

    async def come_and_go(self) -> None:
        """Visit after visit, until cancelled."""
        while True:
            with suppress(
                OSError, EOFError, WebSocketException, AssertionError
            ):  # the site is in trouble, as it should be
                async with asyncio.timeout(VISIT_LIMIT):
                    await self._visit(self._chance.choice(self._doors))
            await asyncio.sleep(self._chance.uniform(0, 2))

    async def _visit(self, door: str) -> None:
        if self._chance.random() < BABBLE:
            self._register.counted["babble"] += 1
            await self._babble(door)
            return
        [kind] = self._chance.choices([*KINDS], [*KINDS.values()])
        past, self._past = self._past, None
        async with VoiceClient(door, self._person.token, resume=past.token if past else "") as client:
            try:
                ready = await client.until("session.ready", PATIENCE)
                self._past = Past(ready["session_id"], ready["resume"])
                self._register.counted[kind.__name__] += 1
                talk = Talk(client, ready["session_id"], self._chance)
                await talk.ask("to begin with")
                await kind(talk)
            finally:
                self._remember(client, past)

    def _remember(self, client: VoiceClient, past: Past | None) -> None:
        for ready in client.all("session.ready"):
            resumed_from = past.session_id if past and client.all("history") else ""
            self._register.sessions.append(Seen(ready["session_id"], self._person.pk, resumed_from))
        for ending in client.all("session.ending"):
            self._register.counted[f"goodbye {ending['reason']}"] += 1
        self._register.counted["answers"] += len(client.all("turn.done", outcome="completed"))

    async def _babble(self, door: str) -> None:
        kinds, weights = zip(*fuzz.CASES, strict=True)
        async with RawConnection(door, self._person.token) as connection:
            await connection.send(fuzz.text({"type": "start"}))
            for kind in self._chance.choices(kinds, weights, k=BABBLED):
                await connection.send(kind(self._chance))
                await asyncio.sleep(0.05)
