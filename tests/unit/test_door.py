"""Sockets at the door of one process: how many an address may hold, and how quickly open."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from voice import door
from voice.protocol.crowd import Crowd


@pytest.fixture(autouse=True)
def nobody_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(door, "crowd", Crowd())
    door.opened.cache_clear()
    yield
    door.opened.cache_clear()


def socket(address: str | None, **headers: str) -> dict[str, Any]:
    """A socket that was opened from there."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "websocket", "client": [address, 50_000] if address else None, "headers": pairs}


def opened(stack: ExitStack, scope: dict[str, Any]) -> door.Place:
    return stack.enter_context(door.at_the_door(scope))


def test_ten_wait_and_the_eleventh_is_refused_until_one_has_gone() -> None:
    with ExitStack() as sockets:
        places = [opened(sockets, socket("192.0.2.1")) for _ in range(10)]
        assert all(place.allowed for place in places)
        with door.at_the_door(socket("192.0.2.1")) as refused:
            assert not refused.allowed
        with door.at_the_door(socket("192.0.2.2")) as another:
            assert another.allowed
        places[0].got_in()
        with door.at_the_door(socket("192.0.2.1")) as next_one:
            assert next_one.allowed


def test_behind_a_proxy_it_is_the_visitors_address_that_counts(settings: Any) -> None:
    settings.VOICE = {**settings.VOICE, "TRUSTED_PROXIES": 1, "CROWD": {"waiting_per_address": 1}}
    with (
        door.at_the_door(socket("10.0.0.1", x_forwarded_for="192.0.2.1")),
        door.at_the_door(socket("10.0.0.1", x_forwarded_for="192.0.2.2")) as another,
        door.at_the_door(socket("10.0.0.1", x_forwarded_for="198.51.100.9, 192.0.2.1")) as the_same,
    ):
        assert another.allowed
        assert not the_same.allowed


def test_the_peers_of_a_unix_socket_are_not_one_visitor() -> None:
    with ExitStack() as sockets:
        assert all(opened(sockets, socket(None)).allowed for _ in range(100))


def test_sockets_that_come_and_go_are_counted_too(settings: Any) -> None:
    settings.VOICE = {**settings.VOICE, "CROWD": {"opened_per_minute": 3}}
    allowed = []
    for _ in range(4):
        with door.at_the_door(socket("192.0.2.1")) as place:
            allowed.append(place.allowed)
    assert allowed == [True, True, True, False]


def test_nothing_is_left_of_who_has_gone() -> None:
    with door.at_the_door(socket("192.0.2.1")) as place:
        place.got_in()
    with door.at_the_door(socket("192.0.2.1")):
        pass
    assert vars(door.crowd) == vars(Crowd())
