"""One measured turn: a visitor who asks one question in a session of their own, and hangs up when they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from voice.knowledge.base import Knowledge
from voice.probe.errors import ProbeError
from voice.probe.figures import Measured, Mode
from voice.probe.knowledge import ObservedKnowledge
from voice.probe.questions import Question
from voice.probe.spoken import feed
from voice.protocol import commands as c
from voice.protocol.conversation import Conversation
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.protocol.policy import ContextPolicy, PrefetchPolicy
from voice.session import Session, SessionTerms
from voice.upstream.base import Upstream

TURN_LIMIT = 60.0
"""Seconds for a question and the beginning of its answer."""
DEAF_OR_MUTE = {"speech_unavailable", "voice_unavailable"}


@dataclass(frozen=True, slots=True)
class Setup:
    """What every turn of a run has in common."""

    upstream: Callable[[Question, SessionTerms], Upstream]
    """Gives a fresh one for each turn."""
    knowledge: Knowledge
    knowledge_latency_ms: float = 0
    """Added to each search."""
    language: str = "en"
    prefetch: PrefetchPolicy = field(default_factory=PrefetchPolicy)
    context: ContextPolicy = field(default_factory=ContextPolicy)


async def measure(setup: Setup, mode: Mode, question: Question) -> Measured:
    """Ask ``question`` in a session of its own. A turn that failed comes back without ``first_audio``.

    Raises:
        ProbeError: there was no turn, since the session ended first.
    """
    return await _Visitor(setup, mode, question).converse()


class _Visitor:
    """The visitor's side of the session, and its records."""

    def __init__(self, setup: Setup, mode: Mode, question: Question) -> None:
        self._mode: Mode = mode
        self._question = question
        self._knowledge = ObservedKnowledge(setup.knowledge, setup.knowledge_latency_ms)
        self._ready = asyncio.Event()
        self._notice = ""
        self._spoke_at = 0.0
        self._partials: list[int] = []
        self._turn: c.TurnEnded | None = None
        terms = SessionTerms(
            session_id="probe",
            language=setup.language,
            passages=setup.context.passages,
            seconds=TURN_LIMIT,
            idle_seconds=TURN_LIMIT,
        )
        conversation = Conversation(setup.prefetch, setup.context, retrieval=mode)
        self._session = Session(
            terms, conversation, lambda: setup.upstream(question, terms), self._knowledge, self, self
        )

    async def converse(self) -> Measured:
        """Ask, and come back with what was measured."""
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak())
            reason = await self._session.run()
            speaking.cancel()
        if self._notice:
            raise ProbeError(f"The upstream cannot be measured on this machine: {self._notice}.")
        if reason is not EndReason.CLIENT_HANGUP or self._turn is None:
            raise ProbeError(f"The session ended before the question was answered: {reason.value}.")
        return Measured(
            self._mode,
            self._question.text,
            self._turn.marks,
            self._turn.searches,
            tuple(self._partials),
            tuple((self._ms(began), self._ms(ended)) for began, ended in self._knowledge.searches),
        )

    async def keep(self, fact: c.ToRecords, counters: Counters) -> None:
        """The last turn is the one that was answered; a pause in the question can have made one before it."""
        if isinstance(fact, c.TurnEnded):
            self._turn = fact

    async def checkpoint(self, counters: Counters) -> None:
        """Nothing is counted here."""

    def remember(self, counters: Counters) -> None:
        """Nor at the end."""

    async def _speak(self) -> None:
        if self._question.pcm:
            await self._ready.wait()
            await feed(self._session.push_audio, self._question.pcm)

    has_room = True

    async def tell(self, command: c.ToBrowser) -> None:
        """At once."""
        self.tell_at_once(command)

    def tell_at_once(self, command: c.ToBrowser) -> None:
        """Note what was said when, and hang up when the answer begins."""
        now = asyncio.get_running_loop().time()
        match command:
            case c.TellReady():
                self._ready.set()
            case c.TellNotice(code=code) if code in DEAF_OR_MUTE:
                self._notice = code
                self._hang_up()
            case c.TellSpeechStarted():
                self._spoke_at, self._partials = now, []
            case c.TellUserTranscript(final=False):
                self._partials.append(self._ms(now))
            case c.Play():
                self._hang_up()
            case c.TellTurnDone(outcome=outcome) if outcome is not TurnOutcome.INTERRUPTED:
                self._hang_up()

    def _hang_up(self) -> None:
        self._session.end(EndReason.CLIENT_HANGUP)

    def _ms(self, at: float) -> int:
        return round((at - self._spoke_at) * 1000)
