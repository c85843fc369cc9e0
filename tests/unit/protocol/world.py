"""The others of a conversation, simulated: an upstream, a browser and a knowledge, each as slow as luck will have it.

They are honest: each does what its documentation says, within the time limits that the core grants. On top of that
every event may come a second time, later. What luck decides is drawn from one seeded generator.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from tests.unit.protocol.script import EPOCH, HOURS, Script, audio
from tests.unit.protocol.witness import Witness
from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import duration_ms
from voice.protocol.policy import Retrieval
from voice.protocol.responses import BUSY

WORDS = ["and", "where", "can", "somebody", "with", "two", "big", "dogs", "park", "a", "car", "on", "sunny", "Sundays"]
WRITER = "gpt-live-transcribe"
"""The model that writes down what is said, and is paid by the minute."""
NEVER_TWICE = (e.TextSubmitted, e.PushStarted, e.PushReleased, e.Interrupt, e.Fault)
"""What a visitor does is done anew each time, and a refusal answers one try of a request."""


class World:
    """Lets a visitor live a conversation, and a witness watch it."""

    def __init__(self, seed: int, *, repeats: bool, reports: bool, retrieval: Retrieval = "prefetch") -> None:
        self.script = Script(retrieval=retrieval)
        self.witness = Witness()
        self.now = 0
        self._luck = Random(seed)
        self._repeats = repeats
        self._reports = reports
        self._queue: list[tuple[int, int, Callable[[], e.Event | None]]] = []
        self._order = itertools.count()
        self._items: list[str] = []
        self._utterances = 0
        self._speaking = ""
        self._answering = ""
        self._responses = 0
        self._requests: dict[str, str] = {}
        self.billed: dict[str, dict[str, Any]] = {}
        """What it has billed, and said so: by answer, and by utterance that it wrote down."""
        self._cancelled: set[str] = set()
        self._lost: set[str] = set()
        self._plays_until = 0
        self._connection = 0

    # -- the visitor ---------------------------------------------------------------------------------------------

    def speak(self, words: int) -> None:
        """So many words at 2.5 a second; then the silence that ends an utterance."""
        self._utterances += 1
        item_id = f"item_{self._utterances}"
        self._upstream(0, lambda: self._hear_speech(item_id))
        for n in range(words):
            word = f" {WORDS[n % len(WORDS)]}"
            self._upstream_says(400 * n + self._between(50, 900), e.TranscriptDelta(item_id, word))
        self._upstream(400 * words + 500, lambda: self._hear_silence(item_id))

    def do(self, event: e.Event) -> None:
        """Something on the page."""
        self._say(0, event)

    def lose_upstream(self) -> None:
        """It is gone with all that it knew and was about to say; another one is there within five seconds."""
        self._connection += 1
        self._items, self._speaking, self._answering = [], "", ""
        self._at(0, e.UpstreamLost)
        self._at(self._between(0, 5_000), e.UpstreamBack)

    def live(self, milliseconds: int) -> None:
        """Time passes, and what is due happens."""
        end = self.now + milliseconds
        while (due := self._next()) is not None and due <= end:
            self.now = max(self.now, due)
            self._follow(None, self.script.at(self.now))
            while self._queue and self._queue[0][0] <= self.now:
                event = heapq.heappop(self._queue)[2]()
                if event is not None:
                    self._follow(event, self.script.at(self.now, event))
        self.now = end

    @property
    def answering(self) -> bool:
        """Whether the upstream is making an answer, which it has not billed."""
        return bool(self._answering)

    def end(self) -> None:
        """The session is over."""
        self._follow(None, self.script.at(self.now))
        self.witness.saw(None, self.script.close(self.now))
        self.witness.closed()

    # -- time and luck -------------------------------------------------------------------------------------------

    def _next(self) -> int | None:
        deadline = self.script.conversation.deadline
        alarms = [] if deadline is None else [int((deadline - EPOCH) * 1000) + 1]
        return min([*alarms, *(at for at, _, _ in self._queue[:1])], default=None)

    def _between(self, least: int, most: int) -> int:
        return self._luck.randint(least, most)

    def _at(self, delay: int, happening: Callable[[], e.Event | None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), happening))

    def _say(self, delay: int, event: e.Event) -> None:
        self._at(delay, lambda: event)
        if self._repeats and not isinstance(event, NEVER_TWICE) and self._luck.random() < 0.2:
            self._at(delay + self._between(0, 3_000), lambda: event)

    def _upstream(self, delay: int, happening: Callable[[], e.Event | None]) -> None:
        """It happens there, unless that connection is lost before."""
        connection = self._connection
        self._at(delay, lambda: happening() if connection == self._connection else None)

    def _upstream_says(self, delay: int, event: e.Event) -> None:
        self._upstream(delay, lambda: event)
        if self._repeats and not isinstance(event, NEVER_TWICE) and self._luck.random() < 0.2:
            self._upstream(delay + self._between(0, 3_000), lambda: event)

    def _follow(self, event: e.Event | None, commands: list[c.Command]) -> None:
        self.witness.saw(event, commands)
        for command in commands:
            self._receive(command)

    # -- upstream, browser, knowledge ----------------------------------------------------------------------------

    def _receive(self, command: c.Command) -> None:
        match command:
            case c.Recall():
                assert not self._items, "what was said is told again"
            case c.Reconnect():
                self.lose_upstream()
            case c.InjectContext(item_id) | c.SubmitText(item_id):
                self._items.append(item_id)
            case c.DeleteItem(item_id):
                assert item_id in self._items, "an item is deleted that is not there"
                self._items.remove(item_id)
            case c.Truncate(item_id):
                assert item_id in self._items, "an item is cut that is not there"
            case c.CreateResponse(request_id):
                self._create_response(request_id)
            case c.CancelResponse(response_id):
                self._cancel_response(response_id)
            case c.CommitAudio():
                self._utterances += 1
                self._commit(f"item_{self._utterances}", self._between(20, 300))
            case c.SendSilence() if self._speaking:
                item_id = self._speaking
                self._upstream(600, lambda: self._hear_silence(item_id))
            case c.Play(item_id, pcm):
                self._play(item_id, duration_ms(len(pcm)))
            case c.Retrieve(search_id):
                self._search(search_id)
            case c.CancelRetrieval(search_id):
                self._lost.add(search_id)

    def _hear_speech(self, item_id: str) -> e.Event:
        self._speaking = item_id
        return e.SpeechStarted(item_id)

    def _hear_silence(self, item_id: str) -> e.Event | None:
        if self._speaking != item_id:
            return None
        self._speaking = ""
        self._commit(item_id, self._between(0, 100))
        return e.SpeechStopped(item_id)

    def _commit(self, item_id: str, delay: int) -> None:
        def committed() -> e.Event:
            previous = self._items[-1] if self._items else None
            self._items.append(item_id)
            return e.InputCommitted(item_id, previous)

        self._upstream(delay, committed)
        self._upstream_says(self._between(0, 20_000), e.TranscriptDone(item_id, "When do you open on Sundays?"))
        self._upstream(self._between(0, 20_000), lambda: self._bill_transcript(item_id))

    def _create_response(self, request_id: str) -> None:
        assert not self._answering, f"{request_id} is asked for while {self._answering} is being made"
        if self._luck.random() < 0.1:
            code = self._luck.choice([BUSY, "server_error"])
            self._upstream_says(self._between(10, 200), e.Fault(code, event_id=request_id))
            return
        if self._luck.random() < 0.05:
            return  # it is never heard of again
        self._responses += 1
        response_id = self._answering = f"resp_{self._responses}"
        self._requests[response_id] = request_id
        delay = self._between(10, 900)
        self._upstream_says(delay, e.ResponseStarted(response_id, request_id))
        for n in range(self._between(0, 8)):
            delay += self._between(0, 300)
            self._upstream(delay, partial(self._make_audio, response_id, f"{response_id}_{n // 3}"))
        ends: list[e.ResponseStatus] = ["completed", "completed", "incomplete", "failed"]
        status = self._luck.choice(ends)
        if self._luck.random() < 0.9:
            self._upstream(delay + 50, lambda: self._finish(response_id, status))

    def _make_audio(self, response_id: str, item_id: str) -> e.Event | None:
        if response_id in self._cancelled and self._luck.random() < 0.5:
            return None  # the others were on their way
        if item_id not in self._items:
            self._items.append(item_id)
        return audio(response_id, item_id, self._between(1, 900))

    def _cancel_response(self, response_id: str) -> None:
        if response_id == self._answering and response_id not in self._cancelled:
            self._cancelled.add(response_id)
            self._upstream(self._between(0, 900), lambda: self._finish(response_id, "cancelled"))

    def _finish(self, response_id: str, status: e.ResponseStatus) -> e.Event | None:
        if self._answering != response_id or (response_id in self._cancelled and status != "cancelled"):
            return None
        self._answering = ""
        usage = self.billed[response_id] = self._bill()
        over = e.ResponseDone(response_id, status, usage=usage, request_id=self._requests[response_id])
        if self._repeats:
            self._upstream_says(self._between(1, 3_000), over)
        return over

    def _bill(self) -> dict[str, Any]:
        text_in, audio_in, text, audio = (self._between(0, 500) for _ in range(4))
        text_cached, audio_cached = self._between(0, text_in), self._between(0, audio_in)
        cached = {"text_tokens": text_cached, "audio_tokens": audio_cached}
        given = {"text_tokens": text_in, "audio_tokens": audio_in, "cached_tokens": text_cached + audio_cached}
        return {
            "input_tokens": text_in + audio_in,
            "output_tokens": text + audio,
            "input_token_details": {**given, "cached_tokens_details": cached},
            "output_token_details": {"text_tokens": text, "audio_tokens": audio},
        }

    def _bill_transcript(self, item_id: str) -> e.Event:
        usage = self.billed[item_id] = {"type": "duration", "seconds": self._between(0, 9_000) / 1000}
        billed = e.TranscriptBilled(item_id, WRITER, usage)
        if self._repeats:
            self._upstream_says(self._between(1, 3_000), billed)
        return billed

    def _play(self, item_id: str, milliseconds: int) -> None:
        self._plays_until = max(self.now, self._plays_until) + milliseconds
        if self._reports:
            self._say(self._plays_until - self.now + self._between(0, 80), e.Heard(item_id, self._between(0, 8_000)))

    def _search(self, search_id: str) -> None:
        found = self._luck.choice([(HOURS,), (HOURS,), ()])
        event: e.Event = e.PassagesRetrieved(search_id, found)
        if self._luck.random() < 0.2:
            event = e.RetrievalFailed(search_id, "timeout")
        delay = self._luck.choice([20, 150, 450, 3_000])
        self._at(delay, lambda: None if search_id in self._lost else event)
