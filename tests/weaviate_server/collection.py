"""What the server stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class StoredObject:
    """One text, as a client sent it."""

    uuid: str
    properties: dict[str, Any]
    vector: list[float] | None = None
    tenant: str = ""


@dataclass
class Collection:
    """A schema and the objects in it, by their ids."""

    name: str
    properties: dict[str, str]
    """Data types by the properties' names, such as ``text`` and ``text[]``."""
    vectorizer: str = "none"
    multi_tenant: bool = False
    objects: dict[str, StoredObject] = field(default_factory=dict)
    tenants: set[str] = field(default_factory=set)
