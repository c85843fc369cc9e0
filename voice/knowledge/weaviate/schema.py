"""Whether a collection is as the options say it is. Else every search would fail, and only the server knew why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from voice.knowledge.weaviate.options import WeaviateOptions

SETTING: Final = "VOICE['KNOWLEDGE']['weaviate']"
PROPERTIES: Final = ("title_property", "text_property", "url_property", "language_property")
WHOLE: Final = ("field", "lowercase", "whitespace")
"""Tokenisations that keep the sign for every language; the others know letters and digits only."""


def missing(options: WeaviateOptions) -> str:
    """What is said where there is no such collection."""
    return (
        f"Weaviate has no collection {options.collection!r}: manage.py voice_sync makes it from this site's documents, "
        f"or {SETTING}['collection'] names another."
    )


def problems(config: Any, options: WeaviateOptions, own: bool) -> Iterator[str]:
    """A sentence for each thing that searches of ``config``, the client's description of a collection, would fail by.

    ``own``: vectors of questions are made on this side.
    """
    names = {prop.name for prop in config.properties}
    for option in PROPERTIES:
        if (name := getattr(options, option)) and name not in names:
            yield f"The collection {config.name!r} has no property {name!r}, which {SETTING}[{option!r}] names."
    modules = _modules(config)
    if own and modules and "none" not in modules.values():
        yield (
            f"The vectors of the collection {config.name!r} come from its module {', '.join(set(modules.values()))}: "
            f"set {SETTING}['vectors'] to 'server'."
        )
    if options.vectors == "server" and options.search != "bm25" and not set(modules.values()) - {"none"}:
        yield f"The collection {config.name!r} has no module that makes vectors, which {SETTING}['vectors'] expects."


def target(config: Any, own: bool) -> str | None:
    """Which vector is searched, where texts have several: one that is made where the question's is. Else None."""
    modules = _modules(config)
    return (
        next((name for name, module in modules.items() if (module == "none") is own), None)
        if len(modules) > 1
        else None
    )


def everyone(config: Any, options: WeaviateOptions) -> bool:
    """Whether texts in no particular language can be filtered for; where they cannot, the filter would be an error."""
    tokens = {prop.name: prop.tokenization for prop in config.properties}.get(options.language_property)
    return tokens is None or getattr(tokens, "value", tokens) in WHOLE


def _modules(config: Any) -> dict[str, str]:
    """What makes the vectors, a module or ``none``, by the vectors' names; the only one may have no name."""
    found = {name: vector.vectorizer.vectorizer for name, vector in (config.vector_config or {}).items()}
    found = found or {"": config.vectorizer}
    return {name: str(getattr(module, "value", module)) for name, module in found.items() if module is not None}
