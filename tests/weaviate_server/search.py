"""Searches, over what is really stored: by words, by meaning, or both; and lists, where nothing is searched for."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from uuid import UUID

from weaviate.proto.v1 import base_pb2, properties_pb2, search_get_pb2

from .collection import Collection, StoredObject

Scores = dict[str, float]
"""By the objects' ids, higher is better."""


class Refused(Exception):
    """The server's words on why it does not search."""


@dataclass
class Search:
    """What was asked."""

    kind: str
    """``hybrid``, ``near_text``, ``near_vector``, ``bm25``, or ``list``."""
    collection: str
    tenant: str
    text: str
    vector: list[float]
    alpha: float
    searched: list[str]
    returned: list[str]
    filters: list[tuple[str, str, Any]]
    """Property, operator and value, all of which must hold."""
    limit: int
    headers: dict[str, str] = field(default_factory=dict)


def decoded(request: search_get_pb2.SearchRequest, headers: dict[str, str]) -> Search:
    """What a request says."""
    kind = next((kind for kind in _FIELDS if request.HasField(_FIELDS[kind])), "list")
    asked = getattr(request, _FIELDS[kind]) if kind in _FIELDS else None
    text = getattr(asked, "query", "")
    packed = getattr(asked, "vector_bytes", b"") or b"".join(v.vector_bytes for v in getattr(asked, "vectors", ()))
    return Search(
        kind=kind,
        collection=request.collection,
        tenant=request.tenant,
        text=text if isinstance(text, str) else " ".join(text),
        vector=list(struct.unpack(f"<{len(packed) // 4}f", packed)),
        alpha=getattr(asked, "alpha_param", 0.0) or getattr(asked, "alpha", 0.0),
        searched=list(getattr(asked, "properties", ())),
        returned=sorted(request.properties.non_ref_properties),
        filters=list(_conditions(request.filters)) if request.HasField("filters") else [],
        limit=request.limit or 10,
        headers=headers,
    )


_FIELDS = {"hybrid": "hybrid_search", "near_text": "near_text", "near_vector": "near_vector", "bm25": "bm25_search"}
_CONTAINS_ANY = base_pb2.Filters.OPERATOR_CONTAINS_ANY


def _conditions(filters: base_pb2.Filters) -> Iterator[tuple[str, str, Any]]:
    if filters.operator == base_pb2.Filters.OPERATOR_AND:
        for part in filters.filters:
            yield from _conditions(part)
    elif filters.operator == base_pb2.Filters.OPERATOR_EQUAL:
        yield filters.target.property, "equal", getattr(filters, filters.WhichOneof("test_value"))
    elif filters.operator == _CONTAINS_ANY:
        yield filters.target.property, "contains_any", list(filters.value_text_array.values)
    else:
        raise NotImplementedError(f"operator {filters.operator}")


# -- the answer ---------------------------------------------------------------------------------------------------


def answer(
    collections: dict[str, Collection], request: search_get_pb2.SearchRequest, search: Search
) -> search_get_pb2.SearchReply:
    """What the stored objects say to a search.

    Raises:
        Refused: the search does not fit the collection.
    """
    collection = _collection(collections, search)
    objects = [stored for stored in collection.objects.values() if _matches(stored, search)]
    reply = search_get_pb2.SearchReply()
    if search.kind == "list":
        listed = sorted((stored for stored in objects if stored.uuid > request.after), key=lambda stored: stored.uuid)
        for stored in listed[: search.limit]:
            _add(reply, request, collection, stored)
        return reply
    scores = _SCORES[search.kind](collection, objects, search)
    for uuid, score in sorted(scores.items(), key=itemgetter(1), reverse=True)[: search.limit]:
        _add(reply, request, collection, collection.objects[uuid], score)
    return reply


def _collection(collections: dict[str, Collection], search: Search) -> Collection:
    collection = collections.get(search.collection)
    if collection is None:
        raise Refused(f"could not find class {search.collection} in schema")
    if bool(search.tenant) != collection.multi_tenant:
        raise Refused(f"class {search.collection} has multi-tenancy {collection.multi_tenant}, not so the request")
    if search.tenant and search.tenant not in collection.tenants:
        raise Refused(f'tenant not found: "{search.tenant}"')
    named = {*search.returned, *search.searched, *(name for name, _, _ in search.filters)} - {"_id"}
    if unknown := named - collection.properties.keys():
        raise Refused(f"no such prop with name {sorted(unknown)} found in class {search.collection}")
    return collection


def _matches(stored: StoredObject, search: Search) -> bool:
    return stored.tenant == search.tenant and all(
        _holds(stored.uuid if name == "_id" else stored.properties.get(name), operator, wanted)
        for name, operator, wanted in search.filters
    )


