"""A conversation as a script: what happens at which millisecond, and what was commanded then."""

from typing import TypeVar

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.context import ContextPolicy, Passage
from voice.protocol.conversation import Conversation
from voice.protocol.prefetch import PrefetchPolicy

HARBOUR = Passage("Opening hours", "The harbour shop is open from 9 am to 7 pm.", "/help/hours/", "en", 0.8)
SUNDAYS = Passage("Sundays", "On Sundays only the harbour shop is open.", "/help/sundays/", "en", 0.7)
QUESTION = "When does the harbour shop open on weekdays"
SECOND = 48_000

Kind = TypeVar("Kind", bound=c.Command)


class Script:
    """Feeds a conversation; between two events, deadlines ring exactly when they are due."""

    def __init__(self, *, keep: bool = True, retrieval: bool = True) -> None:
        self.conversation = Conversation(PrefetchPolicy(), ContextPolicy(keep=keep), retrieval=retrieval)
        self.now = 0.0
        self.said: list[c.Command] = []
        self.all: list[c.Command] = []

    def at(self, ms: int, *events: e.Event) -> list[c.Command]:
        """Let ``events`` happen at ``ms``. Returns what was commanded since the last call."""
        self.said = []
        self._pass_time(ms / 1000)
        for event in events:
            self._keep(self.conversation.receive(event, self.now))
        return self.said

    def close(self) -> list[c.Command]:
        """The session is over."""
        self.said = []
        self._keep(self.conversation.close(self.now))
        return self.said

    def only(self, kind: type[Kind]) -> Kind:
        """The one command of this kind that was given last."""
        found = [command for command in self.said if isinstance(command, kind)]
        assert len(found) == 1, f"{len(found)} x {kind.__name__} in {self.said}"
        return found[0]

    def none(self, *kinds: type[c.Command]) -> None:
        """None of these was commanded last."""
        assert not [command for command in self.said if isinstance(command, kinds)], self.said

    def spoken(self, ms: int, text: str = QUESTION, item: str = "item_u", passages: tuple[Passage, ...] = (HARBOUR,)):
        """A question spoken from ``ms`` on, heard, searched, committed a second later: up to its request."""
        self.at(ms, e.SpeechStarted(item))
        self.at(ms + 500, e.TranscriptPartial(item, text + "."))
        for search in [x for x in self.said if isinstance(x, c.Retrieve)]:
            self.at(ms + 600, e.PassagesRetrieved(search.search_id, passages))
        self.at(ms + 1000, e.SpeechStopped(item), e.InputCommitted(item))
        return self.said

    def answered(self, ms: int, audio: int = 2 * SECOND, response: str = "resp", item: str = "item_a") -> None:
        """An answer of ``audio`` bytes comes at once, complete."""
        self.at(
            ms,
            e.ResponseStarted(response),
            e.AudioDelta(response, item, bytes(audio)),
            e.AnswerDelta(response, item, "From nine."),
            e.AudioDone(response, item),
            e.ResponseDone(response, "completed"),
        )

    def _pass_time(self, until: float) -> None:
        while (due := self.conversation.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self._keep(self.conversation.receive_timeout(self.now))
            after = self.conversation.deadline
            assert after is None or after > due, "a deadline that does not move is a busy loop"
        self.now = until

    def _keep(self, commands: list[c.Command]) -> None:
        self.said += commands
        self.all += commands
