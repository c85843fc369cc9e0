"""Texts from a file into rows: what is new is added, what differs is changed, the rest is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from django.db import transaction

from voice.knowledge.models import KnowledgeDocument


class Entry(TypedDict):
    """A text in a file. ``slug`` and ``language`` together name it."""

    slug: str
    language: str
    title: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What loading did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def read(path: Path) -> list[Entry]:
    """The entries of a JSON file, an array of objects. :func:`load` checks them."""
    return cast(list[Entry], json.loads(path.read_text(encoding="utf-8")))


@transaction.atomic
def load(documents: Iterable[Entry]) -> Counts:
    """Make the rows say what ``documents`` say; all of them or, after an error, none. Other rows stay.

    Raises:
        django.core.exceptions.ValidationError: a text is not one that staff could have saved in the admin.
    """
    counts = {"created": 0, "updated": 0, "unchanged": 0}
    rows = {(row.slug, row.language): row for row in KnowledgeDocument.objects.defer("vector")}
    for entry in documents:
        key = entry["slug"], entry["language"]
        row = rows.setdefault(key, KnowledgeDocument(slug=key[0], language=key[1]))
        counts[_applied(row, entry)] += 1
    return Counts(**counts)


def _applied(row: KnowledgeDocument, entry: Entry) -> str:
    wanted = {"title": entry["title"], "body": entry["body"], "url": entry["url"]}
    if row.pk and all(getattr(row, field) == value for field, value in wanted.items()):
        return "unchanged"
    outcome = "updated" if row.pk else "created"
    for field, value in wanted.items():
        setattr(row, field, value)
    row.full_clean()
    row.save()
    return outcome
