"""What the collection is like: how it is made, and what an existing one must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from voice.knowledge.weaviate.options import WeaviateOptions

from .pieces import AUDIENCE, DOCUMENT, HASH, TENANT

Vectors = Literal["own", "server", "none"]

VECTOR: Final = "default"
"""The name that Weaviate's clients give to the only vector of a collection."""
UNNAMED: Final = ""
"""The vector of a collection that was made before vectors had names."""


@dataclass(frozen=True, slots=True)
class Property:
    """Its data type and, for texts, how it is split into the words that filters compare."""

    kind: str
    tokenisation: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """A collection, as the server describes it."""

    properties: Mapping[str, Property]
    vectors: Mapping[str, str]
    """The modules that make vectors, by the vectors' names; ``none`` for those that clients bring along."""
    multi_tenant: bool = False

    @property
    def vector(self) -> str:
        """The name of the vector that we bring along."""
        return next((name for name, module in self.vectors.items() if module == "none"), VECTOR)


def definition(options: WeaviateOptions, vectors: Vectors, *, multi_tenant: bool) -> dict[str, Any]:
    """The collection that is made where there is none, as Weaviate's REST interface takes it."""
    described = options.title_property, options.text_property
    module = options.vectoriser if vectors == "server" else "none"
    # Without the list a module would read hashes and addresses, too.
    reads = {"properties": sorted(described), "vectorizeClassName": False} if vectors == "server" else {}
    return {
        "class": options.collection,
        "description": "Texts of a website. Made and filled by manage.py voice_sync.",
        "properties": [_words(name) for name in described] + list(_values(options)),
        "vectorConfig": {VECTOR: {"vectorizer": {module: reads}, "vectorIndexType": "hnsw"}},
        "multiTenancyConfig": {"enabled": multi_tenant},
        # Weaviate's own stop words are English, and some versions also leave them out of filters on whole values: no
        # text would be in Italian ("it") or in Norwegian ("no").
        "invertedIndexConfig": {"stopwords": {"preset": "none"}},
    }


def lacks(schema: Schema, options: WeaviateOptions, vectors: Vectors, *, multi_tenant: bool) -> list[str]:
    """What an existing collection must have and has not, in words: it is never altered. Empty if it serves."""
    wanted = {prop["name"]: prop for prop in definition(options, vectors, multi_tenant=False)["properties"]}
    missing = sorted(wanted.keys() - schema.properties.keys())
    found = [f"it has no property {', '.join(missing)}"] if missing else []
    found += _kinds(schema, sorted(wanted.keys() & schema.properties.keys()))
    found += [_split(name) for name in (options.language_property, TENANT, AUDIENCE) if _is_split(schema, name)]
    found += _no_vectors(schema, vectors)
    if multi_tenant and not schema.multi_tenant:
        found.append("it has no tenants, and some documents belong to one: others could find them")
    return found


def is_plain(schema: Schema, options: WeaviateOptions) -> bool:
    """Whether the collection has the properties that ours has and no others, so that making it anew loses nothing."""
    wanted = definition(options, "none", multi_tenant=False)["properties"]
    return schema.properties.keys() == {prop["name"] for prop in wanted} and schema.vectors.keys() == {VECTOR}


def is_foreign(schema: Schema) -> bool:
    """Whether nothing in the collection can be ours, and it cannot even be asked."""
    return not {DOCUMENT, HASH} <= schema.properties.keys()


def _words(name: str) -> dict[str, Any]:
    """A text that is searched."""
    return {
        "name": name,
        "dataType": ["text"],
        "tokenization": "word",
        "indexFilterable": False,
        "indexSearchable": True,
    }


def _values(options: WeaviateOptions) -> Iterator[dict[str, Any]]:
    """Texts that are compared as a whole, or only read."""
    for name in (options.url_property, options.language_property, DOCUMENT, HASH, TENANT, AUDIENCE):
        if name:
            yield {
                "name": name,
                "dataType": ["text"],
                "tokenization": "field",
                "indexFilterable": name != options.url_property,
                "indexSearchable": False,
            }


def _kinds(schema: Schema, names: list[str]) -> list[str]:
    kinds = {name: schema.properties[name].kind for name in names}
    return [f"its property {name} is of the type {kind} and not text" for name, kind in kinds.items() if kind != "text"]


def _is_split(schema: Schema, name: str) -> bool:
    found = schema.properties.get(name)
    return found is not None and found.kind == "text" and found.tokenisation != "field"


def _split(name: str) -> str:
    return f"its property {name} is compared word by word and not as a whole (tokenization: field)"


def _no_vectors(schema: Schema, vectors: Vectors) -> list[str]:
    modules = set(schema.vectors.values())
    if vectors == "own" and modules != {"none"}:
        return [f"its vectors are made by {', '.join(sorted(modules))}, and ours can only be in one without a module"]
    if vectors == "own" and len(schema.vectors) > 1:
        return [f"it has several vectors ({', '.join(sorted(schema.vectors))}), and a text has one"]
    if vectors == "server" and modules <= {"none"}:
        return ["no module of the server makes its vectors"]
    return []
