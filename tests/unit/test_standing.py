"""Who is talking is asked about again and again, many at a time, and at once when somebody says so."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, Permission, User
from django.db import OperationalError, transaction

from tests.clock import in_virtual_time
from voice import broadcast, standing
from voice.protocol.outcomes import EndReason


def user(pk: int = 1) -> Any:
    return SimpleNamespace(pk=pk, get_session_auth_hash=lambda: "fingerprint")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, list[int]]]:
    """When the database was asked, and about whom. All may go on, but 13 from second 1,101 on."""
    questions: list[tuple[float, list[int]]] = []

    async def call(function: Any, talkers: Any, *, limit: float) -> list[EndReason | None]:
        assert limit <= 2
        now = asyncio.get_running_loop().time()
        questions.append((now, sorted(each.user_id for each in talkers)))
        return [EndReason.REVOKED if each.user_id == 13 and now >= 1_101 else None for each in talkers]

    monkeypatch.setattr(standing.database, "call", call)
    return questions


@asynccontextmanager
async def talking(*users: Any) -> AsyncIterator[list[asyncio.Task[EndReason]]]:
    """A session of each, in a process that asks about them; nothing is left of either."""
    tasks = [asyncio.create_task(work) for work in (standing.run(), *map(standing.lost, users))]
    try:
        yield tasks[1:]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert standing._registers == {}


@in_virtual_time
async def test_everybody_is_asked_about_every_20_seconds_many_at_a_time(asked: list[tuple[float, list[int]]]):
    async with talking(*(user(pk) for pk in range(100, 220))):
        await asyncio.sleep(45)
    assert [(at, len(about)) for at, about in asked] == [(at, n) for at in (1_020, 1_040) for n in (50, 50, 20)]
    assert Counter(pk for _, about in asked for pk in about) == dict.fromkeys(range(100, 220), 2)


@in_virtual_time
async def test_whoever_may_talk_no_more_is_found_by_then(asked: list[tuple[float, list[int]]]):
    async with talking(user(12), user(13), user(13)) as [twelve, *thirteen]:
        assert await asyncio.gather(*thirteen) == [EndReason.REVOKED] * 2
        assert asyncio.get_running_loop().time() == pytest.approx(1_120)
        await asyncio.sleep(30)
        assert not twelve.done()
    assert asked[-1] == (pytest.approx(1_140), [12])


@in_virtual_time
async def test_a_poke_has_that_user_asked_about_at_once_and_nobody_else(asked: list[tuple[float, list[int]]]):
    async with talking(user(12), user(13)) as [twelve, thirteen]:
        await asyncio.sleep(105)
        before = len(asked)
        standing.hear({"type": "voice.standing", "user": "nobody here"})
        standing.hear({"type": "voice.standing", "user": "12"})
        await asyncio.sleep(1)
        assert asked[before:] == [(1_105, [12])]
        asyncio.get_running_loop().call_later(4, standing.poke, "13")
        assert await thirteen is EndReason.REVOKED
        assert asked[before + 1 :] == [(1_110, [13])]
        assert not twelve.done()


@in_virtual_time
async def test_pokes_put_off_no_question_about_everybody(asked: list[tuple[float, list[int]]]):
    async with talking(user(11), user(12)):
        for _ in range(50):
            standing.poke("12")
            await asyncio.sleep(1)
    assert [at for at, about in asked if 11 in about] == [pytest.approx(1_020), pytest.approx(1_040)]


@in_virtual_time
async def test_nor_do_pokes_that_come_while_it_asks(monkeypatch: pytest.MonkeyPatch):
    about_11 = []

    async def call(function: Any, talkers: Any, *, limit: float) -> list[None]:
        if any(each.user_id == 11 for each in talkers):
            about_11.append(round(asyncio.get_running_loop().time()))
        standing.poke("12")
        await asyncio.sleep(1)
        return [None for _ in talkers]

    monkeypatch.setattr(standing.database, "call", call)
    async with talking(user(11), user(12)):
        standing.poke("12")
        await asyncio.sleep(50)
    assert about_11 == [1_020, 1_040]


@in_virtual_time
async def test_everybody_may_be_asked_about_at_once(asked: list[tuple[float, list[int]]]):
    async with talking(*(user(pk) for pk in range(100, 220))):
        await asyncio.sleep(10)
        standing.hear({"type": "voice.standing"})
        await asyncio.sleep(1)
    assert sorted(pk for at, about in asked for pk in about if at == 1_010) == [*range(100, 220)]


@pytest.mark.parametrize("fault", [TimeoutError(), OperationalError("down"), ZeroDivisionError("of the site's model")])
@in_virtual_time
async def test_a_database_that_does_not_answer_ends_nothing(monkeypatch: pytest.MonkeyPatch, fault: Exception):
    answers: list[Any] = [fault] * 10

    async def call(*_: Any, **__: Any) -> list[EndReason]:
        if answers:
            raise answers.pop()
        return [EndReason.REVOKED]

    monkeypatch.setattr(standing.database, "call", call)
    async with talking(user()) as [one]:
        assert await one is EndReason.REVOKED
    assert asyncio.get_running_loop().time() == pytest.approx(1_220)


async def test_a_poke_may_come_from_any_thread(monkeypatch: pytest.MonkeyPatch):
    async def call(*_: Any, **__: Any) -> list[EndReason]:
        return [EndReason.NOT_IN_ROLLOUT]

    monkeypatch.setattr(standing.database, "call", call)
    async with talking(user()) as [one]:
        await asyncio.sleep(0)
        threading.Thread(target=standing.poke, args=("1",)).start()
        async with asyncio.timeout(5):
            assert await one is EndReason.NOT_IN_ROLLOUT


@pytest.mark.parametrize(
    ("deleted", "reason"), [(True, EndReason.REVOKED), (False, EndReason.NOT_IN_ROLLOUT)], ids=["deleted", "there"]
)
async def test_who_is_deleted_between_two_questions_is_told_so(
    monkeypatch: pytest.MonkeyPatch, visitor: User, deleted: bool, reason: EndReason
):
    """They are in no group any more, which is asked second."""

    def decide(user: User) -> EndReason:
        if deleted:
            User.objects.filter(pk=user.pk).delete()
        return EndReason.NOT_IN_ROLLOUT

    async def call(function: Any, talkers: Any, *, limit: float) -> Any:
        return await sync_to_async(function)(talkers)

    monkeypatch.setattr(standing.gate, "flag", lambda: SimpleNamespace(decide=decide))
    monkeypatch.setattr(standing.database, "call", call)
    async with talking(visitor) as [one]:
        await asyncio.sleep(0)
        standing.poke(str(visitor.pk))
        async with asyncio.timeout(5):
            assert await one is reason


# -- what Django tells ----------------------------------------------------------------------------------------------


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch, voice_on: None, transactional_db: None) -> list[str | None]:
    """The users whom the processes were told to ask about; None: everybody."""
    users: list[str | None] = []

    def announce(message: dict[str, str]) -> None:
        assert message.pop("type") == "voice.standing"
        users.append(message.pop("user", None))
        assert message == {}

    monkeypatch.setattr(broadcast, "announce", announce)
    return users


@pytest.fixture
def visitor(transactional_db: None) -> User:
    return User.objects.create_user("visitor", password="visitor")


def test_a_new_user_is_nobody_to_ask_about(announced: list[str | None], visitor: User):
    assert announced == []


def test_who_is_deactivated_is_asked_about_once_it_is_committed(announced: list[str | None], visitor: User):
    with transaction.atomic():
        visitor.is_active = False
        visitor.save()
        assert announced == []
    assert announced == [str(visitor.pk)]


def test_what_was_rolled_back_did_not_happen(announced: list[str | None], visitor: User):
    with pytest.raises(RuntimeError), transaction.atomic():
        visitor.delete()
        raise RuntimeError
    assert announced == []


def test_who_gets_another_password_is_asked_about(announced: list[str | None], visitor: User):
    visitor.set_password("another")
    visitor.save(update_fields=["password"])
    assert announced == [str(visitor.pk)]


def test_who_is_deleted_is_asked_about(announced: list[str | None], visitor: User):
    pk = str(visitor.pk)
    visitor.delete()
    assert announced == [pk]


def test_a_login_costs_nothing(announced: list[str | None], visitor: User, client: Any):
    assert client.login(username="visitor", password="visitor")
    assert announced == []


def test_who_is_put_in_a_group_or_out_of_it_is_asked_about(announced: list[str | None], visitor: User):
    group = Group.objects.create(name="premium")
    pk = str(visitor.pk)
    visitor.groups.add(group)
    visitor.groups.remove(group)
    visitor.groups.clear()
    group.user_set.add(visitor)
    visitor.user_permissions.add(Permission.objects.first())
    assert announced == [pk] * 5


def test_where_many_are_concerned_everybody_is_asked_about(announced: list[str | None], visitor: User):
    group = Group.objects.create(name="premium")
    group.user_set.set([visitor, User.objects.create_user("another")])
    group.user_set.clear()
    group.delete()
    assert announced == [None] * 3


def test_switched_off_nobody_is_told(announced: list[str | None], visitor: User, settings: Any):
    settings.ENABLE_VOICE_REALTIME = False
    visitor.save()
    visitor.delete()
    assert announced == []


def test_a_trouble_of_ours_is_none_of_the_sites(
    monkeypatch: pytest.MonkeyPatch, announced: list[str | None], visitor: User
):
    """What it saves is saved."""

    def broken(message: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(broadcast, "announce", broken)
    visitor.first_name = "Ada"
    visitor.save()
    assert User.objects.get().first_name == "Ada"
