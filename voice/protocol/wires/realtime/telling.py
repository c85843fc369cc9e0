"""Commands in server events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voice.protocol import commands as c
from voice.protocol import events as e
from voice.protocol.audio import duration_ms
from voice.protocol.outcomes import EndReason, TurnOutcome
from voice.protocol.turn import TYPED_ITEM
from voice.protocol.wires.realtime.answer import Answer, voice
from voice.protocol.wires.realtime.captions import Captions
from voice.protocol.wires.realtime.items import Item, tell_added
from voice.protocol.wires.realtime.server_events import INTERNAL, REQUEST
from voice.protocol.wires.realtime.state import Reply, State


class Telling:
    """To one client."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._captions = Captions()
        self._speech_began_ms = 0

    def tell(self, command: c.ToBrowser) -> list[str]:
        """The frames of the events that tell ``command``, in order."""
        return _ENCODERS[type(command)](self, command)

    def _admitted(self, m: c.TellAdmitted) -> list[str]:
        self._state.settings.admit(m.session_id, m.expires_at)
        conversation = {"id": self._state.settings.conversation_id, "object": "realtime.conversation"}
        return [
            self._state.events.write("session.created", session=self._state.settings.shown()),
            self._state.events.write("conversation.created", conversation=conversation),
        ]

    def _speech_started(self, m: c.TellSpeechStarted) -> list[str]:
        self._state.sounding = ""
        self._speech_began_ms = duration_ms(self._state.heard_bytes)
        kind = "input_audio_buffer.speech_started"
        return [self._state.events.write(kind, item_id=m.item_id, audio_start_ms=self._speech_began_ms)]

    def _speech_stopped(self, m: c.TellSpeechStopped) -> list[str]:
        ended_ms = duration_ms(self._state.heard_bytes)
        self._state.speech_ms = ended_ms - self._speech_began_ms
        return [self._state.events.write("input_audio_buffer.speech_stopped", item_id=m.item_id, audio_end_ms=ended_ms)]

    def _input_committed(self, m: c.TellCommitted) -> list[str]:
        if self._state.items.get(m.item_id) is not None:
            return []
        item = Item(m.item_id, "input_audio", self._state.items.last, seconds=self._state.speech_ms / 1000)
        committed = {"item_id": item.item_id, "previous_item_id": item.previous}
        return [
            self._state.events.write("input_audio_buffer.committed", **committed),
            *tell_added(self._state.events, self._state.items.add(item)),
            *self._final(item, self._captions.early(m.item_id)),
        ]

    def _user_transcript(self, m: c.TellUserTranscript) -> list[str]:
        if m.item_id.startswith(TYPED_ITEM):
            self._state.owed = True
            return []  # the client's own item
        item = self._state.items.get(m.item_id)
        delta = self._captions.finish(m.item_id, m.text) if m.final else self._captions.grow(m.item_id, m.text)
        frames = [self._transcription(m.item_id, "delta", delta=delta)] if delta else []
        if m.final and item is None:
            self._captions.keep(m.item_id, m.text)  # whoever hears of the whole asks for the item, which is not there
        return [*frames, *self._final(item, m.text if m.final else None)]

    def _final(self, item: Item | None, text: str | None) -> list[str]:
        if item is None or text is None:
            return []
        self._state.items.write(item.item_id, text)
        usage = {"type": "duration", "seconds": item.seconds}
        return [self._transcription(item.item_id, "completed", transcript=text, usage=usage)]

    def _transcription(self, item_id: str, step: str, **fields: Any) -> str:
        kind = f"conversation.item.input_audio_transcription.{step}"
        return self._state.events.write(kind, item_id=item_id, content_index=0, **fields)

    def _answer_started(self, m: c.TellAnswerStarted) -> list[str]:
        return [*self._end("completed", None), *self._begin(m.response_id)]

    def _answer_transcript(self, m: c.TellAnswerTranscript) -> list[str]:
        return self._state.answer.text(m.item_id, m.delta) if self._state.answer else []

    def _play(self, m: c.Play) -> list[str]:
        if self._state.answer is None:
            return []
        self._state.sounding = m.item_id
        return self._state.answer.audio(m.item_id, m.pcm)

    def _play_done(self, m: c.PlayDone) -> list[str]:
        return self._state.answer.audio_done(m.item_id) if self._state.answer else []

    def _answer_done(self, m: c.TellAnswerDone) -> list[str]:
        if self._state.answer is None or self._state.answer.response_id != m.response_id:
            return []
        return self._end(m.status, self._why if m.status == "cancelled" else m.reason, m.usage)

    def _stop_playback(self, m: c.StopPlayback) -> list[str]:
        self._state.sounding = ""
        return self._end("cancelled", self._why)

    def _turn_done(self, m: c.TellTurnDone) -> list[str]:
        self._state.sounding = ""
        if m.outcome is TurnOutcome.COMPLETED:
            return []  # the answer's own end is on its way, or was told
        failed = m.outcome is TurnOutcome.FAILED
        begun: list[str] = []
        if self._state.answer is None and (failed or self._state.owed):
            begun = self._begin(self._state.new_id("unmade"))
        return [*begun, *(self._end("failed", None) if failed else self._end("cancelled", self._why))]

    def _begin(self, response_id: str) -> list[str]:
        asked, self._state.asked, self._state.owed, self._state.cancelled = self._state.asked, None, False, False
        shown = {"conversation_id": self._state.settings.conversation_id, "audio": voice(self._state.settings.voice)}
        self._state.answer = Answer(self._state.events, self._state.items, response_id, asked or None, **shown)
        return self._state.answer.begin()

    def _end(self, status: e.ResponseStatus, reason: str | None, usage: Mapping[str, Any] | None = None) -> list[str]:
        if self._state.answer is None:
            return []
        frames = self._state.answer.end(status, reason, usage)
        self._state.answer, self._state.committed = None, False
        return frames

    @property
    def _why(self) -> str:
        return "client_cancelled" if self._state.cancelled else "turn_detected"

    def _notice(self, m: c.TellNotice) -> list[str]:
        if m.code not in _NOTICES:
            return []  # where it matters a response has failed, and stock clients give up at any error
        return [self._state.events.error(INTERNAL, m.code, _NOTICES[m.code])]

    def _error(self, m: c.TellError) -> list[str]:
        return [self._state.events.error(REQUEST, m.code, m.message, m.param, m.event_id)]

    def _ending(self, m: c.TellEnding) -> list[str]:
        kind = INTERNAL if m.reason.ending.code >= 4500 else REQUEST
        code = "session_expired" if m.reason is EndReason.MAX_DURATION else m.reason.value
        return [self._state.events.error(kind, code, m.message, retry_after_ms=m.retry_after_ms)]


_ENCODERS: Mapping[type, Callable[[Telling, Any], list[str]]] = {
    Reply: lambda self, m: [*m.frames],
    c.TellAdmitted: Telling._admitted,
    c.TellSpeechStarted: Telling._speech_started,
    c.TellSpeechStopped: Telling._speech_stopped,
    c.TellCommitted: Telling._input_committed,
    c.TellUserTranscript: Telling._user_transcript,
    c.TellAnswerStarted: Telling._answer_started,
    c.TellAnswerTranscript: Telling._answer_transcript,
    c.Play: Telling._play,
    c.PlayDone: Telling._play_done,
    c.TellAnswerDone: Telling._answer_done,
    c.StopPlayback: Telling._stop_playback,
    c.TellTurnDone: Telling._turn_done,
    c.TellNotice: Telling._notice,
    c.TellError: Telling._error,
    c.TellEnding: Telling._ending,
    # Of these the vocabulary knows nothing.
    c.TellReady: lambda self, m: [],
    c.TellContext: lambda self, m: [],
    c.TellExpiring: lambda self, m: [],
}

_NOTICES = {
    "speech_unavailable": "Speaking does not work here now; typing does.",
    "voice_unavailable": "Answers are written, not spoken, here now.",
}
