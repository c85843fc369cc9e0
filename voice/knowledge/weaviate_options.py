"""Where Weaviate is, and what the site's texts are called there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


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


EVERY_LANGUAGE = "*"
"""Instead of an empty language, which Weaviate cannot filter by."""
