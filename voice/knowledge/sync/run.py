"""One run: rows are read, compared with the collection, and the difference is carried out.

Nothing is remembered between runs but what the collection itself holds, so that a run that was stopped is gone on
with by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Final, TypeVar

from voice.knowledge.base import KnowledgeError
from voice.knowledge.chunks import chunks
from voice.knowledge.models import KnowledgeDocument
from voice.knowledge.weaviate.options import WeaviateOptions

from . import marks, schema
from .makers import Maker
from .pieces import Piece, Text, pieces
from .plan import Plan, Stored, plan
from .target import Failures, Target

BATCH: Final = 32
"""Objects a call: a second of the encoder's work, and what a stop in the middle loses."""
NO_TENANT: Final = "It belongs to no tenant, and the collection keeps texts by tenant."

Tell = Callable[[str, float], None]
"""Told what is being done, and the fraction (0 to 1) of it that is."""
Change = TypeVar("Change", Piece, Stored)


@dataclass(slots=True)
class Report:
    """What was done; after a dry run, what would be."""

    documents: int
    makes: bool = False
    """The collection is made, or made anew."""
    created: int = 0
    """This and the next three: pieces of documents."""
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    """Why a document is not in the collection as it should be, by its name."""


class Run:
    """Makes the collection of ``options`` hold what the rows say now, with vectors from ``maker``."""

    def __init__(self, options: WeaviateOptions, maker: Maker, tell: Tell) -> None:
        self._options = options
        self._maker = maker
        self._tell = tell
        self._rows = {_text(row).name: row for row in KnowledgeDocument.objects.defer("vector").order_by("pk")}
        self._tenants = any(row.tenant for row in self._rows.values())
        self._open: Counter[str] = Counter()
        """Changes that a document still waits for."""
        self.report = Report(len(self._rows))

    def __call__(self, *, dry_run: bool = False, rebuild: bool = False) -> Report:
        """``rebuild``: everything is sent again, into a collection made anew if all that is in it is ours.

        Raises:
            KnowledgeError: nothing could be done, or no more; what was sent stays, and :attr:`report` counts it.
        """
        with Target(self._options) as target:
            self._tell("reading the collection", 0.0)
            found = target.schema()
            stored, others = _stored(target, found)
            anew = found is None or (rebuild and not others and schema.is_plain(found, self._options))
            kept = None if anew else found
            todo = self._plan(kept, () if anew else stored, everything=rebuild)
            self.report.makes, self.report.unchanged = anew, len(todo.unchanged)
            if dry_run:
                self._foresee(todo)
            else:
                marks.missing(row for name, row in self._rows.items() if name in todo.documents)
                self._prepare(target, todo, kept, exists=found is not None)
                self._carry_out(target, todo)
        return self.report

    def _plan(self, kept: schema.Schema | None, stored: Sequence[Stored], *, everything: bool) -> Plan:
        """What ``kept``, or else a new collection, must be told. Raises KnowledgeError if it cannot serve."""
        by_tenant = self._tenants
        if kept is not None:
            by_tenant = kept.multi_tenant
            wrong = schema.lacks(kept, self._options, self._maker.vectors, multi_tenant=self._tenants)
            if wrong:
                raise KnowledgeError(f"The collection {self._options.collection} cannot be used: {'; '.join(wrong)}.")
        return plan(list(self._pieces(by_tenant)), stored, everything=everything)

    def _pieces(self, by_tenant: bool) -> Iterator[Piece]:
        for name, row in self._rows.items():
            if by_tenant and not row.tenant:
                self._open[name] += 1
                self.report.failures[name] = NO_TENANT
            else:
                yield from pieces(_text(row), self._options, self._maker.name)

    def _foresee(self, todo: Plan) -> None:
        self.report.created, self.report.updated = len(todo.create), len(todo.replace)
        self.report.deleted = len(todo.delete)

    def _prepare(self, target: Target, todo: Plan, kept: schema.Schema | None, *, exists: bool) -> None:
        """The collection and its tenants are there."""
        by_tenant = self._tenants if kept is None else kept.multi_tenant
        if kept is None:
            if exists:
                target.drop()
            target.create(schema.definition(self._options, self._maker.vectors, multi_tenant=by_tenant))
            target.schema()  # tells it where the vectors belong
        new = {piece.tenant for piece in todo.send} - target.tenants() if by_tenant else set()
        if new:
            target.add_tenants(sorted(new))

    def _carry_out(self, target: Target, todo: Plan) -> None:
        self._open.update(todo.changes)
        try:
            for done in self._steps(target, todo):
                self._tell("bringing the collection up to date", done / max(len(todo.changes), 1))
        finally:  # also after Ctrl-C
            marks.sent(row for name, row in self._rows.items() if not self._open[name])

    def _steps(self, target: Target, todo: Plan) -> Iterator[int]:
        """How many changes are behind, before the first call and after each."""
        yield (done := 0)
        for tenant, some in _batches(todo.create):
            self.report.created += self._settle(some, target.put(tenant, some, self._maker.make(some)))
            yield (done := done + len(some))
        for tenant, some in _batches(todo.replace):
            self.report.updated += self._settle(some, target.put(tenant, some, self._maker.make(some)))
            yield (done := done + len(some))
        for tenant, gone in _batches(todo.delete):
            self.report.deleted += self._settle(gone, target.delete(tenant, [known.id for known in gone]))
            yield (done := done + len(gone))

    def _settle(self, changes: Sequence[Change], failures: Failures) -> int:
        """How many ``changes`` took effect."""
        for change in changes:
            if change.id in failures:
                self.report.failures[change.document] = failures[change.id]
            else:
                self._open[change.document] -= 1
        return len(changes) - len(failures)


def _text(row: KnowledgeDocument) -> Text:
    return Text(row.slug, row.language, row.title, row.body, row.url, row.tenant, row.audience)


def _stored(target: Target, found: schema.Schema | None) -> tuple[list[Stored], int]:
    """Our objects, and how many others there are."""
    if found is None or schema.is_foreign(found):
        return [], 0
    tenants = sorted(target.tenants()) if found.multi_tenant else [""]
    everything = [known for tenant in tenants for known in target.stored(tenant)]
    ours = [known for known in everything if known.document]
    return ours, len(everything) - len(ours)


def _batches(changes: Sequence[Change]) -> Iterator[tuple[str, Sequence[Change]]]:
    """As few calls as can be: each is about objects of one tenant."""
    by_tenant = attrgetter("tenant")
    for tenant, some in groupby(sorted(changes, key=by_tenant), key=by_tenant):
        for batch in chunks(list(some), BATCH):
            yield tenant, batch
