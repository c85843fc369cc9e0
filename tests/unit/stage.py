"""A session between stand-ins: what each was told, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.fakes import FakeKnowledge, FakeUpstream
from voice.place import Place
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import BYTES_PER_MS
from voice.protocol.context import Passage
from voice.protocol.conversation import Conversation
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason
from voice.protocol.policy import ContextPolicy, PrefetchPolicy
from voice.session import Session, SessionTerms

AN_INSTANT = 0.001
"""Seconds in which all that is due at once is done."""
SOON = 0.05
"""Seconds that something may come later, or that one looks before it comes."""

Told = TypeVar("Told", bound=c.ToBrowser)


class Facts:
    """Records that keep what they are told, at once, or when :attr:`storing` is set, or raise :attr:`error`."""

    def __init__(self) -> None:
        self.kept: list[c.ToRecords] = []
        self.checkpoints: list[Counters] = []
        self.last: Counters | None = None
        """What was counted at the end."""
        self.storing = asyncio.Event()
        self.storing.set()
        self.error: Exception | None = None

    @property
    def turns(self) -> list[c.TurnEnded]:
        """The turns among them."""
        return [fact for fact in self.kept if isinstance(fact, c.TurnEnded)]

    async def keep(self, fact: c.ToRecords, counters: Counters) -> None:
        await self.storing.wait()
        if self.error is not None:
            raise self.error
        self.kept.append(fact)
        self.checkpoints.append(counters)

    async def checkpoint(self, counters: Counters) -> None:
        await self.storing.wait()
        self.checkpoints.append(counters)

    def remember(self, counters: Counters) -> None:
        self.last = counters


class Stage:
    """A session that can be run, and what comes of it. Seconds are counted from its making."""

    def __init__(self, *, knowledge: FakeKnowledge | None = None, page: Passage | None = None, **terms: Any) -> None:
        self.knowledge, self.facts = knowledge or FakeKnowledge(), Facts()
        self.upstreams: list[FakeUpstream] = []
        """One for each time that the upstream was dialled."""
        self.redialled: Callable[[FakeUpstream], None] = lambda upstream: None
        """What is to be different with the next of them, before it is dialled."""
        self.told: list[tuple[float, c.ToBrowser]] = []
        """What the visitor was told, and at which second."""
        self.reading = asyncio.Event()
        """While clear, the visitor's side takes nothing more."""
        self.reading.set()
        self.at_once = True
        """Whether the visitor can be told anything past the server's queue."""
        self.error: Exception | None = None
        """What telling the visitor anything ends in."""
        self._began = asyncio.get_running_loop().time()
        self.session = Session(
            SessionTerms("s", "en", **terms),
            Conversation(PrefetchPolicy(), ContextPolicy(), page=page),
            self._connect,
            self.knowledge,
            self,
            self.facts,
        )

    # -- the visitor ---------------------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        return self.reading.is_set() and self.error is None and self.at_once

    def tell_at_once(self, command: c.ToBrowser) -> None:
        self.told.append((self.now, command))

    async def tell(self, command: c.ToBrowser) -> None:
        await self.reading.wait()
        if self.error is not None:
            raise self.error
        self.told.append((self.now, command))

    # -- the test ------------------------------------------------------------------------------------------------

    @property
    def upstream(self) -> FakeUpstream:
        """The newest."""
        return self.upstreams[-1]

    @asynccontextmanager
    async def running(self, place: Place | None = None) -> AsyncIterator[asyncio.Task[EndReason]]:
        """The session's task, begun, with all that follows at once. Hung up and awaited at the end."""
        task = asyncio.create_task(self.session.run(place))
        await asyncio.sleep(AN_INSTANT)
        yield task
        self.session.end(EndReason.CLIENT_HANGUP)
        await asyncio.wait({task})

    async def ask(self, text: str = "When do you open?") -> str:
        """A typed question. Returns its request, once the answer was asked for."""
        before = len(self.requests)
        self.session.receive(e.TextSubmitted(text))
        while len(self.requests) == before:  # noqa: ASYNC110 (nobody announces it, and the clock is virtual)
            await asyncio.sleep(AN_INSTANT)
        return self.requests[-1].request_id

    async def ask_unheard(self) -> str:
        """A typed question to an upstream that takes nothing. Returns its request, once that waits to leave."""
        self.session.receive(e.TextSubmitted("When do you open?"))
        await asyncio.sleep(1.5)
        return "req_1"

    async def answer(self, *pieces_ms: int) -> None:
        """The upstream answers a typed question with pieces of so many milliseconds, all at once."""
        request_id = await self.ask()
        self.upstream.say(e.ResponseStarted("r", request_id))
        self.upstream.say(*(e.AudioDelta("r", "item_a", bytes(ms * BYTES_PER_MS)) for ms in pieces_ms))
        self.upstream.say(e.AudioDone("r", "item_a"), e.ResponseDone("r", "completed", request_id=request_id))
        await asyncio.sleep(AN_INSTANT)

    @property
    def requests(self) -> list[c.CreateResponse]:
        """The answers that were asked for."""
        return [command for command in self.upstream.commands if isinstance(command, c.CreateResponse)]

    @property
    def now(self) -> float:
        """Seconds so far."""
        return asyncio.get_running_loop().time() - self._began

    def all(self, kind: type[Told]) -> list[tuple[float, Told]]:
        """What of this kind the visitor was told, and when."""
        return [(at, command) for at, command in self.told if isinstance(command, kind)]

    @property
    def played_ms(self) -> int:
        """Audio that went to the visitor so far."""
        return sum(len(play.pcm) for _, play in self.all(c.Play)) // BYTES_PER_MS

    def _connect(self) -> FakeUpstream:
        self.upstreams.append(FakeUpstream())
        self.redialled(self.upstream)
        return self.upstream
