"""What a visitor may find is the site's to say, and nothing is found where it cannot be known."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from voice.knowledge.base import EVERYONE, KnowledgeError, Scope
from voice.knowledge.local.scope import keeper
from voice.knowledge.local.shelf import Document
from voice.scoping import read, scope_of

VISITOR = User(username="ada")


def by_name(user: User) -> dict[str, Any]:
    """A rule as a site may have it."""
    return {"tenant": f"of-{user.username}", "filters": {"audience": ["everyone", "members"]}}


def broken(user: User) -> dict[str, Any]:
    """One that fails."""
    raise LookupError("no such group")


def odd(user: User) -> list[str]:
    """One that answers nonsense."""
    return ["members"]


def rule(name: str) -> override_settings:
    return override_settings(VOICE={"KNOWLEDGE": {"scope": f"{__name__}.{name}"}})


async def test_without_a_rule_everybody_may_find_the_same() -> None:
    assert await scope_of(VISITOR) == EVERYONE


async def test_the_rule_is_asked_for_this_visitor() -> None:
    with rule("by_name"):
        assert await scope_of(VISITOR) == Scope("of-ada", {"audience": ("everyone", "members")})


@pytest.mark.parametrize("name", ["broken", "odd", "not_there"])
async def test_a_rule_that_fails_lets_nothing_be_found(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """And says so."""
    with rule(name), caplog.at_level(logging.ERROR, "voice.scoping"):
        assert await scope_of(VISITOR) is None
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "answer",
    [None, "members", {"tenants": "a"}, {"tenant": 7}, {"filters": ["audience"]}, {"filters": {"audience": 1.5}},
     {"filters": {"audience": ["a", 1]}}, {"filters": {"audience": None}}],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused(answer: object) -> None:
    with pytest.raises(ValueError, match=r"a scope|a filter"):
        read(answer)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({}, {1, 2, 3}),
        ({"audience": "members"}, {2}),
        ({"audience": ("", "members")}, {1, 2, 3}),
        ({"audience": "", "language": "fr"}, {3}),
        ({"audience": "staff"}, set()),
        ({"audience": ()}, set()),
    ],
)
def test_filters_keep_what_has_all_the_values(filters: dict[str, Any], kept: set[int]) -> None:
    documents = [
        Document(1, 1, "", "", language="en"),
        Document(2, 1, "", "", language="en", audience="members"),
        Document(3, 1, "", "", language="fr"),
    ]
    assert {document.pk for document in documents if keeper(filters)(document)} == kept


def test_a_filter_that_cannot_be_applied_is_not_left_out() -> None:
    with pytest.raises(KnowledgeError, match="no property department"):
        keeper({"department": "sales"})
