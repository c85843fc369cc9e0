"""The count of one session: audio both ways, turns, searches, usage and its cost."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

from voice.protocol import commands as c
from voice.protocol.audio import duration_ms
from voice.protocol.cost import PLACES, Prices
from voice.protocol.counters import Counters
from voice.protocol.outcomes import SearchOutcome, TurnOutcome
from voice.protocol.playback import Underruns
from voice.protocol.usage import UNKNOWN, Bills, Usage, read


class Tally:
    """Told what happens; asked for :meth:`counters`.

    ``model`` is what answers are paid to. An upstream that is not ``metered`` costs nothing, whatever it says.
    """

    __slots__ = (
        "_bills", "_interruptions", "_metered", "_model", "_prices", "_searches", "_turns", "_underruns",
        "answer_bytes", "answer_frames", "dropped_frames", "mic_bytes", "mic_frames", "reconnects",
    )  # fmt: skip

    def __init__(self, model: str, prices: Prices, *, metered: bool) -> None:
        self.dropped_frames = 0
        """Set by whoever drops them."""
        self.reconnects = 0
        """Set by whoever dials. What another connection bills is another bill, also where its ids begin anew."""
        self._model, self._prices, self._metered = model, prices, metered
        self.mic_frames = self.mic_bytes = 0
        """Pieces of the visitor's audio, and their bytes. Counted by whoever hears them: a call less for each."""
        self.answer_frames = self.answer_bytes = 0
        """Pieces of answers that went out, and their bytes. Counted by whoever sends them."""
        self._underruns = Underruns()
        self._turns = self._interruptions = 0
        self._searches: Counter[str] = Counter()
        self._bills = Bills()

    def played(self, item_id: str, underruns: int) -> None:
        """The browser reports how often this item's sound broke off so far."""
        self._underruns.report(item_id, underruns)

    def count(self, fact: c.ToRecords) -> None:
        """What the conversation told for the records."""
        match fact:
            case c.TurnEnded():
                self._turns += 1
                self._interruptions += fact.outcome is TurnOutcome.INTERRUPTED
                self._searches.update(fact.searches)
            case c.CountUsage() if fact.usage is not None or self._metered:
                usage = UNKNOWN if fact.usage is None else read(fact.usage)
                self._bills.add(f"{self.reconnects} {fact.bill_id}", fact.model or self._model, usage)

    @property
    def cost(self) -> Decimal | None:
        """What it costs so far, exact; ``None``: unknown."""
        return self._prices.cost(self._bills.by_model if self._metered else {})

    def counters(self) -> Counters:
        """The count so far."""
        bills, cost = self._bills.by_model, self.cost
        answers = bills.get(self._model, Usage())
        transcripts = sum((usage for model, usage in bills.items() if model != self._model), Usage())
        return Counters(
            mic_frames=self.mic_frames,
            mic_ms=duration_ms(self.mic_bytes),
            dropped_frames=self.dropped_frames,
            reconnects=self.reconnects,
            answer_frames=self.answer_frames,
            answer_ms=duration_ms(self.answer_bytes),
            underruns=self._underruns.total,
            turns_count=self._turns,
            interruptions=self._interruptions,
            searches_hit=self._searches[SearchOutcome.HIT],
            searches_late=self._searches[SearchOutcome.LATE],
            searches_superseded=self._searches[SearchOutcome.SUPERSEDED],
            searches_failed=self._searches[SearchOutcome.FAILED],
            searches_none=self._searches[SearchOutcome.NONE],
            text_in=answers.text_in,
            text_cached=answers.text_cached,
            audio_in=answers.audio_in,
            audio_cached=answers.audio_cached,
            text_out=answers.text_out,
            audio_out=answers.audio_out,
            transcription_ms=transcripts.milliseconds,
            transcription_tokens=transcripts.tokens,
            cost=None if cost is None else cost.quantize(PLACES, ROUND_HALF_UP),
            estimated=self._metered and self._bills.estimated,
        )
