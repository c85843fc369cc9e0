"""Written text made speakable: links are not spelled out, signs are said as words."""

from __future__ import annotations

import re
from typing import Final

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>()]*[^\s<>().,;:!?]")
_MARKS = re.compile(r"[*_`#|~^\\]+")
_MONEY_FIRST = re.compile(r"([€$£])\s?(\d+(?:[.,]\d+)*)")

_LINK_SAID: Final = {"en": "the link shown", "fr": "le lien affiché"}
_SAID: Final = {
    "en": {
        "€": " euros", "$": " dollars", "£": " pounds", "%": " percent", "°C": " degrees Celsius", "°": " degrees",
        "&": " and ", "+": " plus ", "=": " equals ", "@": " at ",
        "→": ", ", "·": ", ", "•": ", ", "…": ".",
    },
    "fr": {
        "€": " euros", "$": " dollars", "£": " livres", "%": " pour cent", "°C": " degrés", "°": " degrés",
        "&": " et ", "+": " plus ", "=": " égale ", "@": " arobase ",
        "→": ", ", "·": ", ", "•": ", ", "…": ".",
    },
}  # fmt: skip


def spoken(text: str, language: str) -> str:
    """``text`` as a voice of ``language`` should get it; other languages than these two get the English words."""
    said = _SAID.get(language, _SAID["en"])
    text = _LINK.sub(_LINK_SAID.get(language, _LINK_SAID["en"]), text)
    text = _MONEY_FIRST.sub(r"\2 \1", _MARKS.sub(" ", text))
    for sign, words in said.items():
        text = text.replace(sign, words)
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))
