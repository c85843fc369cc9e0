"""The vectors of one document."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from voice.knowledge.encoder import Encoder
from voice.knowledge.local.shelf import Document
from voice.knowledge.sentences import sentences

SENTENCES: Final = 32
"""Of a longer text only the first sentences have vectors: it is better cut into several documents."""


def vectors_of(document: Document, encoder: Encoder) -> Document:
    """``document`` with its vectors: of its text, of its title, then of one sentence or more."""
    # The title tells what a sentence is about, which its own words often leave out.
    parts = [f"{document.title}. {sentence}" for sentence in sentences(document.body)[:SENTENCES]]
    vectors = encoder.encode([document.text, document.title, *(parts or [document.title])])
    return replace(document, vectors=b"".join(vectors))
