"""What is kept of a turn, on its way into the database: its facts, and the words if the site stores them.

Each is written in one transaction that begins by holding the session's row, and writing it twice changes nothing: it
may be brought by the conversation or, later, from the spool. A session that was made anonymous (:mod:`voice.retention`)
keeps of what comes after that only what tells nothing of the person: neither words nor the titles of what was found.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Self

from django.db import connections, router, transaction
from django.db.models import F
from django.db.models.constants import OnConflict

from voice import counts
from voice.counts import Count
from voice.models import VoiceSession, VoiceTranscript, VoiceTurn
from voice.protocol.commands import TurnEnded
from voice.protocol.timeline import Mark
from voice.statements import Statement


@dataclass(frozen=True, slots=True)
class Facts:
    """A row of :class:`~voice.models.VoiceTurn`: ``columns`` by their names."""

    session_id: uuid.UUID
    at: datetime
    number: int
    columns: Mapping[str, Any]

    @classmethod
    def of(cls, session_id: uuid.UUID, at: datetime, ended: TurnEnded) -> Self:
        """Those of a turn that has ended."""
        stopped = ended.marks.get(Mark.SPEECH_STOPPED)

        def since(mark: Mark) -> int | None:
            return ended.marks[mark] - stopped if stopped is not None and mark in ended.marks else None

        columns = {
            "outcome": ended.outcome.value,
            "typed": ended.typed,
            "searches": dict(ended.searches),
            "marks": dict(ended.marks),
            "context_ms": since(Mark.CONTEXT_READY),
            "requested_ms": since(Mark.RESPONSE_REQUESTED),
            "first_audio_ms": since(Mark.FIRST_AUDIO),
            "heard_ms": since(Mark.FIRST_HEARD),
            "prefetched": ended.prefetched,
            "context_confirmed": ended.context_confirmed,
            "sources": [{"title": storable(source.title), "url": storable(source.url)} for source in ended.sources],
        }
        return cls(session_id, at, ended.number, columns)

    def write(self, count: Count | None = None) -> None:
        """Insert the row, unless it is there; and keep the session's count, unless a newer one is there. Blocking.
        Raises the database's errors."""
        using = router.db_for_write(VoiceTurn)
        with transaction.atomic(using=using):
            owner = _owner(self.session_id, using, count)
            if owner is not None:
                columns = dict(self.columns) if owner else {**self.columns, "sources": []}
                row = VoiceTurn(session_id=self.session_id, number=self.number, created_at=self.at, **columns)
                insert = _insertion(using)
                insert.execute(getattr(row, column.attname) for column in insert.columns)

    def to_json(self) -> str:
        """One line."""
        return _line(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` wrote, parsed."""
        return cls(**_common(said), columns=dict(said["columns"]))


@dataclass(frozen=True, slots=True)
class Words:
    """What was said in a turn: texts by the role that said them."""

    session_id: uuid.UUID
    at: datetime
    number: int
    said: Mapping[str, str] = field(repr=False)
    corrects: bool = False
    """They replace what is stored; else what is stored stays."""

    @classmethod
    def of(cls, session_id: uuid.UUID, at: datetime, ended: TurnEnded) -> Self:
        """Those of a turn that has ended."""
        said = {VoiceTranscript.VISITOR: ended.question, VoiceTranscript.ASSISTANT: ended.answer}
        return cls(session_id, at, ended.number, {role: storable(text) for role, text in said.items() if text})

    @classmethod
    def corrected(cls, session_id: uuid.UUID, at: datetime, number: int, question: str) -> Self:
        """The question, as its final transcript has it."""
        return cls(session_id, at, number, {VoiceTranscript.VISITOR: storable(question)}, corrects=True)

    def write(self) -> None:
        """Store them, unless the session is nobody's any more. Blocking. Raises the database's errors."""
        using = router.db_for_write(VoiceTranscript)
        with transaction.atomic(using=using):
            if not _owner(self.session_id, using):
                return
            rows = VoiceTranscript.objects.using(using)
            for role, text in self.said.items():
                of_role = {"session_id": self.session_id, "turn": self.number, "role": role}
                if not (self.corrects and rows.filter(**of_role).update(text=text)):
                    new = VoiceTranscript(**of_role, text=text, created_at=self.at)
                    rows.bulk_create([new], ignore_conflicts=True)

    def to_json(self) -> str:
        """One line."""
        return _line(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` wrote, parsed."""
        return cls(**_common(said), said=dict(said["said"]), corrects=bool(said["corrects"]))


@cache
def _insertion(alias: str) -> Statement:
    """Of a turn's row, unless it is there, as ``bulk_create(ignore_conflicts=True)`` has it."""
    columns = tuple(each for each in VoiceTurn._meta.concrete_fields if not each.primary_key)
    operations = connections[alias].ops
    begin = operations.insert_statement(on_conflict=OnConflict.IGNORE)
    table = operations.quote_name(VoiceTurn._meta.db_table)
    names = ", ".join(operations.quote_name(each.column) for each in columns if each.column)
    end = operations.on_conflict_suffix_sql(columns, OnConflict.IGNORE, (), ())
    return Statement(alias, f"{begin} {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))}) {end}", columns)


def storable(text: str) -> str:
    """``text`` as every database takes it: PostgreSQL knows no NUL, and none a lone surrogate."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _owner(session_id: uuid.UUID, using: str, count: Count | None = None) -> bool | None:
    """Whether the session is somebody's; ``None``: there is none. Holds its row until the transaction ends.

    By an update, be it one that changes nothing: SQLite lets a transaction that began by reading write only by luck.
    """
    if count is not None:
        if counts.keep(session_id, count, owned=True):
            return True
        counts.keep(session_id, count)
    row, nothing = VoiceSession.objects.using(using).filter(pk=session_id), F("checkpoint")
    if row.exclude(user=None).update(checkpoint=nothing):
        return True
    return False if row.update(checkpoint=nothing) else None


def _line(of: Facts | Words) -> str:
    kind = type(of).__name__.lower()
    return json.dumps({"kind": kind, **asdict(of), "session_id": of.session_id.hex, "at": of.at.isoformat()})


def _common(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "session_id": uuid.UUID(said["session_id"]),
        "at": datetime.fromisoformat(said["at"]),
        "number": int(said["number"]),
    }
