"""Which knowledge base is searched, and how choosy it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voice.knowledge.weaviate.options import WeaviateOptions


@dataclass(frozen=True, slots=True)
class KnowledgeOptions:
    """How many passages go into a turn is no matter of the search: see ``ContextPolicy.passages``."""

    backend: Literal["local", "weaviate", "none"] | None = None
    """``local``: the ``KnowledgeDocument`` rows of this site. ``weaviate``: a collection there. ``none``: answers
    without knowledge. By default ``weaviate`` where it has a URL, else ``local``."""
    scope: str = ""
    """Dotted path of ``callable(user) -> {"tenant": str, "filters": {property: value}}``, called once for each
    session in a thread: what that visitor may find. If it raises, the session goes on without knowledge."""
    weaviate: WeaviateOptions = field(default_factory=WeaviateOptions)
    min_score: float = 0.2
    """A passage whose meaning is further from the question (cosine, -1 to 1) does not fit, so that a question
    off the site's subjects finds nothing. On the demo's texts the best passage of 12 off-topic questions was at
    0.10 to 0.22, and 98 of 100 right ones above 0.21."""
    lexical_weight: float = 0.05
    """How much the same words count beside the same meaning: what the best word match gains."""
    min_overlap: float = 0.33
    """Without a sentence encoder: the share of the question's words that a passage must contain."""
