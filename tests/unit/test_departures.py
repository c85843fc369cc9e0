"""Conversations that are called when their process is being stopped."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.clock import in_virtual_time
from voice import condition, departures
from voice.protocol.drain import DrainPolicy


@pytest.fixture(autouse=True)
def running_again() -> Iterator[None]:
    yield
    condition.forget()


async def goes(busy_until: float = 0.0) -> float:
    """When somebody is called who is busy until then, in seconds from now."""
    now = asyncio.get_running_loop().time
    began = now()
    await departures.called(lambda: now() - began < busy_until)
    return now() - began


@in_virtual_time
async def test_who_is_quiet_is_called_at_once_and_who_is_busy_when_they_are_not() -> None:
    guests = [asyncio.create_task(goes(busy_until)) for busy_until in (0.0, 3.2, 99.0)]
    await asyncio.sleep(0)
    assert not condition.draining()
    await departures.depart(DrainPolicy())
    assert condition.draining()
    assert await asyncio.gather(*guests) == pytest.approx([0, 3.5, 20], abs=0.01)


@in_virtual_time
async def test_many_go_in_batches() -> None:
    guests = [asyncio.create_task(goes()) for _ in range(45)]
    await asyncio.sleep(0)
    await departures.depart(DrainPolicy())
    assert sorted(await asyncio.gather(*guests)) == pytest.approx([0.0] * 20 + [0.5] * 20 + [1.0] * 5, abs=0.01)


@in_virtual_time
async def test_who_has_left_is_not_waited_for() -> None:
    guest = asyncio.create_task(goes(99.0))
    await asyncio.sleep(0)
    departing = asyncio.create_task(departures.depart(DrainPolicy()))
    await asyncio.sleep(1.1)
    guest.cancel()
    await asyncio.sleep(0.5)
    assert departing.done()


@in_virtual_time
async def test_who_comes_then_is_called_at_once() -> None:
    await departures.depart(DrainPolicy())
    assert await goes(99.0) == 0
