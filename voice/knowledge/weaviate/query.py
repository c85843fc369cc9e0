"""A question becomes a query of Weaviate's, and its answer becomes passages."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from weaviate.classes.query import Filter, MetadataQuery
from weaviate.collections import CollectionAsync
from weaviate.collections.classes.filters import _Filters

from voice.knowledge.base import Filter as Wanted
from voice.knowledge.base import Scope
from voice.knowledge.weaviate.options import EVERY_LANGUAGE, WeaviateOptions
from voice.protocol.context import Passage

logger = logging.getLogger("voice.knowledge.weaviate")

SCORE: Final = MetadataQuery(score=True)
DISTANCE: Final = MetadataQuery(distance=True)


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched, and where."""

    text: str
    languages: tuple[str, ...]
    """Values of the language property, one of which a text must have; empty: any."""
    limit: int
    scope: Scope
    vector: list[float] | None = None
    """The meaning of ``text``, where it is made on this side."""
    target: str | None = None
    """The vector of the texts that it is compared with, where they have several."""


def languages(primary: str, everyone: bool) -> tuple[str, ...]:
    """The values of :attr:`Question.languages`. ``everyone``: texts in no particular language can be filtered for."""
    return ((primary, EVERY_LANGUAGE) if everyone else (primary,)) if primary else ()


def ask(collection: CollectionAsync[Any, Any], question: Question, options: WeaviateOptions) -> Awaitable[Any]:
    """The call that searches, in the way that the options want and the vectors allow."""
    if question.scope.tenant:
        collection = collection.with_tenant(question.scope.tenant)
    query: Any = collection.query  # whose overloads know no arguments that are chosen at run time
    common: dict[str, Any] = {
        "limit": question.limit,
        "filters": _filters(question, options),
        "return_properties": _returned(question, options),
    }
    words: dict[str, Any] = {
        "query_properties": [options.title_property, options.text_property],
        "return_metadata": SCORE,
    }
    meaning: dict[str, Any] = {"target_vector": question.target}
    near: dict[str, Any] = {"return_metadata": DISTANCE, **meaning}
    answer: Awaitable[Any]
    if options.search == "bm25" or (options.vectors != "server" and question.vector is None):
        answer = query.bm25(question.text, **words, **common)
    elif options.search == "hybrid":
        answer = query.hybrid(question.text, alpha=options.alpha, vector=question.vector, **meaning, **words, **common)
    elif question.vector is None:
        answer = query.near_text(question.text, **near, **common)
    else:
        answer = query.near_vector(question.vector, **near, **common)
    return answer


def _returned(question: Question, options: WeaviateOptions) -> list[str]:
    shown = options.title_property, options.text_property, options.url_property, options.language_property
    return [name for name in dict.fromkeys((*shown, *question.scope.filters)) if name]


def _filters(question: Question, options: WeaviateOptions) -> _Filters | None:
    wanted = [_filter(name, value) for name, value in question.scope.filters.items()]
    if question.languages and options.language_property:
        wanted.append(_filter(options.language_property, question.languages))
    return Filter.all_of(wanted) if wanted else None


def _filter(name: str, value: Wanted) -> _Filters:
    if isinstance(value, tuple):
        return Filter.by_property(name).contains_any(list(value))
    return Filter.by_property(name).equal(value)


# -- the answer ---------------------------------------------------------------------------------------------------


def passages(answer: Any, question: Question, options: WeaviateOptions) -> tuple[Passage, ...]:
    """What was found within the question's scope, best first."""
    return tuple(_passages(answer.objects, question.scope, options))


def _passages(objects: Iterable[Any], scope: Scope, options: WeaviateOptions) -> Iterator[Passage]:
    for found in objects:
        if not _kept(found.properties, scope):
            continue
        title, text, url, language = (
            _text(found.properties.get(name)) if name else ""
            for name in (options.title_property, options.text_property, options.url_property, options.language_property)
        )
        yield Passage(title, text, url, "" if language == EVERY_LANGUAGE else language, _score(found.metadata))


def _kept(properties: Mapping[str, Any], scope: Scope) -> bool:
    """Whether an object is really within ``scope``.

    The server compares the words of a text property, unless it is tokenised as ``field``: by its lights what is for
    "staff of the shop" has the value "staff", too.
    """
    for name, wanted in scope.filters.items():
        values = properties[name] if isinstance(properties.get(name), list) else [properties.get(name)]
        texts = [value for value in values if isinstance(value, str)]
        allowed = wanted if isinstance(wanted, tuple) else (wanted,)
        if texts and not any(text in allowed for text in texts):
            _warn(name)
            return False
    return True


@cache
def _warn(name: str) -> None:
    """Once: it is the same for every search."""
    logger.warning("Weaviate filters the property %r by single words: it must be tokenised as 'field'.", name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, list) else ""


def _score(metadata: Any) -> float:
    if metadata.distance is not None:
        return float(1 - metadata.distance)
    return float(metadata.score or 0.0)
