"""What each server event of the GA Realtime API means in the words of the core.

Pure functions from a parsed event to an event of the core. They raise ``KeyError``, ``TypeError``,
``ValueError`` or ``AttributeError`` where an event is not what its type promises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from pybase64 import b64decode

from voice.protocol import events
from voice.protocol.events import UpstreamEvent

ServerEvent = Mapping[str, Any]


def _speech_started(event: ServerEvent) -> UpstreamEvent:
    return events.SpeechStarted(text(event["item_id"]))


def _speech_stopped(event: ServerEvent) -> UpstreamEvent:
    return events.SpeechStopped(text(event["item_id"]))


def _committed(event: ServerEvent) -> UpstreamEvent:
    return events.InputCommitted(text(event["item_id"]), optional(event.get("previous_item_id")))


def _transcript_delta(event: ServerEvent) -> UpstreamEvent:
    return events.TranscriptDelta(text(event["item_id"]), text(event["delta"]))


def _transcript_updated(event: ServerEvent) -> UpstreamEvent:
    return events.TranscriptPartial(text(event["item_id"]), text(event["transcript"]))


def _transcript_done(event: ServerEvent) -> UpstreamEvent:
    return events.TranscriptDone(text(event["item_id"]), text(event["transcript"]), _block(event.get("usage")))


def _transcript_failed(event: ServerEvent) -> UpstreamEvent:
    return events.TranscriptFailed(text(event["item_id"]))


def _audio_delta(event: ServerEvent) -> UpstreamEvent:
    pcm = b64decode(text(event["delta"]), validate=True)
    return events.AudioDelta(text(event["response_id"]), text(event["item_id"]), pcm)


def _audio_done(event: ServerEvent) -> UpstreamEvent:
    return events.AudioDone(text(event["response_id"]), text(event["item_id"]))


def _answer_delta(event: ServerEvent) -> UpstreamEvent:
    return events.AnswerDelta(text(event["response_id"]), text(event["item_id"]), text(event["delta"]))


def _response_started(event: ServerEvent) -> UpstreamEvent:
    response = event["response"]
    return events.ResponseStarted(text(response["id"]), _request_id(response))


def _response_done(event: ServerEvent) -> UpstreamEvent:
    response = event["response"]
    status = response.get("status")
    return events.ResponseDone(
        text(response["id"]),
        # With a status that is none of the final ones the answer is over too, and cannot be called complete.
        status if status in get_args(events.ResponseStatus) else "failed",
        _reason(response.get("status_details")),
        _block(response.get("usage")),
        _request_id(response),
    )


def fault(event: ServerEvent) -> events.Fault:
    """The error in an ``error`` event. One that cannot be understood is an error all the same."""
    error = event.get("error")
    told = error if isinstance(error, dict) else {}
    code = optional(told.get("code")) or optional(told.get("type")) or "unknown"
    message, event_id, param = (optional(told.get(name)) for name in ("message", "event_id", "param"))
    return events.Fault(code, message or "", event_id, param)


def _block(usage: Any) -> ServerEvent | None:
    return usage if isinstance(usage, dict) else None


def _request_id(response: ServerEvent) -> str | None:
    metadata = response.get("metadata")
    return optional(metadata.get("request")) if isinstance(metadata, dict) else None


def _reason(details: Any) -> str | None:
    """Why an answer is not complete: the code of its error, else what the service calls the reason."""
    if not isinstance(details, dict):
        return None
    error = details.get("error")
    failed = error if isinstance(error, dict) else {}
    return optional(failed.get("code")) or optional(failed.get("type")) or optional(details.get("reason"))


def text(value: Any) -> str:
    """``value``, which must be a string.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, str):
        raise TypeError("expected a string")
    return value


def optional(value: Any) -> str | None:
    """``value`` if it is a string that says something."""
    return value if isinstance(value, str) and value else None


TRANSLATIONS: dict[str, Callable[[ServerEvent], UpstreamEvent]] = {
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "conversation.item.input_audio_transcription.delta": _transcript_delta,
    "conversation.item.input_audio_transcription.updated": _transcript_updated,  # xAI's, of the whole so far
    "conversation.item.input_audio_transcription.completed": _transcript_done,
    "conversation.item.input_audio_transcription.failed": _transcript_failed,
    "response.created": _response_started,
    "response.output_audio.delta": _audio_delta,
    "response.output_audio.done": _audio_done,
    "response.output_audio_transcript.delta": _answer_delta,
    "response.done": _response_done,
    # The beta's names, which compatible servers still use.
    "response.audio.delta": _audio_delta,
    "response.audio.done": _audio_done,
    "response.audio_transcript.delta": _answer_delta,
}

ITEM_ADDED = {"conversation.item.added", "conversation.item.created"}
"""The second is the beta's name, which compatible servers still use."""

SAYS_NOTHING = {
    "session.created",
    "session.updated",
    "conversation.created",
    "conversation.item.done",
    "conversation.item.retrieved",
    "conversation.item.truncated",
    "conversation.item.deleted",
    "input_audio_buffer.cleared",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_audio_transcript.done",
    "response.audio_transcript.done",
    "rate_limits.updated",
    "ping",
}
"""Known events that repeat what another one said, or confirm what we asked."""
