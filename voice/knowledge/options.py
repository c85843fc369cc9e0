"""Which knowledge base is searched, and how choosy it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnowledgeOptions:
    """How many passages go into a turn is no matter of the search: see ``ContextPolicy.passages``."""

    backend: str = "local"
    """``local``: the ``KnowledgeDocument`` rows of this site. ``none``: answers without knowledge."""
    min_score: float = 0.2
    """A passage whose meaning is further from the question (cosine, -1 to 1) does not fit, so that a question
    off the site's subjects finds nothing. On the demo's texts the best passage of 12 off-topic questions was at
    0.10 to 0.22, and 98 of 100 right ones above 0.21."""
    lexical_weight: float = 0.05
    """How much the same words count beside the same meaning: what the best word match gains."""
    min_overlap: float = 0.33
    """Without a sentence encoder: the share of the question's words that a passage must contain."""
