"""Where conversations wait, by what the site has; and what cannot be read begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from tests.clock import in_virtual_time
from tests.unit.stage import AN_INSTANT, Stage
from voice import finishing, resumption
from voice.protocol import events as e
from voice.protocol.history import HistoryBuilder, Item
from voice.protocol.outcomes import EndReason
from voice.resuming.keeping import SIGN_OF_LIFE_SECONDS
from voice.resuming.memory import MemoryResumeStore
from voice.resuming.redis.store import RedisResumeStore
from voice.resuming.state import State
from voice.resuming.store import Holder, Kept, NothingKept
from voice.resuming.tokens import ResumeToken

REDIS, KEY = "redis://redis.example:6379/0", "A" * 43 + "="
ANN = Holder("1")
A_SECOND = 1.0
"""Of a conversation is lost with a killed process, and no more."""


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


# -- a live session ------------------------------------------------------------------------------------------------


class Written(MemoryResumeStore):
    """The real one, which remembers what it was given, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[tuple[float, State]] = []

    async def keep(self, session_id: str, kept: Kept) -> bool:
        self.states.append((asyncio.get_running_loop().time(), State.from_json(kept.text)))
        return await super().keep(session_id, kept)

    @property
    def said(self) -> list[Item]:
        """What somebody who comes back would be shown."""
        return list(self.states[-1][1].history)


@asynccontextmanager
async def live(stage: Stage, store: Written) -> AsyncIterator[resumption.Beginning]:
    """A session that is kept, as its socket does it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resumption, "store", lambda: store)
        async with resumption.resumed("", "b" * 32, ANN, kept=True) as beginning, stage.running():
            keeping = asyncio.create_task(beginning.keep(stage.session))
            yield beginning
            keeping.cancel()
            await asyncio.wait({keeping})
    assert await finishing.settled(1)


@in_virtual_time
async def test_what_was_said_is_kept_within_a_second():
    stage, store = Stage(), Written()
    async with live(stage, store):
        for n, question in enumerate(["When do you open?", "And on Sundays?"], start=1):
            asked = stage.now
            await stage.ask(question)
            await asyncio.sleep(asked + A_SECOND + AN_INSTANT - stage.now)
            assert store.said[-1] == Item("user", question)
            assert store.states[-1][1].turns == n
            stage.upstream.say(
                e.ResponseStarted(f"r{n}", f"req_{n}"),
                e.AnswerDelta(f"r{n}", f"a{n}", "At ten, every day."),
                e.ResponseDone(f"r{n}", "completed", usage=None, request_id=f"req_{n}"),
            )
            await asyncio.sleep(A_SECOND + AN_INSTANT)  # it looks in the same instant in which a second is over
            assert store.said[-1] == Item("assistant", "At ten, every day.")


@in_virtual_time
async def test_while_nothing_is_said_nothing_is_put_together_and_only_signs_of_life_are_written(monkeypatch):
    stage, store, made = Stage(), Written(), []
    for kind, name in ((HistoryBuilder, "history"), (State, "to_json")):
        make = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda self, *args, make=make: made.append(make) or make(self, *args))
    async with live(stage, store):
        await stage.answer(1_000)
        await asyncio.sleep(5)  # the answer has been heard, and that is kept
        told = len(store.states)
        assert made
        made.clear()
        await asyncio.sleep(6 * SIGN_OF_LIFE_SECONDS)
        assert made == []
        assert len(store.states) - told == 6
        assert len({state for _, state in store.states[told - 1 :]}) == 1


@in_virtual_time
async def test_of_an_answer_that_sounds_at_the_end_what_was_heard_until_then_is_kept():
    stage, store = Stage(), Written()
    words = [str(n) for n in range(10)]
    async with live(stage, store) as beginning:
        request_id = await stage.ask()
        stage.upstream.say(
            e.ResponseStarted("r", request_id),
            e.AnswerDelta("r", "a", " ".join(words)),
            e.AudioDelta("r", "a", bytes(48 * 10_000)),
        )
        await asyncio.sleep(5.5)
        stage.session.end(EndReason.CLIENT_AWAY)
        await asyncio.sleep(0.5)
        await beginning.finish(EndReason.CLIENT_AWAY, stage.session)
    assert store.said[-1].cut
    assert store.said[-1].text.split(" ") == words[:5]
