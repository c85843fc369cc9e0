"""The threads in which conversations call the database keep their connections, while they are good."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from voice import database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_thread(no_connection_is_left: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """So that two calls meet in it."""
    with ThreadPoolExecutor(1) as thread:
        monkeypatch.setattr(database, "_threads", thread)
        monkeypatch.setattr(database, "KEPT_SECONDS", 60.0)
        yield
        thread.submit(connections.close_all).result()


def used() -> Any:
    """The connection that a query here goes over."""
    connection.ensure_connection()
    return connection.connection


async def test_a_connection_is_used_again() -> None:
    first = await database.call(used, limit=5)
    assert await database.call(used, limit=5) is first


async def test_an_old_one_is_replaced() -> None:
    first = await database.call(used, limit=5)
    await database.call(lambda: setattr(connection, "close_at", 0.0), limit=5)
    assert await database.call(used, limit=5) is not first


async def test_one_that_was_left_in_a_transaction_is_closed_before_anybody_waits_for_it() -> None:
    def leave() -> None:
        used()
        connection.set_autocommit(False)

    await database.call(leave, limit=5)
    assert await database.call(lambda: connection.connection, limit=5) is None


async def test_what_django_remembers_for_debugging_is_forgotten_at_the_next_call(settings: Any) -> None:
    settings.DEBUG = True

    def asked() -> int:
        connection.cursor().execute("SELECT 1")
        return len(connection.queries_log)

    assert [await database.call(asked, limit=5) for _ in range(2)] == [1, 1]
