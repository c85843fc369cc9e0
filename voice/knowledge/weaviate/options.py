"""Where Weaviate is, and what the site's texts are called there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class WeaviateOptions:
    """An existing collection serves as it is: its name and its properties' names are said here."""

    url: str = ""
    """``http(s)://host[:port]``, or the address of a cluster of Weaviate Cloud. Empty: there is none."""
    grpc_host: str = ""
    """Where searches go. By default the host of ``url``."""
    grpc_port: int = 0
    """By default 50051, with https 443."""
    api_key: str = field(repr=False, default="")
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    """Sent with each request, such as a vectoriser's own key: ``{"X-OpenAI-Api-Key": …}``."""
    collection: str = "VoiceKnowledge"
    search: Literal["hybrid", "near_text", "bm25"] = "hybrid"
    """By meaning and words, by meaning, or by words."""
    alpha: float = 0.7
    """Of a hybrid search: 1 counts the meaning alone, 0 the words alone."""
    title_property: str = "title"
    text_property: str = "text"
    url_property: str = "url"
    """Empty: the collection has none; the sources are then shown without a link."""
    language_property: str = "language"
    """Empty: the collection has none, and every text serves every visitor. A text in it serves visitors of its
    language; with the value :data:`EVERY_LANGUAGE` it serves everyone."""
    vectors: Literal["own", "server", "none"] | None = None
    """Who makes vectors of texts and questions: the embedded sentence encoder, a module of the server, or nobody
    (then ``search`` is by words). By default ``own`` where the encoder is installed, else ``none``."""
    vectoriser: str = "text2vec-openai"
    """The server's module, for a collection that ``voice_sync`` makes with ``server`` vectors."""
    connect_timeout: float = 2.0
    """Seconds to reach the server, also in ``voice_sync``."""
    query_timeout: float = 2.0
    """Seconds for one search. An answer does not wait that long: it bounds what a slow server holds."""

    @property
    def in_the_cloud(self) -> bool:
        """Whether it is a cluster of Weaviate Cloud, whose host for gRPC follows from the URL."""
        return (urlsplit(self.url).hostname or "").endswith(CLOUD) and not self.grpc_host

    def problems(self) -> list[str]:
        """A sentence for each thing that cannot be, with ``url`` given."""
        parts = urlsplit(self.url)
        found = []
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            found.append("The URL of Weaviate is not of the form http(s)://host[:port].")
        elif parts.path.strip("/") or parts.query or parts.username:
            found.append("The URL of Weaviate holds more than scheme, host and port.")
        if parts.scheme == "https" and not (self.grpc_host or self.grpc_port or self.in_the_cloud):
            found.append(
                "Beside an https URL, Weaviate's gRPC needs a host or a port of its own: set grpc_host or grpc_port."
            )
        if not _COLLECTION.fullmatch(self.collection):
            found.append("The name of a Weaviate collection is a capital letter, then letters, digits and underscores.")
        if not self.title_property or not self.text_property:
            found.append("The properties of a text's title and text must have names.")
        return found


CLOUD = (".weaviate.cloud", ".weaviate.network")
"""Domains whose clusters have a host of their own for gRPC, which the client derives from the cluster's."""

_COLLECTION = re.compile(r"[A-Z][A-Za-z0-9_]*")

EVERY_LANGUAGE = "*"
"""Instead of an empty language, which Weaviate cannot filter by."""