def _holds(value: Any, operator: str, wanted: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(v in wanted for v in values) if operator == "contains_any" else wanted in values


def _add(
    reply: search_get_pb2.SearchReply,
    request: search_get_pb2.SearchRequest,
    collection: Collection,
    stored: StoredObject,
    score: float = 0.0,
) -> None:
    result = reply.results.add()
    result.metadata.id = stored.uuid
    result.metadata.id_as_bytes = UUID(stored.uuid).bytes
    if request.metadata.score:
        result.metadata.score, result.metadata.score_present = score, True
    if request.metadata.distance:
        result.metadata.distance, result.metadata.distance_present = 1 - score, True
    if stored.vector and (request.metadata.vector or request.metadata.vectors):
        result.metadata.vectors.add(name="default", vector_bytes=struct.pack(f"<{len(stored.vector)}f", *stored.vector))
    wanted = request.properties.non_ref_properties
    everything = not request.HasField("properties") or request.properties.return_all_nonref_properties
    for name in collection.properties if everything else wanted:
        if name in stored.properties:
            value = _value(stored.properties[name], collection.properties[name])
            result.properties.non_ref_props.fields[name].CopyFrom(value)
    result.properties.target_collection = collection.name


def _value(value: Any, kind: str) -> properties_pb2.Value:
    if kind.endswith("[]"):
        return properties_pb2.Value(
            list_value=properties_pb2.ListValue(text_values=properties_pb2.TextValues(values=value))
        )
    if kind == "int":
        return properties_pb2.Value(int_value=int(value))
    if kind in {"number", "boolean"}:
        return properties_pb2.Value(**{"number": {"number_value": value}, "boolean": {"bool_value": value}}[kind])
    return properties_pb2.Value(**{"date": {"date_value": value}}.get(kind, {"text_value": value}))


# -- how well an object fits ----------------------------------------------------------------------------------------


def _by_words(collection: Collection, objects: list[StoredObject], search: Search) -> Scores:
    """The rarer a common word is in the collection, the better."""
    bags = {stored.uuid: set(_words(_said(collection, stored, search.searched))) for stored in objects}
    asked = set(_words(search.text))
    weight = {word: math.log(1 + len(bags) / (1 + sum(word in bag for bag in bags.values()))) for word in asked}
    scores = {uuid: sum(weight[word] for word in asked & bag) for uuid, bag in bags.items()}
    return {uuid: score for uuid, score in scores.items() if score > 0}


def _by_vector(collection: Collection, objects: list[StoredObject], search: Search) -> Scores:
    if lengths := {len(stored.vector) for stored in objects if stored.vector} - {len(search.vector)}:
        raise Refused(f"vector lengths don't match: {lengths} vs {len(search.vector)}")
    return {stored.uuid: _cosine(stored.vector, search.vector) for stored in objects if stored.vector}


def _by_text(collection: Collection, objects: list[StoredObject], search: Search) -> Scores:
    """What a module for vectors would say: longer words that begin alike mean the same."""
    if collection.vectorizer == "none":
        raise Refused("could not vectorize: no module for vectors is configured")
    asked = set(_stems(search.text))
    scores: Scores = {}
    for stored in objects:
        said = set(_stems(_said(collection, stored, [])))
        scores[stored.uuid] = len(asked & said) / math.sqrt(len(asked) * len(said)) if asked and said else 0.0
    return scores


def _hybrid(collection: Collection, objects: list[StoredObject], search: Search) -> Scores:
    """Both, each from 0 to 1 over what it found, weighted by alpha."""
    meaning = _spread((_by_vector if search.vector else _by_text)(collection, objects, search))
    words = _spread(_by_words(collection, objects, search))
    return {
        uuid: search.alpha * meaning.get(uuid, 0.0) + (1 - search.alpha) * words.get(uuid, 0.0)
        for uuid in meaning | words
    }


_SCORES: dict[str, Callable[[Collection, list[StoredObject], Search], Scores]] = {
    "bm25": _by_words,
    "near_vector": _by_vector,
    "near_text": _by_text,
    "hybrid": _hybrid,
}


def _spread(scores: Scores) -> Scores:
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {uuid: (score - low) / (high - low) if high > low else 1.0 for uuid, score in scores.items()}


def _said(collection: Collection, stored: StoredObject, names: list[str]) -> str:
    texts = names or [name for name, kind in collection.properties.items() if kind == "text"]
    return " ".join(str(stored.properties.get(name, "")) for name in texts)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _stems(text: str) -> list[str]:
    return [word[:5] for word in _words(text) if len(word) > 3]


def _cosine(a: list[float], b: list[float]) -> float:
    norms = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / norms if norms else 0.0
