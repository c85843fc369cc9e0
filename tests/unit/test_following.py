"""A process keeps up with what was decided in any: by looking each second, and sooner by hearing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from channels.layers import BaseChannelLayer, InMemoryChannelLayer
from django.db import OperationalError

from tests.clock import VirtualTimeLoop, in_virtual_time
from voice import broadcast, condition, database, following, logs
from voice.following import INTERVAL, RETRY, followed


class Layer(BaseChannelLayer):
    """A layer between processes, in memory; it can be down, or lose what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[str, asyncio.Queue[Any]] = {}
        self.group: set[str] = set()
        self.down = False
        self.stuck = False

    async def new_channel(self, prefix: str = "specific") -> str:
        await self._answer()
        self.channels["c"] = asyncio.Queue(10)
        return "c"

    async def group_add(self, group: str, channel: str) -> None:
        await self._answer()
        self.group.add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._answer()
        self.group.discard(channel)

    async def group_send(self, group: str, message: Any) -> None:
        await self._answer()
        for channel in self.group:
            self.channels[channel].put_nowait(message)

    async def receive(self, channel: str) -> Any:
        message = await self.channels[channel].get()
        if message is None:
            raise ConnectionError
        return message

    async def _answer(self) -> None:
        if self.stuck:
            await asyncio.sleep(3600)
        if self.down:
            raise ConnectionError


class Looking:
    """The database: what it was asked, and what it says."""

    def __init__(self) -> None:
        self.on, self.times, self.fault = True, 0, False
        self.known = True

    def __call__(self) -> None:
        self.times += 1
        if self.fault:
            raise OperationalError
        self.known = self.on

    def is_off(self) -> bool:
        return not self.known


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(following, "get_channel_layer", lambda: layer)
    return layer


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Looking:
    async def call(function: Callable[[], Any], *, limit: float) -> Any:
        await asyncio.sleep(0.01)
        return function()

    monkeypatch.setattr(database, "call", call)
    return Looking()


async def seconds_until_off(look: Looking, after: float = 5.0, hears: Any = None) -> float:
    """How long after the flip, which comes at second ``after``, a conversation knows."""
    loop = asyncio.get_running_loop()
    async with followed(look, {}) as follower:
        await asyncio.sleep(after)
        look.on = False
        flipped = loop.time()
        if hears is not None:
            hears()
        async with asyncio.timeout(10):
            await follower.until(look.is_off)
        return loop.time() - flipped


@in_virtual_time
async def test_a_flip_that_nobody_told_is_known_within_a_second(look, layer):
    assert await seconds_until_off(look, after=5.02) <= INTERVAL + 0.02


@in_virtual_time
async def test_a_flip_that_the_layer_tells_is_known_at_once(look, layer):
    def tell() -> None:
        layer.channels["c"].put_nowait({"type": "voice.live"})

    assert await seconds_until_off(look, after=5.05, hears=tell) <= 0.02


@in_virtual_time
async def test_a_layer_that_is_down_costs_nothing_but_the_second(look, layer):
    layer.down = True
    assert await seconds_until_off(look) <= INTERVAL + 0.02


@in_virtual_time
async def test_a_layer_that_is_stuck_holds_up_neither_looking_nor_the_end(look, layer):
    layer.stuck = True
    assert await seconds_until_off(look) <= INTERVAL + 0.02


@in_virtual_time
async def test_a_layer_that_comes_back_is_joined_again(look, layer):
    async with followed(look, {}):
        await asyncio.sleep(0.5)
        layer.group.clear()
        layer.channels["c"].put_nowait(None)
        layer.down = True
        await asyncio.sleep(2 * RETRY)
        layer.down = False
        await asyncio.sleep(RETRY + 0.1)
        assert layer.group == {"c"}
    assert not layer.group


