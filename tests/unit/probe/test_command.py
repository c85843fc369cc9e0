"""``manage.py voice_probe``: what goes to stdout, what to stderr, and what it says when it cannot measure."""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests import speech
from tests.clock import VirtualTimeLoop
from voice.management.commands import voice_probe
from voice.management.commands.voice_probe import Command


@pytest.fixture(autouse=True)
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a question to be spoken."""
    monkeypatch.setattr(Command, "loop_factory", VirtualTimeLoop)


def probe(*arguments: str) -> tuple[str, str]:
    """What it writes to stdout and stderr, with a scripted knowledge."""
    out, err = io.StringIO(), io.StringIO()
    call_command("voice_probe", "--knowledge", "none", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_without_any_service_it_shows_that_prefetching_costs_nothing() -> None:
    out, err = probe("--turns", "3")
    rows = {line[:30].strip(): line[30:].split() for line in out.splitlines() if line}
    assert rows["added by retrieval (ms)"] == ["0", "0", "0", "447", "447", "447"]
    assert rows["first audio"] == ["558", "558", "558", "1,005", "1,005", "1,005"]
    assert "upstream: scripted (558 ms)   knowledge: scripted (+447 ms)" in out
    assert [line.split()[:2] for line in err.splitlines()[1:]] == [
        [f"{n}/6", mode] for n, mode in enumerate(("prefetch", "sequential") * 3, start=1)
    ]


def test_json_is_alone_on_stdout() -> None:
    out, err = probe("--turns", "2", "--json", "--upstream-latency", "300", "--knowledge-latency", "100.5")
    told = json.loads(out)
    assert told["prefetch"] == {
        "added_ms": {"p50": 0, "p95": 0, "max": 0},
        "first_audio_ms": {"p50": 300, "p95": 300, "max": 300},
    }
    assert told["sequential"]["first_audio_ms"]["p50"] == pytest.approx(400.5, abs=1)
    assert told["hit_rate"] == 1
    assert (told["upstream"], told["upstream_latency_ms"]) == ("scripted", 300)
    assert (told["knowledge"], told["knowledge_latency_ms"]) == ("scripted", 100.5)
    assert "1/4" in err


def test_a_knowledge_that_never_answers_is_still_json() -> None:
    told = json.loads(probe("--turns", "1", "--json", "--knowledge-latency", "inf")[0])
    assert told["knowledge_latency_ms"] == "inf"
    assert told["prefetch"]["added_ms"]["max"] <= 220


def test_a_site_asks_its_own_questions_in_its_language(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_text("Est-ce loin ?\n")
    svg = tmp_path / "waterfall.svg"
    probe("--turns", "1", "--questions", str(path), "--language", "fr", "--svg", str(svg))
    assert "Est-ce loin ?" in "".join(ET.fromstring(svg.read_text()).itertext())  # noqa: S314 (our own)


def test_how_the_question_is_heard_can_be_set() -> None:
    lagging = ("--transcript-lag", "600", "--silence", "500", "--transcription", "250")
    told = json.loads(probe("--turns", "1", "--json", *lagging)[0])
    assert told["sequential"]["added_ms"]["p50"] == 250 + 447


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--turns", "0"], "--turns: must be 1 or more"),
        (["--turns", "many"], "--turns: invalid"),
        (["--knowledge-latency", "-1"], "--knowledge-latency: milliseconds are 0 or more"),
        (["--upstream-latency", "nan"], "--upstream-latency: milliseconds are 0 or more"),
        (["--upstream", "gemini"], "--upstream: invalid choice"),
        (["--questions", "a", "--wav", "b"], "not allowed with"),
        (["--questions", "/does/not/exist"], "cannot be read: No such file"),
        (["--language", "de"], "Give a file of your own"),
        (["--wav", "question.wav"], "hears no recordings"),
        (["--upstream", "openai"], "provider is 'local'"),
        (["--upstream", "local", "--silence", "200"], "Only the scripted upstream"),
        (["--turns", "1", "--svg", "/does/not/exist.svg"], "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        probe(*arguments)


def test_a_recording_that_is_none_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    empty = speech.recording(tmp_path / "empty.wav")
    with pytest.raises(CommandError, match="is empty"):
        probe("--upstream", "local", "--wav", str(empty))


def test_interrupted_it_prints_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, out, err = voice_probe.run, io.StringIO(), io.StringIO()

    async def interrupted(*arguments: Any) -> None:
        setup, questions, _, report = arguments
        await plain(setup, questions, 1, report)
        raise KeyboardInterrupt

    monkeypatch.setattr(voice_probe, "run", interrupted)
    with pytest.raises(CommandError, match="Interrupted") as raised:
        call_command("voice_probe", "--knowledge", "none", "--json", stdout=out, stderr=err)
    assert raised.value.returncode == 130
    assert json.loads(out.getvalue())["turns"] == {"prefetch": 1, "sequential": 1}


def test_interrupted_before_the_first_turn_it_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()

    async def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(voice_probe, "run", interrupted)
    with pytest.raises(CommandError, match="Interrupted"):
        call_command("voice_probe", "--knowledge", "none", stdout=out, stderr=io.StringIO())
    assert out.getvalue() == ""
