"""What a run is made of: the site's own parts where there are some, and stand-ins."""

import sys
from pathlib import Path

import pytest

from tests.fakes import HOURS, FakeKnowledge
from voice import wiring
from voice.knowledge.base import Knowledge, KnowledgeUnavailable, NoKnowledge, Progress, no_progress
from voice.probe.errors import ProbeError
from voice.probe.site import Wanted, prepared, warm_up
from voice.session import SessionTerms
from voice.upstream.local.provider import LocalUpstream


def knows(monkeypatch: pytest.MonkeyPatch, knowledge: Knowledge) -> None:
    """Let the site have this knowledge."""
    monkeypatch.setattr(wiring, "knowledge", lambda: knowledge)


@pytest.mark.parametrize(
    ("knowledge", "wanted", "name", "added_ms"),
    [
        (FakeKnowledge(HOURS), Wanted(), "fake", 0),
        (FakeKnowledge(HOURS), Wanted(knowledge_latency_ms=447), "fake", 447),
        (FakeKnowledge(HOURS), Wanted(site_knowledge=False), "scripted", 447),
        (NoKnowledge(), Wanted(), "scripted", 447),
        (NoKnowledge(), Wanted(knowledge_latency_ms=0), "scripted", 0),
    ],
)
def test_the_knowledge_of_the_site_is_searched_where_it_has_any(
    monkeypatch: pytest.MonkeyPatch, knowledge: Knowledge, wanted: Wanted, name: str, added_ms: float
) -> None:
    knows(monkeypatch, knowledge)
    setup, _ = prepared(wanted)
    assert (setup.knowledge.name, setup.knowledge_latency_ms) == (name, added_ms)


def test_the_site_sets_the_language_and_when_is_searched(settings) -> None:
    settings.VOICE = {"LANGUAGES": ["fr"], "PREFETCH": {"first_words": 7}, "CONTEXT": {"passages": 2}}
    setup, questions = prepared(Wanted())
    assert (setup.language, setup.prefetch.first_words, setup.context.passages) == ("fr", 7, 2)
    assert "Pouvez-vous" in questions[0].text


def test_a_real_upstream_is_asked_aloud(tmp_path: Path) -> None:
    pytest.importorskip("hibari", reason="the embedded voices are not installed")
    path = tmp_path / "questions.txt"
    path.write_text("When do you open?\n")
    setup, [question] = prepared(Wanted(upstream="local", questions=path))
    assert len(question.pcm) > 24_000
    assert isinstance(setup.upstream(question, SessionTerms("s", "en")), LocalUpstream)


def test_without_voices_it_asks_for_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "voice.upstream.local.voices", None)
    with pytest.raises(ProbeError, match=r"not installed.*--wav"):
        prepared(Wanted(upstream="local"))


def test_a_language_that_no_voice_speaks_asks_for_recordings(tmp_path: Path) -> None:
    pytest.importorskip("py_nanotts", reason="the embedded voices are not installed")
    path = tmp_path / "questions.txt"
    path.write_text("Onko kaukana?\n")
    with pytest.raises(ProbeError, match=r"cannot be spoken.*not fi"):
        prepared(Wanted(upstream="local", questions=path, language="fi"))


async def test_a_knowledge_that_cannot_be_prepared_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(FakeKnowledge):
        async def prepare(self, progress: Progress = no_progress) -> int:
            raise KnowledgeUnavailable("nobody listens")

    knows(monkeypatch, Down())
    setup, _ = prepared(Wanted())
    with pytest.raises(ProbeError, match=r"\(fake\) cannot be searched: nobody listens"):
        await warm_up(Wanted(), setup, lambda label, share: None)
