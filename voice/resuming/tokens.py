"""The token that goes on with a conversation: which session's, and a secret that is good once."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

_FORM = re.compile(r"([0-9a-f]{32})\.([\w-]{43})", re.ASCII)
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """``session_id`` is no secret: the page and the records know it."""

    session_id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls, session_id: str) -> ResumeToken:
        """A token for the conversation of this session."""
        return cls(session_id, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> ResumeToken | None:
        """The token that was written so; ``None`` if none is."""
        match = _FORM.fullmatch(text)
        return cls(*match.groups()) if match else None

    @property
    def text(self) -> str:
        """As the client brings it back."""
        return f"{self.session_id}.{self.secret}"

    @property
    def digest(self) -> str:
        """What is stored in its place. 256 random bits need neither salt nor a slow hash."""
        return hashlib.sha256(self.text.encode()).hexdigest()
