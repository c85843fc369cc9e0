"""What comes in by the socket, before anyone else sees it."""

import asyncio
from typing import Any

import pytest

from voice.frames import BAD_AUDIO_LIMIT, Frames, Over
from voice.protocol.commands import TellError
from voice.protocol.events import Muted, TextSubmitted
from voice.protocol.outcomes import EndReason
from voice.protocol.wires.fields import TEXT_LIMIT
from voice.protocol.wires.messages import End
from voice.protocol.wires.voice_v1 import VoiceV1

SECOND = 48_000


def frames(*messages: dict[str, Any]) -> Frames:
    """A socket on which these ASGI messages arrive."""
    arriving: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in messages:
        arriving.put_nowait({"type": "websocket.receive", **message})
    return Frames(arriving.get, VoiceV1())


async def over(socket: Frames) -> EndReason:
    """Why the next frame is the last."""
    with pytest.raises(Over) as caught:
        await socket.next()
    return caught.value.reason


async def test_frames_come_in_order_each_as_what_it_is() -> None:
    """Servers differ in whether they leave out what a frame is not."""
    socket = frames(
        {"text": '{"type": "mute", "muted": true}'},
        {"bytes": b"\1\2", "text": None},
        {"bytes": None, "text": '{"type": "input_text", "text": "Hello"}'},
        {"bytes": b""},
        {"text": '{"type": "end"}'},
    )
    assert [await socket.next() for _ in range(5)] == [Muted(True), b"\1\2", TextSubmitted("Hello"), b"", End()]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, EndReason.CLIENT_HANGUP),
        (1001, EndReason.CLIENT_AWAY),
        (None, EndReason.CLIENT_HANGUP),
        (1005, EndReason.CLIENT_LOST),
        (1006, EndReason.CLIENT_LOST),
        (1011, EndReason.CLIENT_LOST),
    ],
)
async def test_a_visitor_hangs_up_or_is_lost(code: int | None, reason: EndReason) -> None:
    """Either way there is nobody left to say goodbye to."""
    socket = frames({"type": "websocket.disconnect", "code": code})
    assert await over(socket) is reason
    assert socket.gone


@pytest.mark.parametrize("length", [0, 2, 1_920, SECOND])
async def test_audio_of_whole_samples_up_to_a_second_is_good(length: int) -> None:
    assert await frames({"bytes": bytes(length)}).next() == bytes(length)


@pytest.mark.parametrize("length", [1, 1_921, SECOND + 1, SECOND + 2])
async def test_other_audio_is_an_error_and_the_twentieth_the_last(length: int) -> None:
    """Good audio in between does not make up for it."""
    socket = frames(*[{"bytes": bytes(length)}, {"bytes": b"\0\0"}] * BAD_AUDIO_LIMIT)
    for _ in range(BAD_AUDIO_LIMIT - 1):
        error = await socket.next()
        assert isinstance(error, TellError)
        assert error.code == "invalid_audio"
        assert await socket.next() == b"\0\0"
    assert await over(socket) is EndReason.BAD_MESSAGE
    assert not socket.gone


@pytest.mark.parametrize("text", ["x" * (TEXT_LIMIT + 1), "é" * (TEXT_LIMIT // 2 + 1), "\ud83d" * (TEXT_LIMIT + 1)])
async def test_a_text_that_is_too_big_is_not_even_read(text: str) -> None:
    assert await over(frames({"text": text})) is EndReason.TOO_BIG


@pytest.mark.parametrize("text", ["", "null", "{", '{"type": "end", "now": 1}', "\ud83d", "[" * TEXT_LIMIT])
async def test_any_other_text_is_an_error_that_names_what_is_wrong(text: str) -> None:
    error = await frames({"text": text}).next()
    assert isinstance(error, TellError)
    assert error.code in {"invalid_json", "unknown_field"}


async def test_a_client_has_begun_with_its_first_frame_whatever_that_is() -> None:
    async with asyncio.timeout(1):
        await frames({"text": "nonsense"}).begun(60)


async def test_a_client_that_says_nothing_is_waited_for_so_long_and_no_longer() -> None:
    async with asyncio.timeout(1):
        await frames().begun(0.01)


async def test_a_client_that_has_left_is_not_waited_for() -> None:
    arriving: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    arriving.put_nowait({"type": "websocket.disconnect", "code": 1006})
    socket = Frames(arriving.get, VoiceV1())
    async with asyncio.timeout(1):
        await socket.begun(60)
        await socket.begun(60)
    assert socket.gone


# -- how fast ------------------------------------------------------------------------------------------------------

FRAME = {"bytes": bytes(1_920)}
TEXT = {"text": '{"type": "interrupt"}'}


class Clock:
    """Time, as the test says."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def arriving_at(clock: Clock, *messages: dict[str, Any]) -> Frames:
    arriving: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in messages:
        arriving.put_nowait({"type": "websocket.receive", **message})
    return Frames(arriving.get, VoiceV1(), clock)


async def test_audio_that_comes_too_fast_is_dropped_and_told_once_and_three_seconds_of_it_are_the_end() -> None:
    """Three seconds at once are good: what a browser kept while it dialled, and more."""
    socket = arriving_at(Clock(), *[FRAME] * 1_000)
    assert [await socket.next() for _ in range(75)] == [FRAME["bytes"]] * 75
    told = await socket.next()
    assert isinstance(told, TellError)
    assert told.code == "too_fast"
    assert await over(socket) is EndReason.TOO_FAST
    assert socket.received == 150


async def test_audio_that_comes_in_time_again_is_heard_again_and_what_is_dropped_then_is_told_again() -> None:
    clock = Clock()
    socket = arriving_at(clock, *[FRAME] * 100)
    for _ in range(75):
        await socket.next()
    assert isinstance(await socket.next(), TellError)
    clock.now += 0.04
    assert await socket.next() == FRAME["bytes"]
    assert isinstance(await socket.next(), TellError)


async def test_messages_faster_than_any_page_sends_them_are_the_end() -> None:
    socket = arriving_at(Clock(), *[TEXT] * 1_000)
    for _ in range(200):
        await socket.next()
    assert await over(socket) is EndReason.TOO_FAST


async def test_a_client_that_floods_leaves_others_their_turn() -> None:
    """Whatever lies here already is there without waiting."""
    socket, turns = arriving_at(Clock(), *[TEXT] * 199), 0

    async def another() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(another())
    for _ in range(199):
        await socket.next()
    task.cancel()
    assert turns >= 2


# -- what comes past the queue -------------------------------------------------------------------------------------


async def test_good_audio_is_taken_past_the_queue_and_counted() -> None:
    socket = frames()
    assert socket.takes(bytes(1_920))
    assert socket.received == 1


@pytest.mark.parametrize("length", [1, 1_921, SECOND + 1])
async def test_what_is_wrong_is_not_taken_past_the_queue_and_not_held_against_its_sender_twice(length: int) -> None:
    socket = frames(*[{"bytes": bytes(length)}] * (BAD_AUDIO_LIMIT - 1))
    for _ in range(BAD_AUDIO_LIMIT - 1):
        assert not socket.takes(bytes(length))
        assert isinstance(await socket.next(), TellError)
    assert socket.received == BAD_AUDIO_LIMIT - 1


async def test_audio_past_the_queue_may_come_no_faster_than_by_it() -> None:
    socket = arriving_at(Clock(), FRAME)
    assert sum(socket.takes(FRAME["bytes"]) for _ in range(200)) == 75
    told = await socket.next()
    assert isinstance(told, TellError)
    assert told.code == "too_fast"
