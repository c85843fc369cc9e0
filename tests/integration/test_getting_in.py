"""Who comes in, who does not, and that either is told in words."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from rest_framework_simplejwt.tokens import AccessToken

from tests.credentials import REFUSED, Claims
from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.realtime_server import RealtimeServer
from voice import condition, consumers, departures, records, tokens
from voice.protocol.drain import DrainPolicy

pytestmark = pytest.mark.django_db(transaction=True)

HERE, ELSEWHERE = "http://testserver", "https://elsewhere.example"


async def assert_refused(visitor: Visitor, code: int, reason: str, retry: str = "no") -> dict[str, Any]:
    ending = await visitor.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (code, reason, retry)
    assert ending["message"]
    return ending


@pytest.fixture(autouse=True)
async def nobody_who_was_refused_costs_anything(visit: Visit, sessions: Any, upstream: RealtimeServer) -> Any:
    """No record without a session that was to begin; no dialling without a record."""
    yield
    assert len(upstream.handshakes) <= len(await sessions())


@pytest.mark.parametrize(
    "brought",
    [
        {"offer": ["voice.v1"]},
        {"offer": ["voice.v1", "voice.bearer.eyJ.not.one"]},
        {"offer": ["voice.v1"], "authorization": "Bearer nonsense"},
    ],
    ids=["no token", "bad token", "bad header"],
)
async def test_who_brings_no_good_token_is_not_let_in(visit: Visit, sessions: Any, brought: dict[str, Any]) -> None:
    await assert_refused(await visit(**brought), 4401, "unauthenticated", "now")
    assert await sessions() == []


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
async def test_whatever_is_wrong_with_a_token_it_is_told_without_a_traceback(
    visit: Visit, visitor: User, caplog: pytest.LogCaptureFixture, make: Callable[[Claims], str]
) -> None:
    raw = make(AccessToken.for_user(visitor).payload)
    await assert_refused(await visit(offer=["voice.v1", f"voice.bearer.{raw}"]), 4401, "unauthenticated", "now")
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]
    assert len(raw) < 10 or raw not in caplog.text


@pytest.mark.parametrize("kind", ["ticket", "access token"])
@pytest.mark.parametrize("lost", ["inactive", "deleted", "another password"])
async def test_who_may_not_log_in_any_more_is_not_let_in(visit: Visit, visitor: User, kind: str, lost: str) -> None:
    raw = tokens.mint(visitor, HERE) if kind == "ticket" else tokens.access_token(visitor)
    if lost == "deleted":
        await visitor.adelete()
    else:
        visitor.is_active = lost != "inactive"
        visitor.set_password("another" if lost == "another password" else "visitor")
        await visitor.asave()
    offer = ["voice.v1", f"voice.bearer.{raw}"]
    await assert_refused(await visit(offer=offer, origin=HERE), 4401, "unauthenticated", "now")


async def test_a_token_in_the_url_is_refused(visit: Visit, visitor: User) -> None:
    """Though it is a good one: it stands in logs by now."""
    good = tokens.access_token(visitor)
    await assert_refused(await visit(path=f"/v1/ws/voice?token={good}"), 4401, "unauthenticated", "now")


async def test_a_ticket_is_good_once(visit: Visit, visitor: User) -> None:
    offer = ["voice.v1", f"voice.bearer.{tokens.mint(visitor, HERE)}"]
    first = await visit(offer=offer, origin=HERE, start={})
    await first.until("session.ready")
    await assert_refused(await visit(offer=offer, origin=HERE), 4401, "unauthenticated", "now")
    await first.ask()


async def test_a_ticket_is_good_on_the_page_it_was_made_for(visit: Visit, visitor: User) -> None:
    ticket = tokens.mint(visitor, HERE)
    await assert_refused(
        await visit(offer=["voice.v1", f"voice.bearer.{ticket}"], origin=ELSEWHERE), 4403, "forbidden_origin"
    )


@pytest.mark.parametrize("origin", [{}, {"origin": "null"}], ids=["none", "null"])
async def test_a_ticket_needs_an_origin(visit: Visit, visitor: User, origin: dict[str, str]) -> None:
    offer = ["voice.v1", f"voice.bearer.{tokens.mint(visitor, HERE)}"]
    await assert_refused(await visit(offer=offer, **origin), 4403, "forbidden_origin")


@pytest.mark.parametrize("origin", [ELSEWHERE, "null", "http://testserver:8000", "https://testserver"])
async def test_a_foreign_page_may_not_use_an_access_token(visit: Visit, origin: str) -> None:
    await assert_refused(await visit(origin=origin), 4403, "forbidden_origin")


async def test_a_page_that_names_itself_as_the_host_may_not_either(visit: Visit, settings: Any) -> None:
    """Where any host is let through, as its own name may point here."""
    settings.ALLOWED_HOSTS = ["*"]
    await assert_refused(
        await visit(host="elsewhere.example", origin="http://elsewhere.example"), 4403, "forbidden_origin"
    )
    settings.VOICE = {**settings.VOICE, "ORIGINS": [ELSEWHERE]}
    await (await visit(origin=ELSEWHERE, start={})).until("session.ready")


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [([], None), (["chat"], None), (["chat", "voice.v1"], "voice.v1")],
    ids=["none", "another", "ours too"],
)
async def test_only_a_subprotocol_that_was_offered_is_agreed_upon(
    visit: Visit, visitor: User, offered: list[str], agreed: str | None
) -> None:
    """A browser breaks off otherwise, and Daphne with it."""
    client = await visit(offer=offered, start={}, authorization=f"Bearer {tokens.access_token(visitor)}")
    assert client.agreed == agreed
    await client.until("session.ready")


async def test_nobody_comes_in_while_it_is_switched_off(visit: Visit, sessions: Any, settings: Any) -> None:
    settings.ENABLE_VOICE_REALTIME = False
    await assert_refused(await visit(), 4503, "disabled")
    assert await sessions() == []


async def test_the_hour_has_room_for_so_many_conversations(visit: Visit, settings: Any) -> None:
    """And the next may come when the first of them has left it."""
    settings.VOICE = {**settings.VOICE, "LIMITS": {"sessions_per_user_per_hour": 2}}
    for _ in range(2):
        client = await visit(start={})
        await client.until("session.ready")
        await client.tell(type="end")
        await client.ending()
    ending = await assert_refused(await visit(start={}), 4429, "rate_limited", "after")
    assert 3_590_000 < ending["retry_after_ms"] <= 3_600_000


@pytest.mark.parametrize("code", [1000, 1001, 1006])
async def test_a_conversation_that_never_had_its_microphone_is_not_counted(
    visit: Visit, sessions: Any, settings: Any, code: int
) -> None:
    """The upstream was dialled while its visitor was asked for it. Who has given it is counted."""
    limits = {"sessions_per_user_per_hour": 1}
    settings.VOICE = {**settings.VOICE, "LIMITS": limits, "WARM_UPSTREAM": True}
    for _ in range(2):
        client = await visit(start={"waiting": True})
        await client.until("session.ready")
        await client.vanish(code)
    given = await visit(start={"waiting": True})
    await given.until("session.ready")
    await given.tell(type="mute", muted=False)
    await given.ask()
    await given.vanish(1001)
    await assert_refused(await visit(start={"waiting": True}), 4429, "rate_limited", "after")
    assert [row.end_reason for row in await sessions()] == ["no_microphone", "no_microphone", "client_away"]


async def test_where_the_site_does_not_dial_early_whoever_waits_is_counted(visit: Visit, settings: Any) -> None:
    settings.VOICE = {**settings.VOICE, "LIMITS": {"sessions_per_user_per_hour": 1}}
    client = await visit(start={"waiting": True})
    await client.until("session.ready")
    await client.vanish(1001)
    await assert_refused(await visit(start={}), 4429, "rate_limited", "after")


async def test_a_second_conversation_takes_the_place_of_the_first(visit: Visit, sessions: Any) -> None:
    first = await visit(start={})
    await first.until("session.ready")
    second = await visit(start={})
    await assert_refused(first, 4409, "concurrent")
    await second.until("session.ready")
    await second.ask()
    await second.vanish(1001)
    assert [row.end_reason for row in await sessions()] == ["concurrent", "client_away"]


async def test_who_has_said_nothing_yet_takes_nobodys_place(visit: Visit, sessions: Any) -> None:
    """It could be that they want to go on with the conversation of the session that would have to end."""
    first = await visit(start={})
    await first.until("session.ready")
    second = await visit()
    await first.ask()
    await second.tell(type="start")
    await assert_refused(first, 4409, "concurrent")
    await second.until("session.ready")
    await second.vanish(1001)
    assert len(await sessions()) == 2


async def test_who_says_nothing_at_all_leaves_again(
    visit: Visit, sessions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "FIRST_MESSAGE_LIMIT", 0.05)
    await assert_refused(await visit(), 4408, "timeout")
    assert await sessions() == []


@pytest.mark.parametrize("code", [1000, 1006])
async def test_who_leaves_before_the_first_word_leaves_nothing(visit: Visit, sessions: Any, code: int) -> None:
    await (await visit()).vanish(code)
    assert await sessions() == []


async def test_a_goodbye_may_be_the_first_word(visit: Visit) -> None:
    client = await visit()
    await client.tell(type="end")
    await assert_refused(client, 1000, "client_hangup")


async def test_what_cannot_be_recorded_does_not_begin(
    visit: Visit, upstream: RealtimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upstream, which costs money, is not dialled."""

    async def broken(row: object) -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(records, "_insert", broken)
    await assert_refused(await visit(start={}), 4513, "overloaded", "backoff")
    assert upstream.handshakes == []