@in_virtual_time
async def test_a_database_that_is_down_ends_nobody_and_is_asked_again(look, layer):
    look.fault = True
    async with followed(look, {}) as follower:
        waiting = asyncio.create_task(follower.until(look.is_off))
        await asyncio.sleep(10)
        assert not waiting.done()
        look.fault, look.on = False, False
        async with asyncio.timeout(2 * INTERVAL):
            await waiting


@in_virtual_time
async def test_a_setting_that_changes_while_the_database_is_down_is_heeded(look, layer):
    look.fault = True
    setting = [True]
    async with followed(look, {}) as follower:
        waiting = asyncio.create_task(follower.until(lambda: not setting[0]))
        await asyncio.sleep(10)
        setting[0] = False
        async with asyncio.timeout(2 * INTERVAL):
            await waiting


@in_virtual_time
async def test_a_message_goes_to_its_hearer(look, layer):
    heard: list[Any] = []
    async with followed(look, {"voice.standing": heard.append}):
        await asyncio.sleep(0.1)
        layer.channels["c"].put_nowait({"type": "voice.standing", "user": "7"})
        await asyncio.sleep(0.1)
    assert heard == [{"type": "voice.standing", "user": "7"}]


@in_virtual_time
async def test_all_conversations_of_a_process_share_one_look(look, layer):
    async with followed(look, {}) as one, followed(look, {}) as other:
        assert one is other
        await asyncio.sleep(10 * INTERVAL)
    assert look.times <= 10
    times = look.times
    await asyncio.sleep(10)
    assert look.times == times


@in_virtual_time
async def test_what_all_share_belongs_to_no_session(look, layer):
    """Neither in the log, nor in the language of whoever came first."""
    seen: list[str] = []
    logs.current.set("the first one's")
    async with followed(lambda: seen.append(logs.current.get()), {}):
        await asyncio.sleep(INTERVAL)
    assert {*seen} == {""}


# -- telling ------------------------------------------------------------------------------------------------------


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Layer:
    """What is announced goes to this layer."""
    layer = Layer()
    layer.channels["c"] = asyncio.Queue()
    layer.group.add("c")
    monkeypatch.setattr(broadcast, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(broadcast, "_silent_until", 0.0)
    return layer


def test_what_is_announced_reaches_the_layer(telling):
    broadcast.announce({"type": "voice.live"})
    assert telling.channels["c"].get_nowait() == {"type": "voice.live"}


async def test_what_is_announced_is_heard_in_this_process_without_a_layer(look, monkeypatch):
    monkeypatch.setattr(broadcast, "get_channel_layer", InMemoryChannelLayer)
    monkeypatch.setattr(following, "get_channel_layer", lambda: None)
    heard = asyncio.Event()
    async with followed(look, {"hello": lambda message: heard.set()}):
        await asyncio.to_thread(broadcast.announce, {"type": "hello"})
        async with asyncio.timeout(5):
            await heard.wait()


def test_a_layer_that_fails_is_left_alone_for_a_while(telling, caplog):
    telling.down = True
    broadcast.announce({"type": "voice.live"})
    telling.down = False
    broadcast.announce({"type": "voice.live"})
    assert telling.channels["c"].empty()
    assert len(caplog.records) == 1


def test_a_layer_that_is_stuck_costs_a_moment_once(telling):
    telling.stuck = True
    for _ in range(20):  # 20 limits would be 6 seconds
        broadcast.announce({"type": "voice.live"})
    assert broadcast._silent_until


# -- an event loop that stands still ----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_loop_that_stands_still_for_longer_than_a_second_makes_the_process_unfit(look, layer):
    condition.forget()
    loop = cast(VirtualTimeLoop, asyncio.get_running_loop())
    async with followed(look, {}):
        for seconds, unfit in ((0.7, False), (1.5, True)):  # the watch notices all of it but the rest of its own sleep
            await asyncio.sleep(1)
            loop.pause(seconds)
            await asyncio.sleep(0.01)
            assert condition.lagging() == unfit
    condition.forget()
