"""The conversation: what happens, and what follows from it.

Theory of operation
===================

Events come in, with the time; commands come out, in the order in which their receivers must see them. There is no
I/O here, no clock and no task, so whatever can go wrong in a conversation can be written down as a short script of
events and read as a list of commands.

Small machines, kept apart because each has states the others need not know:

* the **turn** (:mod:`voice.protocol.turn`): SPEAKING -> AWAITING_CONTEXT -> RESPONDING -> ended, as *completed*,
  *interrupted* or *failed*. At most one is open; a new one ends the old;
* its **prefetch** (:mod:`voice.protocol.prefetch`): what the knowledge is asked while the visitor speaks;
* its **context** (:mod:`voice.protocol.injection`): what stands upstream of what was found, and of the page;
* its **answer** (:mod:`voice.protocol.answers`): how it is asked for, and what becomes of the turn when it comes, fails
  or stays away; the upstream makes one at a time, in the **response slot** (:mod:`voice.protocol.responses`);
* the **playback ledger** (:mod:`voice.protocol.playback`): what was sent and what was heard;
* the **utterances** (:mod:`voice.protocol.utterances`): which item of the visitor belongs to which turn;
* the **outage** (:mod:`voice.protocol.outage`): what a lost upstream leaves of the turn, and what is said of it;
* the **truncation** (:mod:`voice.protocol.truncation`): the upstream remembers no more than what was heard.

Two rules join them, and they stand in one place each:

* **Rule 1** (:meth:`Conversation._answer_if_ready`). When the question is committed upstream, and its context is
  settled or the budget for waiting is spent, an answer is requested. Nowhere else is one requested for the first time.
* **Rule 2** (:meth:`Conversation._complete_if_heard`). When the upstream is done and nothing audible is left, the
  turn is completed.

Context is injected the moment it is found, also while the visitor still speaks: an item created during speech is
appended before their utterance is committed, so ``InputCommitted.previous_item_id`` proves that it won the race.

When the upstream is lost, the next connection is told first what was said (:mod:`voice.protocol.history`), then
whatever was said since. A question whose words are known is asked there again; of an answer that has begun, what was
sent is still heard, and then the visitor is asked to say it again.

A barge-in does three things at once: it silences the browser, cuts the upstream's memory of the answer to what was
heard (waiting at most 200 ms for the browser's last count), and takes the response slot away from the old answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.answers import Answers
from voice.protocol.context import Passage, sources
from voice.protocol.history import NOTHING_SAID, History, HistoryBuilder
from voice.protocol.injection import PageContext, TurnContext
from voice.protocol.outage import Outage, Remains, remains
from voice.protocol.outcomes import TurnOutcome
from voice.protocol.playback import PlaybackLedger, Unheard
from voice.protocol.policy import ContextPolicy, PrefetchPolicy, Retrieval
from voice.protocol.prefetch import Found, Prefetch
from voice.protocol.timeline import Mark, Timeline
from voice.protocol.transcripts import Transcripts
from voice.protocol.truncation import Truncation
from voice.protocol.turn import TYPED_ITEM, Turn, TurnState
from voice.protocol.utterances import Utterances

SHORTEST_PUSH_MS = 100
"""The Realtime API refuses to commit less audio than this."""
COMMIT_LIMIT = 8.0
"""Seconds from the end of speech until the upstream must have taken the question."""
MUTE_TAIL_MS = 1_500
"""Silence fed after a mute in mid-sentence: more than any VAD's silence window, so that it closes the turn."""
ANSWER_LIMIT = 20_000
"""Characters kept of one answer's text."""


