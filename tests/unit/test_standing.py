"""Who is talking is asked about again and again, not all at once, and at once when somebody says so."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import OperationalError, transaction

from tests.clock import in_virtual_time
from voice import broadcast, standing
from voice.protocol.outcomes import EndReason


def user(pk: int = 1) -> Any:
    return SimpleNamespace(pk=pk, get_session_auth_hash=lambda: "fingerprint")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """When the database was asked, and about whom. All may go on, but 13 from second 1,100 on."""
    questions: list[tuple[float, int]] = []

    async def call(function: Any, pk: int, fingerprint: str, *, limit: float) -> EndReason | None:
        assert limit <= 2
        now = asyncio.get_running_loop().time()
        questions.append((now, pk))
        return EndReason.REVOKED if pk == 13 and now >= 1_100 else None

    monkeypatch.setattr(standing.database, "call", call)
    return questions


async def for_seconds(seconds: float, *users: Any) -> None:
    """All these sessions, for so long."""
    tasks = [asyncio.create_task(standing.lost(each)) for each in users]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@in_virtual_time
async def test_a_thousand_sessions_that_begin_together_do_not_ask_together(asked: list[tuple[float, int]]):
    await for_seconds(85, *(user(pk) for pk in range(100, 1_100)))
    seconds = Counter(int(at) for at, _ in asked)
    print(f"at most {max(seconds.values())} questions in a second")
    assert max(seconds.values()) < 3 * 1_000 / standing.FIRST_WITHIN
    about = Counter(pk for _, pk in asked)
    assert len(about) == 1_000
    assert set(about.values()) == {3}


@in_virtual_time
async def test_whoever_may_talk_no_more_is_found_within_35_seconds(asked: list[tuple[float, int]]):
    assert await standing.lost(user(13)) is EndReason.REVOKED
    assert 1_100 <= asyncio.get_running_loop().time() <= 1_130


@in_virtual_time
async def test_a_poke_makes_that_user_ask_at_once_and_nobody_else(asked: list[tuple[float, int]]):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(for_seconds(150, user(12)))
        ending = tasks.create_task(standing.lost(user(13)))
        await asyncio.sleep(100.001)  # hardly later: when it asks by itself is random
        before = len(asked)
        standing.hear({"type": "voice.standing", "user": "13"})
        standing.hear({"type": "voice.standing", "user": "nobody here"})
        assert await ending is EndReason.REVOKED
        assert asked[before:] == [(pytest.approx(1_100.001), 13)]
    assert standing._ears == {}


@in_virtual_time
async def test_everybody_is_asked_one_after_the_other(asked: list[tuple[float, int]]):
    sessions = asyncio.create_task(for_seconds(102, *(user(pk) for pk in range(100, 1_100))))
    await asyncio.sleep(100)
    standing.hear({"type": "voice.standing"})
    await sessions
    about = {pk: at for at, pk in asked if at >= 1_100}
    assert len(about) == 1_000
    assert max(Counter(about.values()).values()) < 10


@pytest.mark.parametrize("fault", [TimeoutError(), OperationalError("down")])
@in_virtual_time
async def test_a_database_that_does_not_answer_ends_nothing(monkeypatch: pytest.MonkeyPatch, fault: Exception):
    answers: list[Any] = [fault] * 10

    async def call(*_: Any, **__: Any) -> EndReason:
        if answers:
            raise answers.pop()
        return EndReason.REVOKED

    monkeypatch.setattr(standing.database, "call", call)

    assert await standing.lost(user()) is EndReason.REVOKED
    assert asyncio.get_running_loop().time() >= 1_300


async def test_a_poke_may_come_from_any_thread(monkeypatch: pytest.MonkeyPatch):
    async def call(*_: Any, **__: Any) -> EndReason:
        return EndReason.NOT_IN_ROLLOUT

    monkeypatch.setattr(standing.database, "call", call)
    monkeypatch.setattr(standing, "FIRST_WITHIN", 3_600.0)
    ending = asyncio.create_task(standing.lost(user()))
    await asyncio.sleep(0)
    threading.Thread(target=standing.poke, args=("1",)).start()
    async with asyncio.timeout(5):
        assert await ending is EndReason.NOT_IN_ROLLOUT


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
