"""Credentials: whoever proves who they are is let in, and everything else is refused in one way."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken

from tests.credentials import ORIGIN, REFUSED, signed
from voice.admission.memory import MemoryStore
from voice.admission.store import StoreUnavailable
from voice.tokens import Identity, Unauthenticated, VoiceTicket, authenticate, mint
from voice.tokens import access_token as access_token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("visitor", password="visitor", pk=1)  # what True is equal to


async def proven(raw: str, store: MemoryStore | None = None) -> Identity:
    return await authenticate(raw, spend=(store or MemoryStore()).spend)


async def test_a_ticket_proves_its_user_on_the_page_it_was_minted_for(user):
    identity = await proven(mint(user, ORIGIN))
    assert identity == Identity(user, "ticket", expires_at=None, origin=ORIGIN)


async def test_a_ticket_is_good_for_the_seconds_of_the_settings(user, settings):
    settings.VOICE = {"TICKET_SECONDS": 7}
    before = time.time()
    assert before + 6 <= VoiceTicket(mint(user, ORIGIN))["exp"] <= time.time() + 7


async def test_a_ticket_is_good_on_a_server_whose_clock_is_behind(user):
    with time_machine.travel(time.time() + 15):
        ticket = mint(user, ORIGIN)
    assert (await proven(ticket)).kind == "ticket"


async def test_an_access_token_proves_its_user_until_it_expires(user):
    token = AccessToken.for_user(user)
    assert await proven(str(token)) == Identity(user, "access", expires_at=float(token["exp"]))


async def test_a_ticket_is_spent_once(user):
    store, ticket = MemoryStore(), mint(user, ORIGIN)
    await proven(ticket, store)
    with pytest.raises(Unauthenticated):
        await proven(ticket, store)


async def test_of_many_sockets_with_one_ticket_one_gets_in(user):
    store, ticket = MemoryStore(), mint(user, ORIGIN)
    answers = await asyncio.gather(*(proven(ticket, store) for _ in range(10)), return_exceptions=True)
    assert sorted(type(answer) for answer in answers if isinstance(answer, Identity)) == [Identity]
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 9


async def test_an_access_token_may_be_shown_again(user):
    store, token = MemoryStore(), access_token_of(user)
    await proven(token, store)
    await proven(token, store)


async def test_an_access_token_of_a_server_whose_clock_is_ahead_is_good(user):
    with time_machine.travel(time.time() + 5):
        token = access_token_of(user)
    assert (await proven(token)).kind == "access"


async def test_a_bad_ticket_is_not_spent(user):
    """Else anybody could fill the memory of spent tickets."""

    async def spend(jti: str, seconds: float) -> bool:
        raise AssertionError("spent")

    expired = VoiceTicket(mint(user, ORIGIN))
    expired.set_exp(lifetime=timedelta(seconds=-1))
    with pytest.raises(Unauthenticated):
        await authenticate(str(expired), spend=spend)


async def test_a_spent_ticket_is_remembered_longer_than_it_is_good(user, settings):
    settings.VOICE = {"TICKET_SECONDS": 300}
    remembered: list[float] = []

    async def spend(jti: str, seconds: float) -> bool:
        remembered.append(seconds)
        return True

    await authenticate(mint(user, ORIGIN), spend=spend)
    assert remembered[0] > 300


async def test_a_token_signed_like_those_below_is_accepted_if_nothing_is_wrong_with_it(user):
    good = AccessToken.for_user(user).payload
    assert (await proven(signed(good))).kind == "access"
    assert (await proven(signed(good, user_id=user.pk))).kind == "access"
    assert (await proven(signed(good, token_type="voice_ticket", origin=ORIGIN, browser=""))).kind == "ticket"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
async def test_refused(user, make, caplog):
    raw = make(AccessToken.for_user(user).payload)
    with pytest.raises(Unauthenticated) as refused:
        await proven(raw)
    assert len(raw) < 10 or raw not in str(refused.value) + caplog.text


async def test_an_inactive_user_is_refused_whatever_simplejwt_is_told(user, settings, monkeypatch):
    monkeypatch.setattr(api_settings, "CHECK_USER_IS_ACTIVE", False, raising=False)
    ticket, token = mint(user, ORIGIN), access_token_of(user)
    user.is_active = False
    await user.asave()
    for raw in (ticket, token):
        with pytest.raises(Unauthenticated):
            await proven(raw)


async def test_a_deleted_user_is_refused(user):
    ticket, token = mint(user, ORIGIN), access_token_of(user)
    await user.adelete()
    for raw in (ticket, token):
        with pytest.raises(Unauthenticated):
            await proven(raw)


async def test_a_changed_password_ends_what_was_signed_before(user):
    ticket, token = mint(user, ORIGIN), access_token_of(user)
    user.set_password("another")
    await user.asave()
    for raw in (ticket, token):
        with pytest.raises(Unauthenticated):
            await proven(raw)


async def test_tickets_may_have_a_key_of_their_own(user, settings):
    shared = mint(user, ORIGIN)
    settings.VOICE = {"SIGNING_KEY": "a key of the tickets' own, long enough for HS256"}
    assert (await proven(mint(user, ORIGIN))).kind == "ticket"
    assert (await proven(access_token_of(user))).kind == "access"
    with pytest.raises(Unauthenticated):
        await proven(shared)


def test_a_ticket_opens_no_other_door(user):
    """The site's own API accepts access tokens, and a ticket is none."""
    with pytest.raises(Exception, match="not valid"):
        JWTAuthentication().get_validated_token(mint(user, ORIGIN).encode())


async def test_a_store_that_is_down_is_no_bad_credential(user):
    async def spend(jti: str, seconds: float) -> bool:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await authenticate(mint(user, ORIGIN), spend=spend)


async def test_a_database_that_is_down_is_no_bad_credential(user, monkeypatch):
    def down(*args: Any) -> None:
        raise OperationalError("down")

    token = access_token_of(user)
    monkeypatch.setattr(JWTAuthentication, "get_user", down)
    with pytest.raises(OperationalError):
        await proven(token)


# -- manage.py voice_token ----------------------------------------------------------------------------------------


def test_the_command_prints_a_token_that_is_accepted(user, capsys):
    call_command("voice_token", "visitor")
    token = capsys.readouterr().out.strip()
    assert asyncio.run(proven(token)).user == user


@pytest.mark.parametrize("name", ["nobody", "sleeper"])
def test_the_command_refuses_whom_the_socket_would_refuse(django_user_model, name, capsys):
    django_user_model.objects.create_user("sleeper", is_active=False)
    with pytest.raises(CommandError, match=name):
        call_command("voice_token", name)
    assert capsys.readouterr().out == ""
