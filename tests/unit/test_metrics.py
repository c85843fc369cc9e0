"""What a dashboard gets: the right numbers, under attributes of few values."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from tests.unit.stage import Facts
from voice import following, gate, metrics
from voice.observed import Observed
from voice.protocol.commands import TurnEnded
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason, SearchOutcome, TurnOutcome


class Dashboard:
    """What was exported, by name and attributes."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        provider = MeterProvider(metric_readers=[self._reader])
        self.instruments = metrics.Instruments(provider.get_meter("voice"))

    def read(self) -> dict[str, dict[tuple[tuple[str, Any], ...], Any]]:
        """By name, by attributes in order: the sum, or of a histogram (count, sum)."""
        data = self._reader.get_metrics_data()
        found: dict[str, dict[tuple[tuple[str, Any], ...], Any]] = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else ():
            for point in metric.data.data_points:
                value = point.value if hasattr(point, "value") else (point.count, pytest.approx(point.sum))
                found.setdefault(metric.name, {})[tuple(sorted(point.attributes.items()))] = value
        return found


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Dashboard:
    dashboard = Dashboard()
    monkeypatch.setattr(metrics, "instruments", lambda: dashboard.instruments)
    return dashboard


def turn(**facts: Any) -> TurnEnded:
    usual = {
        "number": 1,
        "outcome": TurnOutcome.COMPLETED,
        "typed": False,
        "searches": {SearchOutcome.HIT.value: 1, SearchOutcome.SUPERSEDED.value: 2},
        "marks": {"speech_started": 0, "speech_stopped": 1500, "first_audio": 2100},
        "prefetched": True,
        "context_confirmed": None,
        "sources": (),
        "question": "the canary's question",
        "answer": "the canary's answer",
    }
    return TurnEnded(**{**usual, **facts})


async def test_a_conversation_is_counted(dashboard):
    facts = Facts()
    observed = Observed(facts)
    observed.began("openai", "gpt-realtime", "en", "USD")
    assert dashboard.read()["voice.sessions.live"] == {(("provider", "openai"),): 1}
    await observed.keep(turn(), Counters())
    await observed.keep(
        turn(number=2, outcome=TurnOutcome.FAILED, searches={}, marks={"speech_started": 0}), Counters()
    )
    observed.ended(EndReason.IDLE, received=10, sent=20, depths={"backlog": 0.5, "egress": 2.0})
    read = dashboard.read()
    assert read["voice.sessions.live"] == {(("provider", "openai"),): 0}
    ((attributes, (count, _)),) = read["voice.session.duration"].items()
    assert (attributes, count) == ((("provider", "openai"), ("reason", "idle")), 1)
    assert read["voice.turns"] == {
        (("outcome", "completed"), ("provider", "openai")): 1,
        (("outcome", "failed"), ("provider", "openai")): 1,
    }
    assert read["voice.turn.first_audio"] == {(("provider", "openai"),): (1, 0.6)}
    assert read["voice.searches"] == {(("outcome", "hit"),): 1, (("outcome", "superseded"),): 2}
    assert read["voice.queue.depth"] == {(("queue", "backlog"),): (1, 0.5), (("queue", "egress"),): (1, 2.0)}
    assert [fact.number for fact in facts.turns] == [1, 2], "and the recorder has them all"


async def test_what_a_session_used_is_told_once_and_no_token_twice(dashboard):
    observed = Observed(Facts())
    observed.began("openai", "gpt-realtime", "en", "EUR")
    used = {"text_in": 100, "text_cached": 70, "audio_in": 50, "audio_cached": 20, "text_out": 5, "audio_out": 40}
    counted = Counters(**used, transcription_ms=30_000, cost=Decimal("0.25"))
    await observed.checkpoint(counted)
    assert "voice.tokens" not in dashboard.read()
    observed.remember(counted)
    read = dashboard.read()
    assert {dict(attributes)["kind"]: tokens for attributes, tokens in read["voice.tokens"].items()} == {
        "text_in": 30, "text_cached": 70, "audio_in": 30, "audio_cached": 20, "text_out": 5, "audio_out": 40,
    }  # fmt: skip
    assert {dict(attributes)["provider"] for attributes in read["voice.tokens"]} == {"openai"}
    assert read["voice.transcribed"] == {(("provider", "openai"),): 30}
    assert read["voice.cost"] == {(("currency", "EUR"), ("provider", "openai")): 0.25}


async def test_what_costs_nothing_or_nobody_knows_what_is_not_told(dashboard):
    for cost in (Decimal(0), None):
        observed = Observed(Facts())
        observed.began("local", "", "en", "EUR")
        observed.remember(Counters(cost=cost))
    assert not {"voice.tokens", "voice.cost"} & {*dashboard.read()}


def test_refusals_are_counted_by_reason_and_none_while_switched_off(dashboard, settings):
    gate.refused(EndReason.RATE_LIMITED)
    assert dashboard.read() == {}
    settings.ENABLE_VOICE_REALTIME = True
    gate.refused(EndReason.RATE_LIMITED)
    gate.refused(EndReason.RATE_LIMITED)
    assert dashboard.read()["voice.refusals"] == {(("reason", "rate_limited"),): 2}


async def test_a_loop_that_stands_still_is_seen_and_told(dashboard, monkeypatch, caplog):
    monkeypatch.setattr(following, "LAG_INTERVAL", 0.0)
    monkeypatch.setattr(following, "LAG_LIMIT", -1.0)  # any lateness at all
    watching = asyncio.create_task(following._watch_the_loop())
    for _ in range(10):  # turns of the loop, of which the watch takes one or two
        await asyncio.sleep(0)
    watching.cancel()
    assert "stood still" in caplog.text
    ((_, (count, _)),) = dashboard.read()["voice.loop.lag"].items()
    assert count >= 1


def test_without_an_sdk_it_costs_nothing_to_speak_of():
    metrics.refused(EndReason.OVERLOADED)
    metrics.session_began("local")
    metrics.session_ended("local", EndReason.IDLE, 1.0, {"backlog": 0.0})
