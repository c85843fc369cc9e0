"""Schema and objects: what a client creates, stores and deletes.

Like the real server with its automatic schema switched off: what a collection was not made for is refused, object by
object, and the rest of a batch is stored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from weaviate.proto.v1 import base_pb2, batch_delete_pb2, batch_pb2, tenants_pb2

from .collection import Collection, StoredObject

Collections = dict[str, Collection]

VECTOR = "default"
"""What the only vector of a collection is called, by the server and by its clients."""
_HNSW = {
    "cleanupIntervalSeconds": 300,
    "distance": "cosine",
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "ef": -1,
    "efConstruction": 128,
    "flatSearchCutoff": 40_000,
    "maxConnections": 32,
    "skip": False,
    "vectorCacheMaxObjects": 1_000_000_000_000,
}
_INVERTED = {
    "bm25": {"b": 0.75, "k1": 1.2},
    "cleanupIntervalSeconds": 60,
    "stopwords": {"preset": "en", "additions": None, "removals": None},
}
_SHARDING = {
    "virtualPerPhysical": 128,
    "desiredCount": 1,
    "actualCount": 1,
    "desiredVirtualCount": 128,
    "actualVirtualCount": 128,
    "key": "_id",
    "strategy": "hash",
    "function": "murmur3",
}


# -- REST: /v1/schema ---------------------------------------------------------------------------------------------


def handle(collections: Collections, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
    """Status and body of the answer."""
    match method, path.removeprefix("/v1").strip("/").split("/"):
        case "GET", ["schema"]:
            return 200, {"classes": [_schema(collection) for collection in collections.values()]}
        case "POST", ["schema"]:
            return _create(collections, body)
        case "GET", ["schema", name]:
            return (200, _schema(collections[name])) if name in collections else (404, None)
        case "DELETE", ["schema", name]:
            collections.pop(name, None)
            return 200, None
        case "POST", ["schema", name, "tenants"] if name in collections:
            return _add_tenants(collections[name], body)
    return 404, None


def _create(collections: Collections, body: dict[str, Any]) -> tuple[int, Any]:
    name = body["class"]
    if name in collections:
        return 422, {"error": [{"message": f"class name {name} already exists"}]}
    vectors = body.get("vectorConfig", {VECTOR: {"vectorizer": {body.get("vectorizer", "none"): {}}}})
    collections[name] = Collection(
        name,
        {prop["name"]: prop["dataType"][0] for prop in body.get("properties", [])},
        vectorizer=next(iter(vectors[VECTOR]["vectorizer"])),
        multi_tenant=body.get("multiTenancyConfig", {}).get("enabled", False),
    )
    return 200, _schema(collections[name])


def _schema(collection: Collection) -> dict[str, Any]:
    return {
        "class": collection.name,
        "properties": [_property(name, kind) for name, kind in collection.properties.items()],
        "vectorConfig": {
            VECTOR: {
                "vectorizer": {collection.vectorizer: {}},
                "vectorIndexType": "hnsw",
                "vectorIndexConfig": _HNSW,
            }
        },
        "invertedIndexConfig": _INVERTED,
        "multiTenancyConfig": {"enabled": collection.multi_tenant},
        "replicationConfig": {"factor": 1},
        "shardingConfig": _SHARDING,
    }


def _property(name: str, kind: str) -> dict[str, Any]:
    words = name in {"title", "text", "body"}
    return {
        "name": name,
        "dataType": [kind],
        "indexFilterable": True,
        "indexSearchable": words,
        "tokenization": ("word" if words else "field") if kind.startswith("text") else None,
    }


def _add_tenants(collection: Collection, body: list[dict[str, Any]]) -> tuple[int, Any]:
    if not collection.multi_tenant:
        return 422, {"error": [{"message": f"multi-tenancy is not enabled for class {collection.name}"}]}
    collection.tenants |= {tenant["name"] for tenant in body}
    return 200, body


# -- gRPC ---------------------------------------------------------------------------------------------------------


def batch(collections: Collections, request: batch_pb2.BatchObjectsRequest) -> batch_pb2.BatchObjectsReply:
    """Store objects; those with a known id replace the ones that are there."""
    reply = batch_pb2.BatchObjectsReply()
    for index, sent in enumerate(request.objects):
        try:
            _store(collections, sent)
        except ValueError as refusal:
            reply.errors.add(index=index, error=str(refusal))
    return reply


def batch_delete(
    collections: Collections, request: batch_delete_pb2.BatchDeleteRequest
) -> batch_delete_pb2.BatchDeleteReply:
    """Delete what the filter matches in the request's tenant."""
    collection, wanted = collections[request.collection], _ids(request.filters)
    found = [o.uuid for o in collection.objects.values() if o.uuid in wanted and o.tenant == request.tenant]
    for uuid in found if not request.dry_run else []:
        del collection.objects[uuid]
    reply = batch_delete_pb2.BatchDeleteReply(matches=len(found), successful=len(found))
    for uuid in found if request.verbose else []:
        reply.objects.add(uuid=UUID(uuid).bytes, successful=True)
    return reply


def tenants(collections: Collections, request: tenants_pb2.TenantsGetRequest) -> tenants_pb2.TenantsGetReply:
    """All tenants of a collection, or those that were asked for."""
    wanted = set(request.names.values) if request.HasField("names") else None
    reply = tenants_pb2.TenantsGetReply()
    for name in sorted(collections[request.collection].tenants):
        if wanted is None or name in wanted:
            reply.tenants.add(name=name, activity_status=tenants_pb2.TENANT_ACTIVITY_STATUS_HOT)
    return reply


def _store(collections: Collections, sent: batch_pb2.BatchObject) -> None:
    collection = collections.get(sent.collection)
    if collection is None:
        raise ValueError(f"class {sent.collection} not found in schema")
    if bool(sent.tenant) != collection.multi_tenant:
        raise ValueError(f"class {sent.collection} has multi-tenancy {collection.multi_tenant}, not so the request")
    if sent.tenant and sent.tenant not in collection.tenants:
        raise ValueError(f'tenant not found: "{sent.tenant}"')
    properties = dict(_properties(sent.properties))
    if unknown := properties.keys() - collection.properties.keys():
        raise ValueError(f"no such prop with name {sorted(unknown)} found in class {sent.collection}")
    vector = _vector(sent)
    lengths = {len(known.vector) for known in collection.objects.values() if known.vector}
    if vector and lengths - {len(vector)}:
        raise ValueError(f"new node has a vector with length {len(vector)}, existing nodes have {lengths}")
    collection.objects[sent.uuid] = StoredObject(sent.uuid, properties, vector, sent.tenant)


def _properties(sent: batch_pb2.BatchObject.Properties) -> Iterator[tuple[str, Any]]:
    yield from MessageToDict(sent.non_ref_properties).items()
    for array in (*sent.text_array_properties, *sent.int_array_properties, *sent.boolean_array_properties):
        yield array.prop_name, list(array.values)


def _vector(sent: batch_pb2.BatchObject) -> list[float] | None:
    packed = sent.vector_bytes or next((v.vector_bytes for v in sent.vectors if v.name == VECTOR), b"")
    return list(struct.unpack(f"<{len(packed) // 4}f", packed)) if packed else None


def _ids(filters: base_pb2.Filters) -> set[str]:
    if filters.target.property != "_id" or filters.operator != base_pb2.Filters.OPERATOR_CONTAINS_ANY:
        raise NotImplementedError("only ids are deleted by this server")
    return set(filters.value_text_array.values)
