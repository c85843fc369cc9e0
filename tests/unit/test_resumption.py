"""Where conversations wait, by what the site has; and what cannot be read begins anew."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from voice import resumption
from voice.resuming.memory import MemoryResumeStore
from voice.resuming.redis.store import RedisResumeStore
from voice.resuming.store import Holder, Kept, NothingKept
from voice.resuming.tokens import ResumeToken

REDIS, KEY = "redis://redis.example:6379/0", "A" * 43 + "="
ANN = Holder("1")


@pytest.fixture(autouse=True)
def fresh() -> Any:
    resumption.store.cache_clear()
    yield
    resumption.store.cache_clear()


@pytest.mark.parametrize(
    ("voice", "kind"),
    [
        ({}, MemoryResumeStore),
        ({"REDIS_URL": REDIS, "RESUME_KEYS": [KEY]}, RedisResumeStore),
        ({"REDIS_URL": REDIS}, NothingKept),
        ({"REDIS_URL": REDIS, "RESUME_KEYS": [KEY], "RESUME": False}, NothingKept),
        ({"RESUME": False}, NothingKept),
    ],
    ids=["alone", "redis and a key", "redis without a key", "redis, not wanted", "alone, not wanted"],
)
def test_where_conversations_wait(settings: Any, voice: dict[str, Any], kind: type) -> None:
    settings.VOICE = voice
    assert type(resumption.store()) is kind


async def test_what_another_version_has_kept_begins_anew(settings: Any) -> None:
    settings.VOICE = {}
    token = ResumeToken.new("a" * 32)
    await resumption.store().keep(token.session_id, Kept(ANN, token.digest, '{"version": 99}'))
    async with resumption.resumed(token.text, "b" * 32, ANN, kept=True) as beginning:
        assert (beginning.resumed_from, beginning.state.conversation_id) == ("", "b" * 32)
        assert beginning.past(600).notices == ("not_resumed",)


async def test_a_client_that_cannot_come_back_is_told_no_token(settings: Any) -> None:
    settings.VOICE = {}
    for kept in (True, False):
        async with resumption.resumed("", "b" * 32, ANN, kept=kept) as beginning:
            assert bool(beginning.past(600).token) is kept


@pytest.mark.django_db
def test_a_pages_django_session_is_known_by_a_digest_alone() -> None:
    request = RequestFactory().post("/v1/voice/ticket")
    request.session = SessionStore()
    assert resumption.browser(request) == ""
    request.session.create()
    key = request.session.session_key
    assert key
    digest = resumption.browser(request)
    assert digest
    assert key not in digest
