"""What the operator asks for, made of the site's own parts and of stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from voice import wiring
from voice.conf import conf
from voice.knowledge.base import Knowledge, KnowledgeError, NoKnowledge
from voice.probe import questions as asked
from voice.probe.errors import ProbeError
from voice.probe.knowledge import ScriptedKnowledge
from voice.probe.questions import Question
from voice.probe.script import Script
from voice.probe.spoken import speak
from voice.probe.turn import Setup
from voice.probe.upstream import ScriptedUpstream
from voice.session import SessionTerms
from voice.upstream.base import Upstream

SCRIPTED_SEARCH_MS = 447
"""What a search takes where no knowledge is configured: that of a first proof of concept (docs/latency.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured."""

    language: str | None = None
    """Of the questions; by default the site's first."""
    questions: Path | None = None
    """A text file, one question a line; by default the probe's own."""
    recordings: Sequence[Path] = ()
    """WAV files instead."""
    upstream: Literal["scripted", "local", "openai"] = "scripted"
    script: Script = field(default_factory=Script)
    """How the scripted upstream hears and answers."""
    site_knowledge: bool = True
    """Search what the site knows, if it knows anything; else a scripted knowledge is searched."""
    knowledge_latency_ms: float | None = None
    """Added to each search. By default nothing, or :data:`SCRIPTED_SEARCH_MS` if the knowledge is scripted."""


def prepared(wanted: Wanted) -> tuple[Setup, list[Question]]:
    """What a run needs. Nothing is dialled or loaded yet, but for the voices that speak the questions.

    Raises:
        ProbeError: these questions, or this upstream, cannot be had.
    """
    settings = conf()
    _require_provider(wanted)
    language = wanted.language or settings.languages[0]
    knowledge, delay_ms = _knowledge(wanted)
    setup = Setup(
        upstream=_upstream(wanted),
        knowledge=knowledge,
        knowledge_latency_ms=delay_ms,
        language=language,
        prefetch=settings.prefetch,
        context=settings.context,
    )
    return setup, _questions(wanted, language)


async def warm_up(wanted: Wanted, setup: Setup, progress: wiring.Progress) -> None:
    """Load what the first turn would otherwise wait for, and be measured with.

    Raises:
        ProbeError: the knowledge cannot be had.
    """
    if wanted.upstream == "local":
        await wiring.local_models().warm_up(progress)
    try:
        await setup.knowledge.prepare(lambda done, total: progress("knowledge", done / total if total else 1.0))
    except KnowledgeError as error:
        raise ProbeError(f"The knowledge ({setup.knowledge.name}) cannot be searched: {error}.") from error


def _require_provider(wanted: Wanted) -> None:
    provider = conf().provider
    if wanted.upstream == "scripted":
        if wanted.recordings:
            raise ProbeError("The scripted upstream hears no recordings; choose another one with --upstream.")
    elif wanted.upstream != provider:
        raise ProbeError(f"This site's provider is {provider!r}. For {wanted.upstream!r}, set VOICE['PROVIDER'] to it.")


def _upstream(wanted: Wanted) -> Callable[[Question, SessionTerms], Upstream]:
    if wanted.upstream == "scripted":
        return lambda question, terms: ScriptedUpstream(question.text, wanted.script)
    return lambda question, terms: wiring.upstream(terms)


def _knowledge(wanted: Wanted) -> tuple[Knowledge, float]:
    """What is searched, and how many milliseconds are added to each search."""
    knowledge = wiring.knowledge() if wanted.site_knowledge else NoKnowledge()
    given = wanted.knowledge_latency_ms
    if isinstance(knowledge, NoKnowledge):
        return ScriptedKnowledge(), SCRIPTED_SEARCH_MS if given is None else given
    return knowledge, given or 0


def _questions(wanted: Wanted, language: str) -> list[Question]:
    if wanted.recordings:
        return asked.from_recordings(wanted.recordings)
    questions = asked.from_file(wanted.questions) if wanted.questions else asked.own(language)
    if wanted.upstream == "scripted":
        return questions
    return [replace(question, pcm=speak(question.text, language)) for question in questions]