class Conversation:
    """One session's conversation. Not thread-safe, and need not be: whoever owns it feeds it one event at a time.

    After each :meth:`receive` and :meth:`receive_timeout`, carry out the commands that were returned and look at
    :attr:`deadline`: if it passes before the next event, call :meth:`receive_timeout`. Call :meth:`close` once, at
    the end. ``now`` is seconds on any clock that does not run backwards.
    """

    def __init__(
        self,
        prefetch: PrefetchPolicy,
        context: ContextPolicy,
        *,
        retrieval: Retrieval = "prefetch",
        page: Passage | None = None,
        history: History = NOTHING_SAID,
        turns: int = 0,
    ) -> None:
        """``page`` is what the visitor looks at, as :func:`voice.protocol.context.page_of` gives it. ``history`` is
        what was said before, of which :meth:`begin` tells the upstream, and ``turns`` the number of the last turn of
        it."""
        self._prefetch_policy = prefetch
        self._page = PageContext(page)
        self._context_policy = context
        self._retrieval = retrieval
        self._turn: Turn | None = None
        self._turns = turns
        self._answers = Answers()
        self._ledger = PlaybackLedger()
        self._truncation = Truncation()
        self._transcripts = Transcripts()
        self._utterances = Utterances()
        self._outage = Outage()
        self._earlier = history
        self._said = HistoryBuilder(history)
        self._topic = history.topic
        self._carried: Found | None = None
        self._now = 0.0
        self._revision = 0
        self._out: list[c.Command] = []

    # -- the ways in ---------------------------------------------------------------------------------------------

    def begin(self, now: float) -> list[c.Command]:
        """The session begins. Call it once, before all else."""
        self._now = now
        self._recall(self._earlier)
        return self._flush()

    def receive(self, event: e.Event, now: float) -> list[c.Command]:
        """Something happened at ``now``. Returns what follows."""
        self._now = now
        self._revision += 1
        _RECEIVERS[type(event)](self, event)
        return self._flush()

    def receive_timeout(self, now: float) -> list[c.Command]:
        """The :attr:`deadline` has passed. Calling it early, or twice, changes nothing."""
        self._now = now
        self._revision += 1
        if self._truncation.deadline is not None and now >= self._truncation.deadline:
            self._cut_memory(self._truncation.pending)
        self._tell_answers(self._answers.tick(self._turn, now))
        if self._turn is not None:
            self._search(self._turn, lambda prefetch: prefetch.tick(now))
            self._answer_if_ready()
            self._fail_if_unanswered()
            self._complete_if_heard()
        return self._flush()

    def close(self, now: float) -> list[c.Command]:
        """The session is over. What is open ends now; nothing is owed after this."""
        self._now = now
        self._revision += 1
        self._said.cut([*self._truncation.pending, *self._ledger.stop(now)])
        if self._turn is not None and self._turn.answered and not self._turn.upstream_done:
            self._said.break_off()
        self._end_open_turn()
        self._tell(*self._answers.abandon())
        return self._flush()

    @property
    def deadline(self) -> float | None:
        """When :meth:`receive_timeout` is due; ``None`` while nothing is waited for."""
        first, turn = self._truncation.deadline, self._turn
        if turn is None:
            waits_until = None
        elif turn.upstream_done:
            waits_until = self._ledger.deadline
        else:
            waits_until = turn.waits_until
        for instant in (self._answers.deadline, waits_until):
            if instant is not None and (first is None or instant < first):
                first = instant
        return first

    @property
    def speaking(self) -> bool:
        """Whether an exchange is going on: the visitor speaks, waits, or listens."""
        return self._turn is not None

    @property
    def turns(self) -> int:
        """The number of the newest turn."""
        return self._turns

    @property
    def revision(self) -> int:
        """Moves whenever something happens. While it stands still, so do :attr:`history` and :attr:`turns`."""
        return self._revision

    @property
    def history(self) -> History:
        """What was said so far; of an answer that still sounds, what was heard by the last event."""
        return self._said.history([*self._truncation.pending, *self._ledger.unheard(self._now)])

    # -- the visitor speaks --------------------------------------------------------------------------------------

    def _speech_started(self, event: e.SpeechStarted) -> None:
        if self._utterances.is_known(self._turn, event.item_id):
            return  # a server that says it twice
        self._barge_in()
        turn = self._open_turn(event.item_id)
        turn.timeline.mark(Mark.SPEECH_STARTED, self._now)
        self._tell(c.TellSpeechStarted(event.item_id))
        early = self._transcripts.get(event.item_id)
        if early:
            self._question_grows(event.item_id, early)

    def _transcript_delta(self, event: e.TranscriptDelta) -> None:
        self._question_grows(event.item_id, self._transcripts.append(event.item_id, event.delta))

    def _transcript_partial(self, event: e.TranscriptPartial) -> None:
        self._question_grows(event.item_id, self._transcripts.replace(event.item_id, event.text))

    def _transcript_done(self, event: e.TranscriptDone) -> None:
        text = self._transcripts.replace(event.item_id, event.text)
        self._question_grows(event.item_id, text, final=True)
        self._tell(*self._utterances.corrected(event.item_id, text))

    def _transcript_failed(self, event: e.TranscriptFailed) -> None:
        self._question_grows(event.item_id, self._transcripts.get(event.item_id), final=True)

    def _transcript_billed(self, event: e.TranscriptBilled) -> None:
        self._tell(c.CountUsage(event.bill_id, event.usage, event.model))

    def _question_grows(self, item_id: str, text: str, *, final: bool = False) -> None:
        self._tell(c.TellUserTranscript(item_id, text, final))
        self._said.correct(item_id, text)
        turn = self._utterances.owner(self._turn, item_id)
        if turn is None:
            return
        self._utterances.assign(turn, item_id)
        turn.written = final and bool(text)
        if text:
            turn.timeline.mark(Mark.FIRST_PARTIAL, self._now)
        self._search(turn, lambda prefetch: prefetch.hear(text, self._now, final=final))
        self._answer_if_ready()

    def _speech_stopped(self, event: e.SpeechStopped) -> None:
        turn = self._utterances.owner(self._turn, event.item_id)
        if turn is None or turn.state is not TurnState.SPEAKING:
            return
        self._speech_ends(turn, event.item_id)

    def _speech_ends(self, turn: Turn, item_id: str) -> None:
        self._tell(c.TellSpeechStopped(item_id))
        self._question_ends(turn)

    def _question_ends(self, turn: Turn) -> None:
        turn.state = TurnState.AWAITING_CONTEXT
        turn.deadline = self._now + turn.prefetch.budget_ms(typed=turn.typed) / 1000
        turn.commit_deadline = self._now + COMMIT_LIMIT
        turn.context.question_ended()
        turn.timeline.mark(Mark.SPEECH_STOPPED, self._now)
        text = self._transcripts.get(turn.item_id)
        self._search(turn, lambda prefetch: prefetch.conclude(text, self._now, final=turn.typed))
        self._answer_if_ready()

    def _input_committed(self, event: e.InputCommitted) -> None:
        self._said.ask(event.item_id, self._transcripts.get(event.item_id))
        self._utterances.committed(event.item_id)
        turn = self._utterances.owner(self._turn, event.item_id)
        if turn is None:
            self._tell(c.TellCommitted(event.item_id))  # an earlier turn's; it is in the conversation all the same
            return
        if turn.committed:
            return
        self._utterances.assign(turn, event.item_id)
        turn.committed = True
        turn.timeline.mark(Mark.COMMITTED, self._now)
        turn.context.question_committed(event.previous_item_id)
        if turn.state is TurnState.SPEAKING:
            self._speech_ends(turn, event.item_id)  # a server that does not say so itself
        self._tell(c.TellCommitted(event.item_id))
        self._answer_if_ready()

    # -- the visitor types, presses, listens ---------------------------------------------------------------------

    def _text_submitted(self, event: e.TextSubmitted) -> None:
        self._barge_in()
        turn = self._open_turn(f"{TYPED_ITEM}{self._turns + 1}", typed=True)
        turn.committed = turn.written = True
        turn.timeline.mark(Mark.COMMITTED, self._now)
        self._transcripts.replace(turn.item_id, event.text)
        self._said.ask(turn.item_id, event.text)
        self._tell(c.TellUserTranscript(turn.item_id, event.text, final=True), c.SubmitText(turn.item_id, event.text))
        self._question_ends(turn)

    def _push_started(self, event: e.PushStarted) -> None:
        self._barge_in()
        self._open_turn("", pushed=True).timeline.mark(Mark.SPEECH_STARTED, self._now)

    def _push_released(self, event: e.PushReleased) -> None:
        turn = self._turn
        if turn is None or turn.state is not TurnState.SPEAKING:
            return
        if event.audio_ms < SHORTEST_PUSH_MS:
            self._tell(c.ClearAudio())
            self._end_turn(turn, TurnOutcome.INTERRUPTED)
            return
        self._tell(c.CommitAudio())
        self._question_ends(turn)

    def _interrupt(self, event: e.Interrupt) -> None:
        if self._turn is None or self._turn.state is not TurnState.SPEAKING:
            self._barge_in()

    def _muted(self, event: e.Muted) -> None:
        if event.muted and self._turn is not None and self._turn.state is TurnState.SPEAKING:
            self._tell(c.SendSilence(MUTE_TAIL_MS))

    def _heard(self, event: e.Heard) -> None:
        heard = self._truncation.report(event.item_id, event.played_ms)
        if heard is not None:
            self._cut_memory(heard)
            return
        known = self._ledger.heard(event.item_id, event.played_ms, self._now)
        if known and self._turn is not None and event.played_ms > 0:
            self._turn.timeline.mark(Mark.FIRST_HEARD, self._now)
        self._complete_if_heard()

    # -- the knowledge answers -----------------------------------------------------------------------------------

    def _passages_retrieved(self, event: e.PassagesRetrieved) -> None:
        turn = self._turn
        if turn is None:
            return
        self._search(turn, lambda prefetch: prefetch.answered(event.search_id, event.passages, self._now))
        self._answer_if_ready()

    def _retrieval_failed(self, event: e.RetrievalFailed) -> None:
        if self._turn is not None:
            self._turn.prefetch.failed(event.search_id)
            self._answer_if_ready()

    def _search(self, turn: Turn, step: Callable[[Prefetch], list[c.ToKnowledge]]) -> None:
        """Let the turn's prefetch take a step; what it then holds to be the best is what stands in the conversation."""
        before = turn.prefetch.found
        self._tell_knowledge(step(turn.prefetch))
        found = turn.prefetch.found
        if found is before:
            return
        commands = turn.context.replace(found.passages if found else ())
        if commands and turn.context.passages:
            turn.timeline.remark(Mark.CONTEXT_READY, self._now)
        self._tell(*commands)

    # -- the answer ----------------------------------------------------------------------------------------------

    def _answer_if_ready(self) -> None:
        """Rule 1: the one place where an answer is requested first."""
        turn = self._turn
        if turn is None or turn.state is not TurnState.AWAITING_CONTEXT or not turn.committed:
            return
        if not turn.prefetch.settled and turn.deadline is not None and self._now < turn.deadline:
            return
        turn.state, turn.deadline = TurnState.RESPONDING, None
        self._tell_knowledge(turn.prefetch.requested())
        shown = sources(turn.context.passages)
        self._said.lean_on(shown)
        self._tell(c.TellContext(shown, turn.context.prefetched, turn.waited_ms(self._now)))
        self._cut_memory(self._truncation.pending)  # it must be right before the next answer
        self._tell_answers(self._answers.request(turn, self._now))

    def _response_started(self, event: e.ResponseStarted) -> None:
        self._tell_answers(self._answers.started(self._turn, event, self._now))

    def _audio_delta(self, event: e.AudioDelta) -> None:
        turn = self._answers.going_on(self._turn, event.response_id, self._now)
        if turn is None or not event.pcm:
            return
        turn.timeline.mark(Mark.FIRST_AUDIO, self._now)
        self._ledger.sent(event.item_id, len(event.pcm), self._now)
        self._out.append(c.Play(event.item_id, event.pcm))

    def _audio_done(self, event: e.AudioDone) -> None:
        if self._answers.going_on(self._turn, event.response_id, self._now) is not None:
            self._tell(c.PlayDone(event.item_id))

    def _answer_delta(self, event: e.AnswerDelta) -> None:
        turn = self._answers.going_on(self._turn, event.response_id, self._now)
        if turn is not None:
            turn.answer = (turn.answer + event.delta)[:ANSWER_LIMIT]
            self._said.answer(event.item_id, event.delta)
            self._tell(c.TellAnswerTranscript(event.item_id, event.delta))

    def _response_done(self, event: e.ResponseDone) -> None:
        self._tell_answers(self._answers.done(self._turn, event, self._now))
        self._fail_if_unanswered()
        self._complete_if_heard()

    def _fault(self, event: e.Fault) -> None:
        self._tell_answers(self._answers.refused(self._turn, event, self._now))
        self._fail_if_unanswered()

    # -- the upstream is lost ------------------------------------------------------------------------------------

    def _upstream_lost(self, event: e.UpstreamLost) -> None:
        self._tell(*self._outage.lost())
        self._utterances.upstream_lost()
        self._said.cut(self._truncation.pending)
        self._truncation.forget(self._ledger.item_ids)
        answer = self._answers.response_id
        self._tell(*self._answers.abandon())
        if self._turn is not None:
            self._salvage(self._turn)
        self._recall(self._said.history())
        self._tell(*self._page.show_again())
        if self._turn is not None and not self._turn.upstream_done:
            self._take_up(self._turn, answer)

    def _upstream_back(self, event: e.UpstreamBack) -> None:
        self._tell(*self._outage.back())

    def _salvage(self, turn: Turn) -> None:
        turn.context.upstream_lost()
        turn.commit_deadline = turn.retry_at = None
        match remains(turn):
            case Remains.ANSWER:
                self._break_off(turn)
            case Remains.QUESTION:
                self._keep_question(turn)
            case Remains.NOTHING:
                self._lose_turn(turn)

    def _keep_question(self, turn: Turn) -> None:
        """It is committed upstream as a part of what is recalled there."""
        if not turn.committed:
            self._tell(c.TellCommitted(turn.item_id))
        turn.committed = True
        self._said.ask(turn.item_id, self._transcripts.get(turn.item_id))

    def _break_off(self, turn: Turn) -> None:
        turn.broken = turn.upstream_done = True
        self._said.break_off()
        if self._ledger.item_ids:
            self._tell(c.PlayDone(self._ledger.item_ids[-1]))
        self._complete_if_heard()

    def _take_up(self, turn: Turn, answer: str) -> None:
        """Go on with the open turn where nothing is known of it, nor of the ``answer`` that had begun, if one had."""
        if answer:
            self._tell(c.TellAnswerDone(answer, "failed", None, None))
        self._tell(*turn.context.inject_again())
        if turn.state is TurnState.RESPONDING:
            self._tell_answers(self._answers.request(turn, self._now))
        else:
            self._answer_if_ready()

    def _lose_turn(self, turn: Turn) -> None:
        self._tell(*self._outage.turn_lost())
        self._end_turn(turn, TurnOutcome.FAILED)

    # -- how turns begin and end ---------------------------------------------------------------------------------

    def _open_turn(self, item_id: str, *, typed: bool = False, pushed: bool = False) -> Turn:
        self._turns += 1
        self._outage.turn_opened()
        prefetch = Prefetch(
            self._prefetch_policy,
            self._turns,
            topic=self._topic,
            page_title=self._page.title,
            retrieval=self._retrieval,
            carried=self._carried,
        )
        self._tell(*self._page.show())
        context = TurnContext(self._turns, self._context_policy)
        self._turn = Turn(self._turns, item_id, prefetch, context, Timeline(self._now), typed=typed, pushed=pushed)
        return self._turn

    def _recall(self, history: History) -> None:
        if history.items:
            self._tell(c.Recall(history))

    def _barge_in(self) -> None:
        self._cut_memory(self._truncation.pending)
        unheard = self._ledger.stop(self._now)
        if unheard:
            self._truncation.wait(unheard, self._now)
            self._tell(c.StopPlayback(unheard[0].item_id))
        self._end_open_turn(heard_all=not unheard)

    def _cut_memory(self, heard: list[Unheard]) -> None:
        """The upstream remembers of its answers what was ``heard``, and so does the history."""
        self._said.cut(heard)
        self._tell(*self._truncation.settle(heard))

    def _complete_if_heard(self) -> None:
        """Rule 2: the upstream is done and nothing audible is left."""
        turn = self._turn
        if turn is not None and turn.upstream_done and not self._ledger.audible(self._now):
            self._ledger.clear()
            if turn.broken:
                self._lose_turn(turn)
            else:
                self._end_turn(turn, TurnOutcome.INTERRUPTED if turn.cancelled else TurnOutcome.COMPLETED)

    def _fail_if_unanswered(self) -> None:
        """No answer will come; or the question never arrived upstream."""
        turn = self._turn
        if turn is not None and (turn.failed or turn.never_committed(self._now)):
            self._tell(c.TellNotice("answer_failed"))
            self._end_turn(turn, TurnOutcome.FAILED)

    def _end_open_turn(self, *, heard_all: bool = False) -> None:
        turn = self._turn
        if turn is None:
            return
        complete = heard_all and turn.upstream_done and not turn.cancelled
        self._tell(*self._answers.interrupt(self._now))
        self._end_turn(turn, TurnOutcome.COMPLETED if complete else TurnOutcome.INTERRUPTED)

    def _end_turn(self, turn: Turn, outcome: TurnOutcome) -> None:
        question = self._transcripts.get(turn.item_id)
        self._utterances.turn_ended(turn, question, self._now)
        self._turn, turn.state, self._carried = None, TurnState.ENDED, turn.prefetch.leftover
        turn.timeline.mark(Mark.ENDED, self._now)
        self._tell_knowledge(turn.prefetch.close())
        self._tell(*turn.context.close())
        self._topic = question or self._topic
        self._tell(c.TellTurnDone(turn.number, outcome, turn.timeline.latencies()), turn.ended(outcome, question))

    # -- small things --------------------------------------------------------------------------------------------

    def _tell(self, *commands: c.Command) -> None:
        self._out.extend(commands)

    def _tell_knowledge(self, commands: Iterable[c.ToKnowledge]) -> None:
        for command in commands:
            if isinstance(command, c.Retrieve) and self._turn is not None:
                self._turn.timeline.mark(Mark.SEARCH_STARTED, self._now)
            self._out.append(command)

    def _tell_answers(self, commands: Iterable[c.Command]) -> None:
        for command in commands:
            if isinstance(command, c.CreateResponse) and self._turn is not None:
                self._turn.timeline.mark(Mark.RESPONSE_REQUESTED, self._now)
            self._out.append(command)

    def _flush(self) -> list[c.Command]:
        out, self._out = self._out, []
        return out


