"""What another process needs to go on with a conversation. Pure: a value, and its JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from voice.protocol.history import NOTHING_SAID, History

VERSION = 2
"""Of the JSON. In a deploy the old and the new code find each other's for a minute; what cannot be read is lost."""


@dataclass(frozen=True, slots=True)
class State:
    """A conversation as it stands."""

    conversation_id: str
    """The session that it began with."""
    began_at: float
    """When that was, in seconds since 1970. From then on its time runs, whoever is connected."""
    turns: int = 0
    """The number of its last turn."""
    spent: Decimal = Decimal(0)
    """What it has cost, as far as that is known."""
    history: History = NOTHING_SAID

    def to_json(self) -> str:
        """One line. It holds what was said."""
        return json.dumps(
            {
                "version": VERSION,
                "conversation": self.conversation_id,
                "began_at": self.began_at,
                "turns": self.turns,
                "spent": str(self.spent),
                "history": self.history.dump(),
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> State:
        """What :meth:`to_json` wrote.

        Raises:
            ValueError: It is something else, or of another version.
        """
        said: Any = json.loads(text)
        match said:
            case {
                "version": 2,
                "conversation": str(conversation_id),
                "began_at": float(began_at),
                "turns": int(turns),
                "spent": str(spent),
                "history": history,
            }:
                return cls(conversation_id, began_at, turns, _decimal(spent), History.load(history))
        raise ValueError("not a conversation of this version")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None
