"""Which rows are in Weaviate as they are now: what staff see in the admin."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from voice.knowledge.chunks import chunks
from voice.knowledge.models import KnowledgeDocument

ROWS_PER_QUERY = 250
"""Two parameters each, below the number that any database allows."""


def sent(rows: Iterable[KnowledgeDocument]) -> None:
    """``rows`` are there, as they were read. One that was saved in the meantime has another revision, and waits."""
    new = [row for row in rows if row.synced_revision != row.revision]
    for some in chunks(new, ROWS_PER_QUERY):
        keys, revisions = [row.pk for row in some], [row.revision for row in some]
        found = KnowledgeDocument.objects.filter(pk__in=keys, revision__in=revisions)
        found.update(synced_revision=F("revision"))


def missing(rows: Iterable[KnowledgeDocument]) -> None:
    """``rows`` are not there as they are, whatever was known before."""
    known = [row for row in rows if row.synced_revision is not None]
    for some in chunks(known, ROWS_PER_QUERY):
        KnowledgeDocument.objects.filter(pk__in=[row.pk for row in some]).update(synced_revision=None)
    for row in known:
        row.synced_revision = None
