"""Ways in which servers that call themselves compatible differ from GA Realtime.

Each makes a *manner*: what is sent in place of an event that the service itself would send.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Manner = Callable[[Event], list[Event]]

_TRANSCRIPTION = "conversation.item.input_audio_transcription"


def as_the_service() -> Manner:
    """GA Realtime itself."""
    return lambda event: [event]


def names_of_the_beta() -> Manner:
    """speaches, huggingface/speech-to-speech, Azure's older address: the events' names before GA, and no ``done``."""
    names = {
        "conversation.item.added": "conversation.item.created",
        "response.output_audio.delta": "response.audio.delta",
        "response.output_audio.done": "response.audio.done",
        "response.output_audio_transcript.delta": "response.audio_transcript.delta",
        "response.output_audio_transcript.done": "response.audio_transcript.done",
    }

    def manner(event: Event) -> list[Event]:
        if event["type"] == "conversation.item.done":
            return []
        return [{**event, "type": names.get(event["type"], event["type"])}]

    return manner


def no_commits() -> Manner:
    """Gateways, huggingface/speech-to-speech: nobody says that the utterance is an item, but the item."""
    return lambda event: [] if event["type"] == "input_audio_buffer.committed" else [event]


def no_order() -> Manner:
    """xAI: the item before is never told, and the one that was deleted is not named."""

    def manner(event: Event) -> list[Event]:
        told = {**event, "previous_item_id": None} if "previous_item_id" in event else event
        return [{**told, "item_id": ""} if event["type"] == "conversation.item.deleted" else told]

    return manner


def no_echo() -> Manner:
    """A response does not bring the metadata back with which it was asked for; some leave fields of it out."""

    def manner(event: Event) -> list[Event]:
        if "response" not in event:
            return [event]
        kept = {name: event["response"][name] for name in ("id", "status")}
        return [{**event, "response": kept}]

    return manner


def one_id_for_all() -> Manner:
    """LocalAI: every event has the same id. Nor does it tell of the conversation, or of rates."""
    untold = {"conversation.created", "rate_limits.updated"}
    return lambda event: [] if event["type"] in untold else [{**event, "event_id": "event_TODO"}]


def stops_twice() -> Manner:
    """huggingface/speech-to-speech: the end of speech is told more than once."""
    return lambda event: [event, event] if event["type"] == "input_audio_buffer.speech_stopped" else [event]


def pings() -> Manner:
    """xAI: events of its own between the others, and the conversation before the session."""

    def manner(event: Event) -> list[Event]:
        if event["type"] == "session.created":
            return [{"type": "conversation.created", "conversation": {"id": "conv_0"}}, event]
        return [event, {"type": "ping", "event_id": "", "timestamp": 7}]

    return manner


def transcripts_that_grow() -> Manner:
    """xAI: what was said is completed again and again while it is said, longer each time."""
    return _whole(f"{_TRANSCRIPTION}.completed")


def transcripts_that_are_updated() -> Manner:
    """xAI with ``grok-transcribe``: the whole so far, under a name of its own."""
    return _whole(f"{_TRANSCRIPTION}.updated")


def no_cancelled_answers() -> Manner:
    """speaches: an answer that was cancelled is completed, it says."""

    def manner(event: Event) -> list[Event]:
        if event["type"] != "response.done":
            return [event]
        return [{**event, "response": {**event["response"], "status": "completed", "status_details": None}}]

    return manner


def _whole(kind: str) -> Manner:
    heard: dict[str, str] = {}

    def manner(event: Event) -> list[Event]:
        if event["type"] != f"{_TRANSCRIPTION}.delta":
            return [event]
        item_id = event["item_id"]
        heard[item_id] = heard.get(item_id, "") + event["delta"]
        return [{"type": kind, "event_id": "", "item_id": item_id, "content_index": 0, "transcript": heard[item_id]}]

    return manner


def together(*manners: Manner) -> Manner:
    """All of them, each of what the one before has made of an event."""

    def manner(event: Event) -> list[Event]:
        told = [event]
        for each in manners:
            told = [one for before in told for one in each(before)]
        return told

    return manner


def speaches() -> Manner:
    """All that is known of it."""
    return together(names_of_the_beta(), no_cancelled_answers())


def speech_to_speech() -> Manner:
    """All that is known of Hugging Face's, which besides cuts no answer and deletes no item."""
    return together(names_of_the_beta(), no_commits(), stops_twice(), no_echo())


def xai() -> Manner:
    """All that is known of it."""
    return together(transcripts_that_grow(), no_order(), pings())


MANNERS = [
    as_the_service, names_of_the_beta, no_commits, no_order, no_echo, one_id_for_all, stops_twice, pings,
    transcripts_that_grow, transcripts_that_are_updated, no_cancelled_answers,
]  # fmt: skip

SERVERS = [speaches, speech_to_speech, xai]
"""Those of which several ways are known, as they are."""
