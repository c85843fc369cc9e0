"""What must happen so that a collection holds what the rows say: no more, no less, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from .pieces import Piece


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of ours, as the collection holds it."""

    id: UUID
    tenant: str
    document: str
    hash: str


@dataclass(frozen=True, slots=True)
class Plan:
    """To be carried out in this order, so that at no moment less is found than before."""

    create: tuple[Piece, ...]
    replace: tuple[Piece, ...]
    delete: tuple[Stored, ...]
    unchanged: tuple[Piece, ...]

    @property
    def send(self) -> tuple[Piece, ...]:
        """What the server is given, new or changed."""
        return self.create + self.replace

    @property
    def documents(self) -> frozenset[str]:
        """The documents that are not in the collection as they should be."""
        return frozenset(self.changes)

    @property
    def changes(self) -> tuple[str, ...]:
        """The document of each change."""
        return tuple([piece.document for piece in self.send] + [known.document for known in self.delete])


def plan(pieces: Iterable[Piece], stored: Iterable[Stored], *, everything: bool = False) -> Plan:
    """Send what is new or differs (with ``everything``, all of it) and delete what is in no document any more.

    An object is known by its id within its tenant: a text that moves to another tenant leaves the first one.
    """
    there = {(known.tenant, known.id): known for known in stored}
    create: list[Piece] = []
    replace: list[Piece] = []
    unchanged: list[Piece] = []
    for piece in pieces:
        known = there.pop((piece.tenant, piece.id), None)
        if known is None:
            create.append(piece)
        elif everything or known.hash != piece.hash:
            replace.append(piece)
        else:
            unchanged.append(piece)
    return Plan(tuple(create), tuple(replace), tuple(there.values()), tuple(unchanged))
