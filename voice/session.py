"""One live conversation: the core between an upstream, a knowledge and a visitor.

:class:`Session` owns the tasks, and nothing that could be decided wrongly: what happens goes into the
:class:`~voice.protocol.conversation.Conversation`, and each command that comes out goes to its one receiver. What waits
to go up is kept by the :class:`~voice.line.Line`, and what waits to go to the visitor by the
:class:`~voice.delivery.Delivery`. It knows neither Django nor Channels, so the same session runs behind a socket, in a
test and in a measurement.

The ways in (:meth:`Session.push_audio`, :meth:`Session.receive`, :meth:`Session.end`) never wait. All that waits is a
task of the one group in :meth:`Session.run`, and every wait has a limit.
"""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass, field
from decimal import Decimal

from voice.delivery import Delivery, Visitor
from voice.keeping import Keeper, Recorder
from voice.knowledge.base import EVERYONE, Knowledge, Scope
from voice.line import Connect, Line
from voice.place import Granted, Place
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import duration_ms, silence
from voice.protocol.budget import Budget
from voice.protocol.conversation import Conversation
from voice.protocol.cost import Prices
from voice.protocol.history import NOTHING_SAID, History
from voice.protocol.lifetime import Lifetime
from voice.protocol.outcomes import LEFT, EndReason
from voice.protocol.tally import Tally
from voice.searches import Searches
from voice.upstream.base import Upstream

MICROPHONE_LIMIT = 20.0
"""Seconds for a visitor to give the microphone, where the upstream is dialled meanwhile."""


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """What one session may do, and how."""

    session_id: str
    language: str
    passages: int = 5
    seconds: float = 600.0
    """How long it may last."""
    expiring_seconds: float = 30.0
    """How long before its end the visitor is told."""
    idle_seconds: float = 60.0
    """How long it may go on without a word from either side."""
    push_to_talk: bool = False
    voice: str = ""
    """Who speaks, where the visitor may choose; empty for the site's own."""
    reports: bool = False
    """Whether its client has to say what it has played, and is given up if it does not."""
    waiting: bool = False
    """Whether its visitor is still being asked for their microphone."""
    scope: Scope = EVERYONE
    """What this visitor may find in the knowledge."""
    prices: Prices = field(default_factory=Prices)
    allowance: Decimal | None = None
    """What it may cost, in the currency of ``prices``; ``None``: anything."""
    resume: str = field(default="", repr=False)
    """The token that goes on with this conversation, for the visitor; empty where it is not kept."""
    history: History = NOTHING_SAID
    """What was said before, which the visitor is shown."""
    notices: tuple[str, ...] = ()
    """What the visitor is told as soon as they can speak."""


