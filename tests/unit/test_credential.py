"""The credential of a live session is told in time before it ends, renewed, and over, by the second."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from tests.clock import in_virtual_time
from voice import credential as module
from voice.admission.store import StoreUnavailable
from voice.credential import Credential
from voice.protocol.commands import TellError, TellExpiring
from voice.protocol.outcomes import EndReason
from voice.tokens import Identity, Unauthenticated

NOW = 1_800_000_000.0
"""On the wall, when the loop's clock shows 1,000."""
PAGE = "https://testserver"


class Session:
    """What is told, and the end, each with its second."""

    def __init__(self) -> None:
        self.told: list[tuple[float, Any]] = []

    def tell(self, command: Any) -> None:
        self.told.append((asyncio.get_running_loop().time(), command))

    def end(self, reason: EndReason) -> None:
        self.told.append((asyncio.get_running_loop().time(), reason))


def identity(expires_in: float | None, pk: int = 1, origin: str = PAGE) -> Identity:
    user: Any = SimpleNamespace(pk=pk)
    if expires_in is None:
        return Identity(user, "ticket", origin=origin)
    return Identity(user, "access", expires_at=NOW + expires_in)


def credential_of(session: Any, expires_in: float | None) -> Credential:
    headers = [(b"host", b"testserver"), (b"origin", PAGE.encode())]
    scope = {"type": "websocket", "scheme": "wss", "path": "/", "headers": headers}
    return Credential(scope, identity(expires_in), session)


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall's clock runs with the loop's."""
    clock = SimpleNamespace(time=lambda: NOW + asyncio.get_running_loop().time() - 1_000)
    monkeypatch.setattr(module, "time", clock)


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the tokens that come are: identities, or what is wrong with them."""
    answers: list[Any] = []

    async def authenticate(raw: str, **_: Any) -> Identity:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(module, "authenticate", authenticate)
    return answers


@in_virtual_time
async def test_five_minutes_are_told_before_they_are_over_and_end_half_a_minute_late():
    session = Session()
    await credential_of(session, 300).watch()
    assert session.told == [(1_270, TellExpiring(30, "auth")), (1_330, EndReason.AUTH_EXPIRED)]


@in_virtual_time
async def test_one_of_ten_seconds_is_told_at_once():
    session = Session()
    await credential_of(session, 10).watch()
    assert session.told == [(1_000, TellExpiring(10, "auth")), (1_040, EndReason.AUTH_EXPIRED)]


@in_virtual_time
async def test_one_that_has_just_expired_within_the_leeway_is_told_too():
    session = Session()
    await credential_of(session, -8).watch()
    assert session.told == [(1_000, TellExpiring(0, "auth")), (1_030, EndReason.AUTH_EXPIRED)]


@in_virtual_time
async def test_a_ticket_has_no_end():
    session = Session()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(100_000):
            await credential_of(session, None).watch()
    assert session.told == []


@in_virtual_time
async def test_the_wall_clock_may_be_set(monkeypatch: pytest.MonkeyPatch):
    session = Session()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(credential_of(session, 300).watch())
        await asyncio.sleep(1)
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: NOW + 10_000_000))
    assert [at for at, _ in session.told] == [1_270, 1_330]


@in_virtual_time
async def test_a_new_token_prolongs_it(brought: list[Any]):
    session = Session()
    credential = credential_of(session, 300)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(credential.watch())
        await asyncio.sleep(329)
        brought.append(identity(600))
        await credential.renew("a new one")
    assert session.told == [
        (1_270, TellExpiring(30, "auth")),
        (1_570, TellExpiring(30, "auth")),
        (1_630, EndReason.AUTH_EXPIRED),
    ]


@in_virtual_time
async def test_one_that_is_hardly_better_is_told_in_its_own_time(brought: list[Any]):
    session = Session()
    credential = credential_of(session, 300)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(credential.watch())
        await asyncio.sleep(271)
        brought.append(identity(310))
        await credential.renew("a new one")
    assert session.told == [
        (1_270, TellExpiring(30, "auth")),
        (1_280, TellExpiring(30, "auth")),
        (1_340, EndReason.AUTH_EXPIRED),
    ]


@in_virtual_time
async def test_a_new_ticket_prolongs_it_for_good(brought: list[Any]):
    session = Session()
    credential = credential_of(session, 300)
    watching = asyncio.create_task(credential.watch())
    await asyncio.sleep(280)
    brought += [identity(None), identity(60)]
    await credential.renew("a ticket")
    await credential.renew("an access token, which takes nothing away")
    await asyncio.sleep(10_000)
    watching.cancel()
    await asyncio.wait({watching})
    assert session.told == [(1_270, TellExpiring(30, "auth"))]


REFUSED: dict[str, tuple[Any, str, str]] = {
    "a bad token": (Unauthenticated("expired"), "invalid_field", "not accepted"),
    "another user's": (identity(600, pk=2), "invalid_field", "another user"),
    "another page's ticket": (identity(None, origin="https://evil.example"), "invalid_field", "another page"),
    "a store that is down": (StoreUnavailable(), "unavailable", "again"),
    "a database that is down": (OperationalError("down"), "unavailable", "again"),
    "a database that hangs": (TimeoutError(), "unavailable", "again"),
}


@pytest.mark.parametrize(("answer", "code", "words"), REFUSED.values(), ids=REFUSED)
@in_virtual_time
async def test_what_is_refused_prolongs_nothing_and_ends_nothing(
    brought: list[Any], answer: Any, code: str, words: str
):
    session = Session()
    credential = credential_of(session, 300)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(credential.watch())
        await asyncio.sleep(100)
        brought.append(answer)
        await credential.renew("eyJ")
    (at, error), *rest = session.told
    assert at == 1_100
    assert isinstance(error, TellError)
    assert (error.code, error.param) == (code, "token")
    assert words in error.message
    assert [at for at, _ in rest] == [1_270, 1_330]
