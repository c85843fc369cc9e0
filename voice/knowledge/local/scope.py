"""Which documents a visitor may find: a scope's filters, applied to the documents of this site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from voice.knowledge.base import Filter, KnowledgeError
from voice.knowledge.local.shelf import Document

PROPERTIES: Final = ("audience", "language", "url")
"""What can be filtered by."""


def keeper(filters: Mapping[str, Filter]) -> Callable[[Document], bool]:
    """Tells whether a document has, of every property that is named, the value or one of the values.

    Raises:
        KnowledgeError: a property is none that documents have. A filter that cannot be applied must not be left out.
    """
    unknown = sorted(filters.keys() - set(PROPERTIES))
    if unknown:
        raise KnowledgeError(f"no property {', '.join(unknown)}; there are {', '.join(PROPERTIES)}")
    wanted = {name: value if isinstance(value, tuple) else (value,) for name, value in filters.items()}
    return lambda document: all(getattr(document, name) in values for name, values in wanted.items())
