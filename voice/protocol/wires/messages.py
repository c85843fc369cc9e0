"""What clients say besides audio and what the core has events for, whatever wire they say it by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voice.protocol import events as e

Mode = Literal["vad", "push_to_talk"]


@dataclass(frozen=True, slots=True)
class Page:
    """The page that the visitor looks at. Untrusted data, like any passage."""

    url: str = ""
    title: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Start:
    """How this conversation is to be. Without it, these defaults hold."""

    language: str = ""
    """Language tag; empty for the site's default."""
    mode: Mode = "vad"
    page: Page = Page()
    notice: str = ""
    """Version of the consent notice that the visitor was shown."""
    resume: str = field(default="", repr=False)
    """The token of the conversation to go on with; empty: a new one."""
    voice: str = ""
    """The voice that answers are spoken with, one of the site's list; empty for the site's own."""
    waiting: bool = False
    """The visitor is still being asked for their microphone."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Push-to-talk: the visitor let go. How much audio there was is the session's to know."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Push-to-talk: forget what was said since the last commit."""


@dataclass(frozen=True, slots=True)
class RefreshAuth:
    """A new token of the same user."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """Goodbye."""


ClientMessage = Start | Commit | Discard | RefreshAuth | End | e.TextSubmitted | e.Heard | e.Interrupt | e.Muted
