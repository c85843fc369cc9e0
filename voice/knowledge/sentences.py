"""A text in sentences."""

from __future__ import annotations

import re
from typing import Final

# After the end of a sentence, and after full-width ones, which no space follows; or at a line's end.
_BORDER: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, in order."""
    return [sentence for part in _BORDER.split(text) if (sentence := part.strip())]
