"""Every state that a visitor can meet, as the events that lead there."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]

TALK = {
    "en": (
        "How late does the harbour shop stay open on weekdays?",
        "The harbour shop is open from Tuesday to Saturday from 9 am to 7 pm, and on Monday from 2 pm to 7 pm.",
        "Opening hours of the harbour shop",
        "And on Sundays?",
    ),
    "fr": (
        "Jusqu’à quelle heure le magasin du port est-il ouvert en semaine ?",
        "Le magasin du port est ouvert du mardi au samedi de 9 heures à 19 heures, et le lundi à partir de 14 heures.",
        "Horaires du magasin du port",
        "Et le dimanche ?",
    ),
}
TROUBLES = ("refused", "missing", "busy", "insecure", "unloaded", "lost")
REASONS = (
    "auth_expired", "not_in_rollout", "revoked", "timeout", "idle", "concurrent", "max_duration", "budget", "disabled",
    "overloaded", "network", "stale_page", "server_drain", "upstream_closed",
    "upstream_timeout", "upstream_rate_limited", "internal_error", "slow_client",
)  # fmt: skip


def states(language: str, now_ms: float) -> dict[str, list[Event]]:
    """By name, in the order in which one may meet them. ``now_ms`` is the browser's clock."""
    question, answer, title, follow_up = TALK[language]
    sources = [
        {"n": 1, "title": title, "url": "/help/"},
        {"n": 2, "title": "example.org", "url": "https://example.org/"},
    ]
    start, push = _of("client.starting"), _of("client.starting", pushToTalk=True)
    on = _of("client.microphone", status="on")
    ready = [start, on, _of("session.ready", session_id="s", provider="local", seconds=600)]
    asked = [
        *ready,
        _of("speech.started", item_id="u1"),
        _of("transcript.user", item_id="u1", text=question, final=True),
        _of("speech.stopped", item_id="u1"),
    ]
    speaking = [
        *asked,
        _of("context", sources=sources, prefetched=True, waited_ms=0),
        _of("transcript.assistant", item_id="a1", delta=answer),
        _of("audio.item", item_id="a1"),
        _played(2_000),
    ]
    told = [*speaking, _played(6_000), _of("turn.done", turn=1, outcome="completed", latencies={})]
    barged = [*speaking, _of("speech.started", item_id="u2"), _of("playback.stop", item_id="a1"), _played(2_400)]
    held = [push, *ready[1:]]
    restored = [
        _of("session.ready", session_id="s2", provider="local", seconds=300),
        _of("history", items=[_said("user", question), _said("assistant", answer.rpartition(",")[0], cut=True)]),
    ]
    expiring = _of("client.expiring", seconds=60, why="duration", endsAt=now_ms + 47_000)
    return {
        "ready": [],
        "asking": [start, _of("client.microphone", status="asking")],
        "connecting": [start, on],
        "listening": ready,
        "hearing": [*ready, *asked[3:4], _of("transcript.user", item_id="u1", text=question[:24], final=False)],
        "muted": [*ready, _of("client.muted", muted=True)],
        "away": [*ready, _of("client.away", away=True), _of("client.away", away=False)],
        "thinking": asked,
        "speaking": speaking,
        "answered": told,
        "interrupted": [*barged, _of("transcript.user", item_id="u2", text=follow_up, final=False)],
        "stopped": [*speaking, _of("client.interrupted"), _of("playback.stop", item_id="a1")],
        "typing": [start, *ready[2:], _of("client.asked", text=follow_up)],
        "hold": held,
        "held": [*held, _of("client.held")],
        "expiring": [*told, expiring],
        "paused": [*told, _of("client.paused", paused=True)],
        "reconnecting": [*told, _of("client.reconnecting")],
        "offline": [*told, _of("client.network", offline=True), _of("client.reconnecting")],
        "resumed": [*told, _of("client.reconnecting"), *restored],
        "taken-up": [start, *restored],
        "taken-up-and-asked": [start, *restored, _of("client.asked", text=follow_up)],
        "slow": [*ready, _of("client.slow", slow=True)],
        "slow-answer": [*speaking, _of("client.slow", slow=True)],
        "unanswered": [
            *asked,
            _of("notice", code="answer_failed"),
            _of("turn.done", turn=1, outcome="failed", latencies={}),
        ],
        "provider-lost": [*asked, _of("notice", code="reconnecting")],
        "provider-lost-typing": [
            *ready[:1],
            *ready[2:],
            _of("client.microphone", status="refused"),
            _of("client.asked", text=follow_up),
            _of("notice", code="reconnecting"),
        ],
        "provider-back": [*told, _of("notice", code="reconnecting"), _of("notice", code="reconnected")],
        "too-late": [start, *restored[:1], _of("notice", code="not_resumed")],
        "say-again": [
            *speaking,
            _of("notice", code="say_again"),
            _of("turn.done", turn=1, outcome="failed", latencies={}),
        ],
        "unspoken": [*ready, _of("notice", code="voice_unavailable")],
        "speechless": [*ready, _of("client.microphone", status="off"), _of("notice", code="speech_unavailable")],
        "ended": [*told, _of("client.closed", reason="client_hangup")],
        "rate_limited": [start, _of("client.closed", reason="rate_limited", retryAt=now_ms + 1_234_000)],
        **{f"microphone-{status}": [start, _of("client.microphone", status=status)] for status in TROUBLES},
        **{f"end-{reason}": [*told, _of("client.closed", reason=reason)] for reason in REASONS},
    }


def _of(kind: str, **fields: Any) -> Event:
    return {"type": kind, **fields}


def _said(role: str, text: str, *, cut: bool = False) -> dict[str, Any]:
    return {"role": role, "text": text, "cut": cut, "sources": []}


def _played(milliseconds: int) -> Event:
    report = {"item_id": "a1", "played_ms": milliseconds, "received_ms": 6_000, "underruns": 0, "complete": True}
    return _of("client.played", report=report)