class Session:
    """A conversation that is going on. Made for one :meth:`run`."""

    __slots__ = (
        "_alarm", "_budget", "_context", "_conversation", "_delivery", "_ended", "_fault", "_hears", "_keeper",
        "_lifetime", "_line", "_loop", "_minds", "_now", "_over", "_pushed_ms", "_ready", "_reason", "_searches",
        "_taken_up", "_tally", "_tasks", "_unused", "began", "terms",
    )  # fmt: skip

    def __init__(
        self,
        terms: SessionTerms,
        conversation: Conversation,
        connect: Connect,
        knowledge: Knowledge,
        visitor: Visitor,
        recorder: Recorder,
    ) -> None:
        """``connect`` is called at once, and again whenever the upstream is to be dialled again."""
        self._loop = asyncio.get_running_loop()  # kept: to ask for it is a system call up to Python 3.11
        self._now = self._loop.time
        self._context = contextvars.copy_context()
        """For the alarm, which may be set by a call of a server or of a library, in nobody's context."""
        self.terms = terms
        self.began = False
        """Whether the upstream was reached."""
        self._conversation = conversation
        self._line = Line(terms.session_id, connect, self)
        self._tally = Tally(self.upstream.model, terms.prices, metered=self.upstream.metered)
        self._keeper = Keeper(terms.session_id, recorder, self._tally)
        self._budget = Budget(terms.allowance)
        self._lifetime = Lifetime(
            seconds=terms.seconds, expiring_seconds=terms.expiring_seconds, idle_seconds=terms.idle_seconds
        )
        self._delivery = Delivery(visitor, self, self._tally, reports=terms.reports)
        self._searches = Searches(
            terms.session_id,
            knowledge,
            self.receive,
            language=terms.language,
            passages=terms.passages,
            scope=terms.scope,
        )
        self._ready, self._ended, self._taken_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._over = False
        """Whether it has ended. Asked for each event, so it is no question to an event of asyncio; nor is the next."""
        self._unused = terms.waiting
        """Whether the visitor has said nothing yet, and may never have given their microphone."""
        self._minds = terms.waiting or terms.push_to_talk
        """Whether more follows from a frame of the microphone than that it goes up."""
        if not terms.waiting:
            self._taken_up.set()
        self._reason = EndReason.INTERNAL_ERROR
        self._fault: Exception | None = None
        self._hears = True
        """Whether the microphone counts: neither is it muted, nor is the session over."""
        self._pushed_ms: int | None = None
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def upstream(self) -> Upstream:
        """The newest connection to it."""
        return self._line.upstream

    @property
    def retry_after_ms(self) -> int | None:
        """When another session may come, after one that the provider was too busy for; ``None``: it did not say."""
        return None if self._line.retry_after is None else round(self._line.retry_after * 1000)

    @property
    def busy(self) -> bool:
        """Whether an exchange is going on, which an end would cut off."""
        return self._conversation.speaking

    @property
    def depths(self) -> dict[str, float]:
        """The most seconds of audio that waited for the upstream, and for the visitor."""
        return {"backlog": duration_ms(self._line.backlog.deepest) / 1000, "egress": self._delivery.deepest_ms / 1000}

    @property
    def revision(self) -> int:
        """Moves whenever something happens. While it stands still, so do ``history``, ``turns`` and ``cost``."""
        return self._conversation.revision

    @property
    def history(self) -> History:
        """What was said so far."""
        return self._conversation.history

    @property
    def turns(self) -> int:
        """The number of the newest turn."""
        return self._conversation.turns

    @property
    def cost(self) -> Decimal | None:
        """What it costs so far; ``None``: unknown."""
        return self._tally.cost

    # -- in: these never wait ------------------------------------------------------------------------------------

    def push_audio(self, pcm: bytes) -> None:
        """The microphone heard this (PCM, whole samples, at most a second)."""
        if not self._hears:
            return
        if self._minds:
            self._mind(pcm)
        self._tally.mic_frames += 1
        self._tally.mic_bytes += len(pcm)
        if not self._line.push_audio(pcm):
            self._tally.dropped_frames = self._line.backlog.dropped

    def _mind(self, pcm: bytes) -> None:
        if self._unused:
            self.take_up()
        if self.terms.push_to_talk:
            self._count_push(pcm)
        else:
            self._minds = False

    def _count_push(self, pcm: bytes) -> None:
        if self._pushed_ms is None:
            self._pushed_ms = 0
            self.receive(e.PushStarted())
        self._pushed_ms += duration_ms(len(pcm))

    def receive(self, event: e.Event) -> None:
        """Something happened."""
        if self._over:
            return
        now = self._now()
        match event:
            case e.AudioDelta() | e.SpeechStarted() | e.TextSubmitted() | e.PushStarted():
                self._lifetime.word(now)
            case e.Heard():
                self._tally.played(event.item_id, event.underruns)
                self._delivery.heard(event, now)
            case e.Muted():
                self._hears = not event.muted
            case e.UpstreamLost():
                self._tally.reconnects = self._line.redials
        self._carry_out(self._conversation.receive(event, now))

    def release_push(self) -> None:
        """Push-to-talk: the visitor let go."""
        pushed, self._pushed_ms = self._pushed_ms, None
        if pushed is not None:
            self.receive(e.PushReleased(pushed))

    def discard_push(self) -> None:
        """Push-to-talk: the visitor takes back what they said since they last let go."""
        if self._pushed_ms is not None:
            self._pushed_ms = None
            self.receive(e.PushReleased(0))

    def take_up(self) -> None:
        """The visitor has said something without their microphone: that is being there, too."""
        self._unused = False
        self._taken_up.set()

    def tell(self, command: c.ToBrowser) -> None:
        """Say something to the visitor that is not of the conversation."""
        self._delivery.tell(command)

    def end(self, reason: EndReason) -> None:
        """Let it be over. The first reason stands; who goes before the microphone is there has had no conversation."""
        if not self._over:
            unused = reason in LEFT and self._unused
            self._reason = EndReason.NO_MICROPHONE if unused else reason
            self._stop()

    def _stop(self) -> None:
        self._over, self._hears = True, False
        self._ended.set()
        self._delivery.stop()

    def fail(self, fault: Exception) -> None:
        """Let it be over, by a fault of ours that happened outside of every task. :meth:`run` raises it."""
        self._fault = self._fault or fault
        self.end(EndReason.INTERNAL_ERROR)

    # -- life ----------------------------------------------------------------------------------------------------

    async def run(self, place: Place | None = None) -> EndReason:
        """Dial the upstream, hold the conversation, and say why it is over. An upstream that is lost is dialled again.

        While ``place`` is not valid, nothing goes to the upstream or to the visitor: what the microphone hears waits
        in the backlog, and so do answers.

        Whatever was started is over too when this returns, or raises: tasks, searches, the upstream's connection.
        """
        self._delivery.place = place or Granted()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._carry_out(self._conversation.begin(self._now()))
                parts = (self._serve, self._watch, self._expect, self._delivery.run, self._keeper.run)
                running = [tasks.create_task(part()) for part in parts]
                await self._ended.wait()
                self._cancel_alarm()
                self._searches.cancel_all()
                for task in running:
                    task.cancel()
                if self._fault is not None:
                    raise self._fault
        finally:
            self._stop()
            self._cancel_alarm()
            await self._take_leave()
        return self._reason

    async def _serve(self) -> None:
        """The upstream's side, from dialling to the end."""
        error = await self._line.run(self._delivery.place)
        self.end(error.reason)

    def reached(self) -> None:
        """The upstream is there, for the first time."""
        self._lifetime.begin(self._now())
        self.began = True
        self._ready.set()
        self._keeper.note(c.SessionBegan())
        terms = self.terms
        self.tell(c.TellReady(terms.session_id, self.upstream.provider, round(terms.seconds), terms.resume))
        if terms.history:
            self.tell(c.TellHistory(terms.history))
        for code in (*terms.notices, *self.upstream.limits):
            self.tell(c.TellNotice(code))

    def take(self, audio: e.AudioDelta) -> bool:
        """More of an answer. Not taken while it has to wait for :meth:`room`."""
        if self._delivery.is_full(self._now()):
            return False
        try:
            self.receive(audio)
        except Exception as fault:
            self.fail(fault)
        return True

    async def room(self) -> None:
        """Wait until more of an answer can be taken."""
        await self._delivery.room()

    async def _watch(self) -> None:
        """The time that the session has, from the moment at which the visitor may speak."""
        await self._ready.wait()
        while True:
            await asyncio.sleep(self._lifetime.wait(self._now()))
            found = self._lifetime.look(self._now(), speaking=self.busy)
            if isinstance(found, EndReason):
                return self.end(found)
            if found is not None:
                self.tell(c.TellExpiring(found, "duration"))

    async def _expect(self) -> None:
        """The visitor, who has so long to give their microphone or to do without it."""
        try:
            async with asyncio.timeout(MICROPHONE_LIMIT):
                await self._taken_up.wait()
        except TimeoutError:
            self.end(EndReason.NO_MICROPHONE)

    def _mind_the_budget(self, fact: c.ToRecords) -> None:
        """What was spent may be the last of it. Then the session ends between two answers, not in one."""
        if self._over or not isinstance(fact, c.CountUsage | c.TurnEnded):
            return
        left = self._budget.spend(self._tally.cost, self._lifetime.age(self._now()))
        if left is not None:
            self.tell(c.TellExpiring(left, "budget"))
        if self._budget.is_spent and (isinstance(fact, c.TurnEnded) or not self._conversation.speaking):
            self.end(EndReason.BUDGET)

    async def _take_leave(self) -> None:
        """What is open ends, what was said reaches the records, what is due reaches the visitor."""
        self._carry_out(self._conversation.close(self._now()))
        await self._keeper.finish()
        await self._delivery.take_leave()

    # -- out: each command to its receiver -----------------------------------------------------------------------

    def _carry_out(self, commands: list[c.Command]) -> None:
        for command in commands:
            match command:
                case c.ToBrowser():  # first: nearly all are
                    self._delivery.tell(command)
                case c.SendSilence():
                    self._line.push_audio(silence(command.milliseconds))
                case c.Reconnect():
                    self._line.drop()
                case c.ToUpstream():
                    self._line.push(command)
                case c.Retrieve():
                    if not self._over:
                        self._searches.begin(command, self._tasks)
                case c.CancelRetrieval():
                    self._searches.cancel(command.search_id)
                case c.ToRecords():
                    self._keeper.note(command)
                    self._mind_the_budget(command)
        self._set_alarm()

    # -- time ----------------------------------------------------------------------------------------------------

    def _set_alarm(self) -> None:
        deadline = self._conversation.deadline
        if deadline is None or self._over:
            self._cancel_alarm()
        elif self._alarm is None or deadline < self._alarm.when():
            # One that rings too early changes nothing: most deadlines are put off by the next piece of an answer.
            self._cancel_alarm()
            self._alarm = self._loop.call_at(deadline, self._ring, context=self._context)

    def _ring(self) -> None:
        self._alarm = None
        try:
            self._carry_out(self._conversation.receive_timeout(self._now()))
        except Exception as fault:
            self.fail(fault)

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
