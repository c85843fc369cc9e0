"""A connection and an application that wait for each other."""

import asyncio
from typing import Any

import pytest

from voice.serving.flow import INBOX_LIMIT, Inbox, Outlet


class Transport:
    """What Twisted's does: it can be paused, and tells its producer what happens to what is written."""

    disconnecting = False

    def __init__(self) -> None:
        self.reading = True
        self.producer: Any = "that of HTTP"
        self.bufferSize = 65_536

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self.producer is None
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None


def text(size: int) -> dict[str, Any]:
    """A message."""
    return {"type": "websocket.receive", "text": "x" * size}


@pytest.mark.parametrize("size", [0, 2, 1_920, 65_536])
async def test_a_client_that_is_ahead_of_the_application_is_not_read_from(size: int) -> None:
    """However small its messages are."""
    transport = Transport()
    inbox = Inbox(transport)
    while transport.reading:
        inbox.put_nowait(text(size))
        assert inbox.qsize() * (size + 200) < 2 * INBOX_LIMIT
    while not transport.reading:
        await inbox.get()
    assert inbox.qsize() * (size + 200) <= INBOX_LIMIT / 2


async def test_its_messages_come_in_order_and_none_is_lost() -> None:
    inbox = Inbox(Transport())
    messages = [{"type": "websocket.connect"}, text(3), {"type": "websocket.receive", "bytes": b"\0\0"}, text(200_000)]
    for message in messages:
        inbox.put_nowait(message)
    assert [await inbox.get() for _ in messages] == messages


async def test_a_client_whose_socket_was_closed_is_read_on_for_its_answer_and_nothing_of_it_kept() -> None:
    transport = Transport()
    inbox = Inbox(transport)
    while transport.reading:
        inbox.put_nowait(text(1_920))
    inbox.discard()
    assert transport.reading
    before = inbox.qsize()
    for _ in range(1_000):
        inbox.put_nowait(text(1_920))
    inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
    assert inbox.qsize() == before + 1
    assert transport.reading


async def test_an_application_waits_while_its_client_takes_nothing() -> None:
    transport = Transport()
    outlet = Outlet(transport)
    async with asyncio.timeout(1):
        await outlet.room()
    transport.producer.pauseProducing()
    waiting = asyncio.create_task(outlet.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    transport.producer.resumeProducing()
    async with asyncio.timeout(1):
        await waiting


async def test_it_does_not_wait_for_one_that_is_gone() -> None:
    transport = Transport()
    outlet = Outlet(transport)
    transport.producer.pauseProducing()
    transport.producer.stopProducing()
    async with asyncio.timeout(1):
        await outlet.room()


async def test_a_connection_that_is_being_closed_is_not_held_open() -> None:
    """Twisted closes it when all is written, and nobody will write more."""
    transport = Transport()
    Outlet(transport)
    transport.producer.pauseProducing()
    transport.disconnecting = True
    transport.producer.resumeProducing()
    assert transport.producer is None
