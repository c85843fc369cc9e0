"""Who is among the first: a share of the users, or of one group's, that stays the same people."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

BUCKETS = 10_000


def bucket(user_id: str) -> int:
    """The user's place among 10,000: the same in every process and for ever, and unlike that of other features."""
    digest = hashlib.blake2b(f"voice:{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % BUCKETS


@dataclass(frozen=True, slots=True)
class Rollout:
    """``percent`` of the members of ``group``. Raising the percentage removes nobody."""

    percent: int = 100
    group: Any = None
    """Primary key of a ``django.contrib.auth`` group; ``None``: all users."""
    staff: bool = False
    """Whether staff are let in anyway."""

    def includes(self, user: AbstractBaseUser) -> bool:
        """Whether ``user`` is among them. Asks the database if the group decides it."""
        if self.staff and getattr(user, "is_staff", False):
            return True
        if bucket(str(user.pk)) >= self.percent * BUCKETS // 100:
            return False
        return self.group is None or _is_member(user, self.group)


def _is_member(user: AbstractBaseUser, group: Any) -> bool:
    groups = getattr(user, "groups", None)  # a site's own user model may have none
    return groups is not None and bool(groups.filter(pk=group).exists())
