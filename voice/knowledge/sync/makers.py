"""Who makes the vectors of what is sent."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from voice.knowledge.base import KnowledgeError
from voice.knowledge.encoder import PACKAGE, Encoder, sentence_encoder
from voice.knowledge.weaviate.options import WeaviateOptions

from .pieces import Piece
from .schema import Vectors

Vector = list[float]


@dataclass(frozen=True, slots=True)
class Maker:
    """``encoder`` makes them here, a module there, or nobody."""

    vectors: Vectors
    encoder: Encoder | None
    name: str
    """Whose vectors can be compared with whose; stored in each object's hash."""

    def make(self, pieces: Sequence[Piece]) -> list[Vector] | list[None]:
        """A vector for each piece, or None where they are not made here."""
        if self.encoder is None:
            return [None] * len(pieces)
        made = self.encoder.encode([piece.meaning for piece in pieces])
        return [array("f", vector).tolist() for vector in made]


def maker(options: WeaviateOptions) -> Maker:
    """The one that ``options`` name.

    Raises:
        KnowledgeError: it is the encoder, and there is none. One that is installed and does not start counts as well:
            the whole collection would lose its vectors over a passing fault.
    """
    if options.vectors == "server":
        return Maker("server", None, options.vectoriser)
    if options.vectors == "none":
        return Maker("none", None, "")
    encoder = sentence_encoder()
    if encoder is not None:
        return Maker("own", encoder, encoder.name)
    if options.vectors == "own" or find_spec(PACKAGE) is not None:
        raise KnowledgeError("The sentence encoder, which makes the vectors, is not installed or does not start.")
    return Maker("none", None, "")
