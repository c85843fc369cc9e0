"""The decisions, as Redis runs them: each whole, while nothing else happens there."""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent


def source(name: str) -> str:
    """The text of ``name``.lua."""
    return (_FOLDER / f"{name}.lua").read_text()


CLOCK = source("clock")


class Script:
    """One script, and the name under which Redis remembers it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Scripts:
    """All of them, reading the time from ``clock``, a Lua function of that name."""

    def __init__(self, clock: str = CLOCK) -> None:
        places = clock + source("places")
        self.acquire, self.peek, self.renew = (Script(places + source(name)) for name in ("acquire", "peek", "renew"))
        self.release, self.seed = (Script(places + source(name)) for name in ("release", "seed"))
        self.spend = Script(clock + source("spend"))
