"""The rows behind the index: whether they changed, what they say, and the vectors kept with them.

Everything here talks to the database and raises ``django.db.Error``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Count, Sum

from voice.knowledge.chunks import chunks
from voice.knowledge.local.shelf import Document
from voice.knowledge.models import KnowledgeDocument

State = tuple[int, int]
"""Number of rows and sum of their revisions: differs after any change, deletions included."""

ROWS_PER_QUERY: Final = 500
"""Below the number of parameters that any database allows."""


def state() -> State:
    """The state of all rows, in one cheap query."""
    found = KnowledgeDocument.objects.aggregate(rows=Count("pk"), revisions=Sum("revision"))
    return found["rows"], int(found["revisions"] or 0)


def documents(known: Mapping[int, Document], encoder: str) -> list[Document]:
    """All documents now. Those that are ``known`` and unchanged are not read again.

    Their vectors are those that ``encoder`` made, or None.
    """
    revisions = dict(KnowledgeDocument.objects.order_by("pk").values_list("pk", "revision"))
    kept = {pk: d for pk, d in known.items() if revisions.get(pk) == d.revision}
    fresh = {d.pk: d for d in _read([pk for pk in revisions if pk not in kept], encoder)}
    return [(kept | fresh)[pk] for pk in revisions if pk in kept or pk in fresh]


def store_vectors(documents: Iterable[Document], encoder: str) -> None:
    """Keep the vectors with the rows; a row that has changed in the meantime is left as it is."""
    with transaction.atomic():
        for document in documents:
            unchanged = KnowledgeDocument.objects.filter(pk=document.pk, revision=document.revision)
            unchanged.update(vector=document.vectors, encoder=encoder)


def _read(keys: Sequence[int], encoder: str) -> Iterable[Document]:
    for some in chunks(keys, ROWS_PER_QUERY):
        for row in KnowledgeDocument.objects.filter(pk__in=some).order_by():
            yield _document(row, encoder)


def _document(row: KnowledgeDocument, encoder: str) -> Document:
    usable = row.vector is not None and row.encoder == encoder
    vectors = bytes(row.vector) if usable and row.vector is not None else None
    return Document(row.pk, row.revision, row.title, row.body, row.url, row.language, row.tenant, row.audience, vectors)
