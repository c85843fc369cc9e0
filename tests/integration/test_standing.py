"""During a conversation: a token that runs out, and a user who may talk no more."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from rest_framework_simplejwt.tokens import AccessToken

from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from voice import live, standing, tokens
from voice.models import VoiceLiveSettings
from voice.protocol import proof

pytestmark = pytest.mark.django_db(transaction=True)

HERE = "http://testserver"


def token(user: User, seconds: float) -> str:
    access = AccessToken.for_user(user)
    access.set_exp(lifetime=timedelta(seconds=seconds))
    return str(access)


async def ended(visitor: Visitor, code: int, reason: str, sessions: Any) -> None:
    ending = await visitor.ending()
    assert (ending["code"], ending["reason"]) == (code, reason)
    assert ending["message"]
    assert [row.end_reason for row in await sessions()] == [reason]


# -- the token runs out ---------------------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute is a quarter of a second."""
    monkeypatch.setattr(proof, "GRACE_SECONDS", 0.25)


async def begin(visit: Visit, user: User, seconds: float) -> Visitor:
    client = await visit(offer=["voice.v1"], start={}, authorization=f"Bearer {token(user, seconds)}")
    await client.until("session.ready")
    return client


async def test_a_token_that_runs_out_is_told_and_then_ends_the_conversation(
    visit: Visit, visitor: User, sessions: Any, hasty: None
) -> None:
    client = await visit(offer=["voice.v1"], start={}, authorization=f"Bearer {token(visitor, 2)}")
    told = await client.until("session.expiring")
    assert told == {"type": "session.expiring", "seconds": told["seconds"], "why": "auth"}
    assert 0 <= told["seconds"] <= 2
    await client.ask()
    await ended(client, 4401, "auth_expired", sessions)


@pytest.mark.parametrize("kind", ["access token", "ticket"])
async def test_a_new_one_lets_it_go_on(visit: Visit, visitor: User, hasty: None, kind: str) -> None:
    offer = ["voice.v1", f"voice.bearer.{token(visitor, 2)}"]
    client = await visit(offer=offer, start={}, origin=HERE)
    await client.until("session.expiring", why="auth")
    fresh = token(visitor, 600) if kind == "access token" else tokens.mint(visitor, HERE)
    await client.tell(type="auth.refresh", token=fresh)
    await asyncio.sleep(2.5)  # the old one is over by now
    await client.ask()
    assert not any(isinstance(said, dict) and said["type"] == "error" for said in client.heard)


@pytest.mark.parametrize(
    "fresh",
    [
        lambda visitor, staff: "nonsense",
        lambda visitor, staff: token(staff, 600),
        lambda visitor, staff: token(visitor, -60),
        lambda visitor, staff: tokens.mint(visitor, "https://elsewhere.example"),
    ],
    ids=["nonsense", "another user's", "expired", "another page's ticket"],
)
async def test_whatever_is_no_new_token_of_theirs_is_named_and_prolongs_nothing(
    visit: Visit, visitor: User, staff: User, sessions: Any, hasty: None, fresh: Callable[[User, User], str]
) -> None:
    client = await visit(offer=["voice.v1", f"voice.bearer.{token(visitor, 2)}"], start={}, origin=HERE)
    await client.until("session.expiring", why="auth")
    await client.tell(type="auth.refresh", token=fresh(visitor, staff))
    error = await client.until("error")
    assert (error["code"], error["param"]) == ("invalid_field", "token")
    await ended(client, 4401, "auth_expired", sessions)


async def test_a_ticket_is_good_for_the_whole_conversation(visit: Visit, visitor: User, settings: Any) -> None:
    """Though itself it is over in a second."""
    settings.VOICE = {**settings.VOICE, "TICKET_SECONDS": 1}
    offer = ["voice.v1", f"voice.bearer.{tokens.mint(visitor, HERE)}"]
    client = await visit(offer=offer, start={}, origin=HERE)
    await client.until("session.ready")
    await asyncio.sleep(1.5)
    await client.ask()
    assert not any(isinstance(said, dict) and said["type"] == "session.expiring" for said in client.heard)


# -- the user may talk no more --------------------------------------------------------------------------------------


async def deactivate(visitor: User) -> None:
    visitor.is_active = False
    await visitor.asave()


async def delete(visitor: User) -> None:
    await visitor.adelete()


async def change_password(visitor: User) -> None:
    visitor.set_password("another")
    await visitor.asave()


async def leave_group(visitor: User) -> None:
    await visitor.groups.aclear()


async def lower_the_share(visitor: User) -> None:
    await sync_to_async(live.save)(VoiceLiveSettings(percent=0), by="the test")


LOSSES = pytest.mark.parametrize(
    ("lose", "reason"),
    [
        (deactivate, "revoked"),
        (delete, "revoked"),
        (change_password, "revoked"),
        (leave_group, "not_in_rollout"),
        (lower_the_share, "not_in_rollout"),
    ],
    ids=["deactivated", "deleted", "another password", "out of the group", "out of the share"],
)


@pytest.fixture
async def premium(visitor: User, voice_on: None) -> None:
    """The visitor belongs to the group that may talk."""
    group = await Group.objects.acreate(name="premium")
    await visitor.groups.aadd(group)
    await sync_to_async(live.save)(VoiceLiveSettings(group=group), by="the test")


@LOSSES
async def test_who_may_talk_no_more_is_told_within_two_seconds(
    visit: Visit,
    visitor: User,
    premium: None,
    sessions: Any,
    monkeypatch: pytest.MonkeyPatch,
    lose: Callable[[User], Awaitable[None]],
    reason: str,
) -> None:
    """Although it is not yet time to ask about them."""
    monkeypatch.setattr(standing, "INTERVAL", 3_600.0)
    client = await visit(start={})
    await client.until("session.ready")
    await asyncio.sleep(0.1)  # the process has looked at the live settings
    await lose(visitor)
    lost_at = asyncio.get_running_loop().time()
    await ended(client, 4403, reason, sessions)
    took = asyncio.get_running_loop().time() - lost_at
    print(f"told and ended after {took:.3f} s")
    assert took < 2


@LOSSES
async def test_nor_is_the_push_needed(
    visit: Visit,
    visitor: User,
    premium: None,
    sessions: Any,
    monkeypatch: pytest.MonkeyPatch,
    lose: Callable[[User], Awaitable[None]],
    reason: str,
) -> None:
    """They are asked about all the time."""
    monkeypatch.setattr(standing, "poke", lambda user_id: None)
    monkeypatch.setattr(standing, "INTERVAL", 0.1)
    client = await visit(start={})
    await client.until("session.ready")
    await asyncio.sleep(0.3)
    await lose(visitor)
    await ended(client, 4403, reason, sessions)


async def test_what_changes_nothing_ends_nothing(visit: Visit, visitor: User, premium: None) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    visitor.first_name = "Ada"
    await visitor.asave()
    await Group.objects.acreate(name="another")
    await visitor.groups.aadd(await Group.objects.aget(name="another"))
    await asyncio.sleep(0.5)
    await client.ask()


async def test_a_database_that_does_not_answer_ends_nobody(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    async def down(*_: Any, **__: Any) -> None:
        asked.set()
        raise OperationalError("down")

    client = await visit(start={})
    await client.until("session.ready")
    monkeypatch.setattr(standing.database, "call", down)
    standing.poke(None)
    async with asyncio.timeout(5):
        await asked.wait()
    monkeypatch.undo()
    await client.ask()
