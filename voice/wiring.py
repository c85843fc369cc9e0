"""Settings become objects: which upstream, which knowledge, and a session made of them.

What is shared by the sessions of a process is made here, once, and only when it is wanted: no client library, no model
and no connection exists before the first conversation, or :func:`warm_up`, asks for it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection

from voice.admission.limits import Limits
from voice.conf import conf
from voice.delivery import Visitor
from voice.keeping import Recorder
from voice.knowledge.base import EVERYONE, Knowledge, KnowledgeError, NoKnowledge, Scope, no_progress
from voice.knowledge.base import Progress as KnowledgeProgress
from voice.protocol.context import page_of
from voice.protocol.conversation import Conversation
from voice.protocol.history import NOTHING_SAID, History
from voice.protocol.wires.base import Wire
from voice.protocol.wires.messages import Start
from voice.protocol.wires.realtime import Offer, Realtime
from voice.protocol.wires.voice_v1 import VoiceV1
from voice.records import Recorder as SessionRecorder
from voice.session import Session, SessionTerms
from voice.spool import Spool
from voice.upstream.base import Upstream, UpstreamSession

if TYPE_CHECKING:
    from voice.upstream.local.models import LocalModels
    from voice.upstream.openai.circuit import Circuit

log = logging.getLogger("voice.wiring")

Progress = Callable[[str, float], None]
"""Told what is being made ready, and the fraction (0 to 1) of it that is."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a session has behind it, and how its conversation may go on after it."""

    seconds: float
    """How long it may last."""
    turns: int = 0
    history: History = NOTHING_SAID
    token: str = field(default="", repr=False)
    notices: tuple[str, ...] = ()


def session(
    session_id: str,
    start: Start,
    visitor: Visitor,
    recorder: Recorder,
    limits: Limits,
    past: Past,
    scope: Scope | None = EVERYONE,
    allowance: Decimal | None = None,
    *,
    reports: bool = False,
) -> Session:
    """A session as this site has it, for a visitor who asked for ``start`` and may find ``scope``; None: nothing.

    ``allowance`` is what it may cost; None: anything. ``reports``: its wire has clients say what they have played.
    """
    settings = conf()
    terms = SessionTerms(
        session_id=session_id,
        language=language(start),
        passages=settings.context.passages,
        seconds=past.seconds,
        expiring_seconds=limits.expiring_seconds,
        idle_seconds=limits.idle_seconds,
        push_to_talk=start.mode == "push_to_talk",
        voice=start.voice,
        waiting=start.waiting and settings.warm_upstream,
        reports=reports,
        scope=scope or EVERYONE,
        prices=settings.prices,
        allowance=allowance,
        resume=past.token,
        history=past.history,
        notices=past.notices,
    )
    retrieval = "off" if scope is None else settings.retrieval
    page = page_of(start.page.title, start.page.text, start.page.url, terms.language)
    conversation = Conversation(
        settings.prefetch, settings.context, retrieval=retrieval, page=page, history=past.history, turns=past.turns
    )
    return Session(terms, conversation, lambda: upstream(terms), knowledge(), visitor, recorder)


def wire(asked: str | None, offered: Sequence[str]) -> Wire:
    """The dialect of a connection: ``asked`` for by its address, or the first known one of those ``offered``."""
    known = (name for name in offered if name in (Realtime.subprotocol, VoiceV1.subprotocol))
    return Realtime(_offer()) if (asked or next(known, None)) == Realtime.subprotocol else VoiceV1()


def _offer() -> Offer:
    settings = conf()
    if settings.provider == "openai":
        options = settings.openai
        return Offer(options.model, options.transcription_model, (options.voice, *options.voices))
    return Offer("embedded", "embedded", ("embedded",))


def language(start: Start) -> str:
    """The language of the conversation: the visitor's, if the site speaks it, else the site's first."""
    spoken = conf().languages
    primary = start.language.lower().partition("-")[0]
    return next((tag for tag in spoken if tag.lower().partition("-")[0] == primary), spoken[0])


def upstream(terms: SessionTerms) -> Upstream:
    """A new conversation with the provider of this site; nothing is dialled yet."""
    settings = conf()
    wanted = UpstreamSession(terms.language, settings.instructions, terms.push_to_talk, terms.voice)
    if settings.provider == "openai":
        from voice.upstream.openai.client import OpenAIUpstream

        options = settings.openai
        return OpenAIUpstream(wanted, options, circuit=_circuit(options.base_url, options.api_key, options.model))
    from voice.upstream.local.provider import LocalUpstream

    return LocalUpstream(local_models(), wanted)


@cache
def _circuit(base_url: str, api_key: str, model: str) -> Circuit:
    """What the conversations of this process know of their key, in common."""
    from voice.upstream.openai.circuit import Circuit

    return Circuit()


def recorder(session_id: str, start: Start) -> SessionRecorder:
    """The record of a session. What is said is stored only where the site wants it, from who was told so."""
    settings = conf()
    told = start.notice != "" and start.notice == settings.consent.get("version")
    return SessionRecorder(session_id, spool(), transcripts=settings.transcripts and told)


def spool() -> Spool:
    """Where ends of sessions wait for the database."""
    return Spool(conf().spool or _temporary_spool())


def _temporary_spool() -> Path:
    """In the system's directory for temporary files: it outlives a process, perhaps no reboot.

    Each user and each database has one of its own: another site would look for rows that it does not have.
    """
    database = repr([str(connection.settings_dict.get(key, "")) for key in ("HOST", "PORT", "NAME")])
    site = hashlib.blake2b(database.encode(), digest_size=4).hexdigest()
    return Path(tempfile.gettempdir()) / f"voice-spool-{os.getuid()}-{site}"


@cache
def local_models() -> LocalModels:
    """The embedded provider's models, shared by the process."""
    from voice.upstream.local.models import LocalModels

    return LocalModels(conf().local)


@cache
def knowledge() -> Knowledge:
    """What the site knows, shared by the process."""
    options = conf().knowledge
    if options.backend == "none" or conf().retrieval == "off":
        return NoKnowledge()
    if options.backend == "weaviate":
        from voice.knowledge.weaviate.backend import WeaviateKnowledge

        return WeaviateKnowledge(options.weaviate)
    from voice.knowledge.local.backend import LocalKnowledge

    return LocalKnowledge(options)


async def close() -> None:
    """Give up the connections of this process and event loop."""
    if knowledge.cache_info().currsize:
        await knowledge().close()


async def warm_up(progress: Progress) -> None:
    """Load what the first visitor would otherwise wait for. ``progress`` may be called from other threads."""
    if conf().provider == "local":
        await local_models().warm_up(progress)
    await prepare_knowledge(lambda done, total: progress("knowledge", done / total if total else 1.0))


async def prepare_knowledge(progress: KnowledgeProgress = no_progress) -> None:
    """Make the first search as quick as the others: connect, or load what searches. Raises nothing of a backend's."""
    try:
        await knowledge().prepare(progress)
    except KnowledgeError as error:  # answers go on without it, and it is tried again by the first search
        log.warning("the knowledge cannot be searched yet: %s", error)
    except Exception:
        log.exception("the knowledge failed")
