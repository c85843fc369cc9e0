"""Connections to a real Redis that are lost, as each interpreter says it."""

import asyncio
from collections.abc import Iterable

import pytest

from tests.redis_server import RedisServer
from voice.admission.redis.clients import Clients
from voice.admission.store import StoreUnavailable

SAYINGS = [
    AttributeError("no _add_writer"),
    TypeError("not callable"),
    ConnectionResetError(104, "Connection reset by peer"),
]
"""Of interpreters with CPython's gh-136234, and of all others."""


@pytest.mark.parametrize("saying", SAYINGS, ids=repr)
async def test_one_that_was_reset_while_it_was_idle_is_replaced_at_once(
    redis: RedisServer, saying: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients, faults, write = Clients(redis.url), [saying], asyncio.StreamWriter.writelines
    assert await clients.answer(clients.client().ping())

    def once(self: asyncio.StreamWriter, data: Iterable[bytes]) -> None:
        if faults:
            raise faults.pop()
        write(self, data)

    monkeypatch.setattr(asyncio.StreamWriter, "writelines", once)
    assert await clients.answer(clients.client().ping())
    assert faults == []
    await clients.close()


@pytest.mark.parametrize("saying", SAYINGS, ids=repr)
async def test_where_that_is_lost_too_redis_does_not_answer(
    redis: RedisServer, saying: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(self: asyncio.StreamWriter, data: Iterable[bytes]) -> None:
        raise saying

    clients = Clients(redis.url)
    monkeypatch.setattr(asyncio.StreamWriter, "writelines", always)
    with pytest.raises(StoreUnavailable):
        await clients.answer(clients.client().ping())
    await clients.close()