async def test_a_server_that_stops_says_so(visit: Visit, sessions: Any) -> None:
    """And the page may dial again at once: another process takes over."""
    client = await visit(start={})
    await client.until("session.ready")
    client.kill()
    await assert_refused(client, 4512, "server_drain", "now")
    assert [row.end_reason for row in await sessions()] == ["server_drain"]


async def test_switching_it_off_ends_conversations_within_two_seconds(
    visit: Visit, sessions: Any, settings: Any
) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    settings.ENABLE_VOICE_REALTIME = False
    async with asyncio.timeout(2):
        await assert_refused(client, 4503, "disabled")
    assert [row.end_reason for row in await sessions()] == ["disabled"]


@pytest.fixture
def running_again() -> Iterator[None]:
    yield
    condition.forget()


@pytest.mark.usefixtures("running_again")
async def test_who_comes_to_a_server_that_is_being_stopped_is_sent_on(visit: Visit, sessions: Any) -> None:
    """Before their token is looked at: a ticket is good once, and the next process shall take it."""
    condition.drain()
    await assert_refused(await visit(offer=["voice.v1"]), 4512, "server_drain", "now")
    assert await sessions() == []


@pytest.mark.usefixtures("running_again")
async def test_who_has_not_begun_when_a_server_is_stopped_is_sent_on(visit: Visit, sessions: Any) -> None:
    client = await visit()
    await departures.depart(DrainPolicy())
    await assert_refused(client, 4512, "server_drain", "now")
    assert await sessions() == []
