"""Stored text, made safe to look at: what hides, reorders or controls text is written out.

HTML's markup is not the concern here: templates escape that.
"""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""Zero width, and yet part of how Persian and emoji are spelt: they join or part letters, and hide none."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")


def visible(text: str) -> str:
    """``text`` with control, bidi and other invisible characters as ``\\u202e``; line ends, too."""
    return text if text.isprintable() else "".join(map(_seen, text))


def cell(text: str) -> str:
    """``text`` for a cell of a spreadsheet: visible, and never a formula.

    What a spreadsheet would calculate gets an apostrophe in front, as the OWASP page on CSV injection advises.
    """
    seen = visible(text)
    return f"'{seen}" if _FORMULA.match(text) or _FORMULA.match(seen) else seen


def _seen(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
