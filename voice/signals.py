"""When a user changes, their sessions ask at once whether they may go on; see :mod:`voice.standing`.

A courtesy that makes it fast. What Django does not signal (``update()``, another program's SQL) is found by asking.
And with an account goes what its owner said, which nobody could find afterwards; see :mod:`voice.retention`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from voice import broadcast, retention, standing
from voice.conf import enabled


def connect() -> None:
    """Listen to what changes users, their groups and their permissions. Called once, when the apps are ready."""
    model = get_user_model()
    post_save.connect(_user_saved, sender=model, dispatch_uid="voice.user_saved")
    pre_delete.connect(_user_goes, sender=model, dispatch_uid="voice.user_goes")
    post_delete.connect(_user_deleted, sender=model, dispatch_uid="voice.user_deleted")
    for relation in ("groups", "user_permissions"):
        if through := getattr(getattr(model, relation, None), "through", None):  # a site's own model may have none
            m2m_changed.connect(_user_related, sender=through, dispatch_uid=f"voice.{relation}_changed")
    post_delete.connect(_group_deleted, sender=Group, dispatch_uid="voice.group_deleted")


def _user_saved(instance: Any, created: bool, using: str, update_fields: Iterable[str] | None = None, **_: Any) -> None:
    if not created and list(update_fields or ()) != ["last_login"]:  # which each login writes
        _ask_again(str(instance.pk), using)


def _user_goes(instance: Any, **_: Any) -> None:
    retention.erase(instance.pk)


def _user_deleted(instance: Any, using: str, **_: Any) -> None:
    _ask_again(str(instance.pk), using)


def _user_related(
    instance: Any, action: str, reverse: bool, pk_set: Iterable[Any] | None, using: str, **_: Any
) -> None:
    if action not in {"post_add", "post_remove", "post_clear"}:
        return
    users = list(pk_set or ()) if reverse else [instance.pk]
    # A message for each member of a large group would hold up whoever changes it.
    _ask_again(str(users[0]) if len(users) == 1 else None, using)


def _group_deleted(using: str, **_: Any) -> None:
    _ask_again(None, using)


def _ask_again(user_id: str | None, using: str) -> None:
    """Tell every process, this one included, to ask about this user; ``None``: about everybody."""
    if enabled():
        message = {"type": standing.MESSAGE} | ({} if user_id is None else {"user": user_id})
        # Once it is committed: who asks earlier reads what was.
        transaction.on_commit(lambda: broadcast.announce(message), using=using, robust=True)
