"""Questions that lean on the one before: "And on Sundays?", "Et le dimanche ?"."""

from __future__ import annotations

from .words import stems, words

_OPENERS = (
    "and", "or", "but", "what about", "how about", "same for", "also", "even",
    "et", "ou bien", "mais", "qu en est il", "pareil pour", "meme", "aussi",
)  # fmt: skip
#: Longer questions speak for themselves, whatever they begin with.
_LONGEST = 9
#: A question of so few words, and about one thing only, is a remainder of the one before.
_SHORTEST = 4


def is_follow_up(question: str) -> bool:
    """Whether ``question`` is likely to mean what the previous one was about."""
    found = words(question)
    opened = any(f"{' '.join(found)} ".startswith(f"{opener} ") for opener in _OPENERS)
    remainder = len(found) <= _SHORTEST and len(stems(question)) <= 1
    return bool(found) and len(found) <= _LONGEST and (opened or remainder)
