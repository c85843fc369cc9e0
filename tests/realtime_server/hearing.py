"""What the service hears: the input buffer, turn detection, and transcripts that are written while one speaks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.realtime_server.rules import STREAMING, RefusedError, decode_audio
from tests.realtime_server.vad import EnergyVad, loud_ms
from voice.protocol.audio import duration_ms

if TYPE_CHECKING:
    from tests.realtime_server.session import RealtimeSession

Event = dict[str, Any]

SEMANTIC_SILENCE_MS = 500
COMMIT_MIN_MS = 100
_TRANSCRIPTION = "conversation.item.input_audio_transcription"


@dataclass
class Utterance:
    """What the visitor is saying: the item it will become, its words, how many are written already."""

    item_id: str
    words: list[str] = field(default_factory=list)
    started_ms: int = 0
    """Where it began, if that was detected."""
    loud_ms: int = 0
    """Else: how much of it is speech."""
    written: int = 0

    @property
    def text(self) -> str:
        """What the final transcript says."""
        return " ".join(self.words)


class Hearing:
    """The input side of one session. Counts time in audio."""

    def __init__(self, session: RealtimeSession) -> None:
        self.audio = bytearray()
        """All that was appended."""
        self.appended_ms = 0
        self._session = session
        self._buffered_ms = 0
        self._utterance: Utterance | None = None
        self._vad = self._new_vad()

    def reset(self) -> None:
        """Forget what is in the buffer; turn detection may have new settings."""
        self._utterance, self._buffered_ms, self._vad = None, 0, self._new_vad()

    async def append(self, event: Event) -> None:
        """Take a piece of audio in, and tell what is heard in it."""
        pcm = decode_audio(event["audio"])
        if self._session.script.keep_audio:
            self.audio += pcm
        self.appended_ms += duration_ms(len(pcm))
        self._buffered_ms += duration_ms(len(pcm))
        if self._vad is None:
            self._listen(pcm)
        else:
            await self._detect(self._vad, pcm)
        await self._write_words()

    def _listen(self, pcm: bytes) -> None:
        """Without turn detection all is one utterance until it is committed, and has words if it is loud anywhere."""
        utterance = self._utterance = self._utterance or Utterance(self._session.new_id("item"))
        loud = loud_ms(pcm)
        if loud and not utterance.words:
            utterance.words = self._session.script.next_transcript().split()
        utterance.loud_ms += loud

    async def _detect(self, vad: EnergyVad, pcm: bytes) -> None:
        for edge in vad.hear(pcm):
            if edge.kind == "started":
                self._utterance = self._begin(vad.position_ms)
                await self._speech_started(self._utterance.item_id, edge.at_ms)
            elif self._utterance:
                item_id = self._utterance.item_id
                await self._write_words()
                await self._session.tell("input_audio_buffer.speech_stopped", audio_end_ms=edge.at_ms, item_id=item_id)
                await self._commit_utterance()

    async def _speech_started(self, item_id: str, at_ms: int) -> None:
        await self._session.tell("input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=item_id)
        detection, active = self._session.turn_detection, self._session.active
        if active and detection and detection["interrupt_response"]:
            active.cancel("turn_detected")

    def _begin(self, at_ms: int) -> Utterance:
        return Utterance(self._session.new_id("item"), self._session.script.next_transcript().split(), at_ms)

    async def _write_words(self) -> None:
        """A streaming model writes while the visitor speaks, one word after the other."""
        utterance, late = self._utterance, self._session.script.writes_late
        if utterance and self._transcriber in STREAMING and not late:
            spoken_ms = self.appended_ms - utterance.started_ms if self._vad else utterance.loud_ms
            await self._deltas(utterance, spoken_ms // self._session.script.ms_per_word)

    async def _deltas(self, utterance: Utterance, words: int) -> None:
        for word in utterance.words[utterance.written : words]:
            delta = f" {word}" if utterance.written else word
            utterance.written += 1
            await self._session.tell(f"{_TRANSCRIPTION}.delta", item_id=utterance.item_id, content_index=0, delta=delta)

    @property
    def _transcriber(self) -> str | None:
        transcription = self._session.settings["audio"]["input"]["transcription"]
        return transcription["model"] if transcription else None

    async def commit(self, _event: Event) -> None:
        """The client says where an utterance ends."""
        if self._utterance is None or self._buffered_ms < COMMIT_MIN_MS:
            raise RefusedError("input_audio_buffer_commit_empty", message="Expected 100 ms of audio.")
        await self._commit_utterance()

    async def clear(self, _event: Event) -> None:
        """Empty the buffer."""
        self.reset()
        await self._session.tell("input_audio_buffer.cleared")

    async def _commit_utterance(self) -> None:
        utterance, self._utterance = self._utterance, None
        assert utterance is not None
        seconds, self._buffered_ms = self._buffered_ms / 1000, 0
        previous = self._session.items[-1]["id"] if self._session.items else None
        await self._session.tell("input_audio_buffer.committed", item_id=utterance.item_id, previous_item_id=previous)
        content = [{"type": "input_audio", "transcript": None}]
        item = _message(utterance.item_id, content)
        await self._session.add(item)
        await self._session.tell("conversation.item.done", previous_item_id=previous, item=item)
        self._session.spawn(self._transcribe(utterance, item, seconds))
        if self._session.turn_detection and self._session.turn_detection["create_response"]:
            await self._session.respond({})

    async def _transcribe(self, utterance: Utterance, item: Event, seconds: float) -> None:
        if self._transcriber is None:
            return
        if self._session.script.transcript_fails:
            error = {"type": "server_error", "code": None, "message": "Failed.", "param": None}
            await self._session.tell(
                f"{_TRANSCRIPTION}.failed", item_id=utterance.item_id, content_index=0, error=error
            )
            return
        await asyncio.sleep(self._session.script.transcript_latency)
        await self._deltas(utterance, len(utterance.words))
        item["content"][0]["transcript"] = utterance.text
        await self._session.tell(
            f"{_TRANSCRIPTION}.completed",
            item_id=utterance.item_id,
            content_index=0,
            transcript=utterance.text,
            usage={"type": "duration", "seconds": seconds},
        )

    def _new_vad(self) -> EnergyVad | None:
        detection = self._session.turn_detection
        if detection is None:
            return None
        silence = detection.get("silence_duration_ms", SEMANTIC_SILENCE_MS)
        return EnergyVad(silence, detection.get("prefix_padding_ms", 0), self.appended_ms)


def _message(item_id: str, content: list[Event]) -> Event:
    return {"id": item_id, "type": "message", "role": "user", "status": "completed", "content": content}
