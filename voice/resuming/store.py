"""The port to where conversations wait for visitors who may come back.

A conversation is kept by the session that holds it, under that session's id, and renewed while it goes on. From the
last time on it is kept for :data:`KEPT_SECONDS`, and then it is gone. Whoever brings the right token takes it away, in
one atomic step; from then on its old session keeps nothing any more, whatever it still believes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

KEPT_SECONDS = 60.0
"""How long a conversation waits for its visitor."""
CLOSED_SECONDS = 3600.0
"""How long it is remembered that a session keeps nothing any more: longer than any session lives."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose conversation it is."""

    user_id: str
    """The user's primary key as text."""
    origin: str = ""
    """The page's; empty for a program that names none."""
    browser: str = field(repr=False, default="")
    """A digest of the Django session that the page has; empty where there was none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation that waits."""

    holder: Holder
    digest: str = field(repr=False)
    """Of the token that is good for it."""
    text: str = field(repr=False)
    """The conversation itself; what is in it is nobody's business here."""


class ResumeStore(ABC):
    """Every method may raise :class:`~voice.admission.store.StoreUnavailable`, within two seconds; nothing else."""

    @abstractmethod
    async def keep(self, session_id: str, kept: Kept) -> bool:
        """Keep the conversation as it is now; ``False`` once its session may keep nothing any more.

        The first token and holder stand; from the second time on only the text is new.
        """

    @abstractmethod
    async def take(self, session_id: str, holder: Holder, digest: str) -> Kept | None:
        """Take the conversation away, if this is its token, its user and its origin; else nothing happens."""

    @abstractmethod
    async def give_back(self, session_id: str, kept: Kept) -> None:
        """Undo :meth:`take`: its token is good once more, for :data:`KEPT_SECONDS`."""

    @abstractmethod
    async def reissue(self, session_id: str, holder: Holder, digest: str) -> bool:
        """Have another token be the one that is good, if all of the ``holder`` is right; whether it was.

        It waits no longer for that. A holder without a ``browser`` never is right.
        """

    @abstractmethod
    async def forget(self, session_id: str, user_id: str) -> None:
        """The conversation is over: nothing of it is kept, now or later."""

    @abstractmethod
    async def forget_user(self, user_id: str) -> int:
        """The same for all conversations of a user; how many there were."""

    async def close(self) -> None:
        """Give up the connections of this process and event loop, if there are any."""


class NothingKept(ResumeStore):
    """Where no conversation waits for anybody."""

    async def keep(self, session_id: str, kept: Kept) -> bool:
        """Nothing is."""
        return False

    async def take(self, session_id: str, holder: Holder, digest: str) -> Kept | None:
        """There is none."""
        return None

    async def give_back(self, session_id: str, kept: Kept) -> None:
        """Nothing was taken."""
        return

    async def reissue(self, session_id: str, holder: Holder, digest: str) -> bool:
        """There is none."""
        return False

    async def forget(self, session_id: str, user_id: str) -> None:
        """Nothing is remembered."""
        return

    async def forget_user(self, user_id: str) -> int:
        """There are none."""
        return 0