_RECEIVERS: Mapping[type, Callable[[Conversation, Any], None]] = {
    e.SpeechStarted: Conversation._speech_started,
    e.SpeechStopped: Conversation._speech_stopped,
    e.InputCommitted: Conversation._input_committed,
    e.TranscriptDelta: Conversation._transcript_delta,
    e.TranscriptPartial: Conversation._transcript_partial,
    e.TranscriptDone: Conversation._transcript_done,
    e.TranscriptFailed: Conversation._transcript_failed,
    e.TranscriptBilled: Conversation._transcript_billed,
    e.ResponseStarted: Conversation._response_started,
    e.AudioDelta: Conversation._audio_delta,
    e.AudioDone: Conversation._audio_done,
    e.AnswerDelta: Conversation._answer_delta,
    e.ResponseDone: Conversation._response_done,
    e.Fault: Conversation._fault,
    e.UpstreamLost: Conversation._upstream_lost,
    e.UpstreamBack: Conversation._upstream_back,
    e.TextSubmitted: Conversation._text_submitted,
    e.Heard: Conversation._heard,
    e.Interrupt: Conversation._interrupt,
    e.Muted: Conversation._muted,
    e.PushStarted: Conversation._push_started,
    e.PushReleased: Conversation._push_released,
    e.PassagesRetrieved: Conversation._passages_retrieved,
    e.RetrievalFailed: Conversation._retrieval_failed,
}
"""Who receives what. One table for all conversations: two dozen bound methods each would be 3 KiB a session."""
