"""Vectors side by side, compared in one product. Imported only where an encoder is installed: numpy is then there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Vectors:
    """The vectors of an unchanging set of texts, by their numbers.

    Each text has those of the whole, of its title, and of one sentence or more, in this order. At the size of a
    site's knowledge nothing is faster than comparing with all of them.
    """

    def __init__(self, vectors: Mapping[int, bytes], dimensions: int) -> None:
        self._keys = tuple(vectors)
        self._matrix = np.frombuffer(b"".join(vectors.values()), np.float32).reshape(-1, dimensions)
        ends = np.cumsum([len(part) // (4 * dimensions) for part in vectors.values()], dtype=np.intp)
        self._wholes = np.concatenate([np.zeros(1, np.intp), ends[:-1]])

    def closeness(self, vector: bytes) -> dict[int, float]:
        """How close in meaning each text is to ``vector``, -1 to 1: the mean of the cosines of the whole, of the
        title, and of the sentence that is closest.
        """
        cosines = self._matrix @ np.frombuffer(vector, np.float32)
        borders = np.stack([self._wholes, self._wholes + 2], axis=1).ravel()
        best_sentences = np.maximum.reduceat(cosines, borders)[1::2]
        closeness = (cosines[self._wholes] + cosines[self._wholes + 1] + best_sentences) / 3
        return dict(zip(self._keys, closeness.tolist(), strict=True))
