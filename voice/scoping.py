"""What one visitor may find in the knowledge: the site's own rule, ``VOICE["KNOWLEDGE"]["scope"]``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.module_loading import import_string

from voice import database
from voice.conf import conf
from voice.knowledge.base import EVERYONE, Filter, Scope

log = logging.getLogger("voice.scoping")

LIMIT = 2.0
"""Seconds that the rule may take: the visitor waits for it, once, before the conversation begins."""

Rule = Callable[[AbstractBaseUser], Mapping[str, Any]]


def rule() -> Rule | None:
    """The site's rule, if it has one.

    Raises:
        ImportError: there is nothing of that name.
        TypeError: it cannot be called.
    """
    path = conf().knowledge.scope
    if not path:
        return None
    found: Rule = import_string(path)
    if not callable(found):
        raise TypeError(f"{path} cannot be called")
    return found


async def scope_of(user: AbstractBaseUser) -> Scope | None:
    """What ``user`` may find; None if the rule failed, and nothing may be searched then."""
    try:
        asked = rule()
        return EVERYONE if asked is None else read(await database.call(asked, user, limit=LIMIT))
    except Exception:  # the site's code; what it would have hidden must not be found
        log.exception("the rule for what a visitor may find failed: their conversation goes on without knowledge")
        return None


def read(answer: object) -> Scope:
    """A rule's answer, ``{"tenant": str, "filters": {property: text, number, bool or texts}}``, each key optional.

    Raises:
        ValueError: it is not of that form.
    """
    if not isinstance(answer, Mapping) or not answer.keys() <= {"tenant", "filters"}:
        raise ValueError("a scope is a dict with the keys 'tenant' and 'filters', or one of them")
    tenant, filters = answer.get("tenant", ""), answer.get("filters", {})
    if not isinstance(tenant, str) or not isinstance(filters, Mapping):
        raise ValueError("a scope's tenant is a string, and its filters are a dict")
    return Scope(tenant, {str(name): _filter(value) for name, value in filters.items()})


def _filter(value: object) -> Filter:
    if isinstance(value, list | tuple | set | frozenset):
        texts = tuple(value)
        if all(isinstance(text, str) for text in texts):
            return texts
    elif isinstance(value, str | int | bool):
        return value
    raise ValueError("a filter is a text, a whole number, True or False, or several texts")
