"""uvicorn's connection, with a way past its queue. Both sides' real protocols, without a network."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from voice import bypass
from voice.serving.uvicorn import Socket


class Application:
    """Accepts, and keeps what it is told by the queue; ``heard`` is what it was told past it."""

    def __init__(self) -> None:
        self.scope: Any = None
        self.queued: list[Any] = []
        self.heard: list[bytes | str] = []
        self.may_fetch, self.accepted = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        await receive()
        await send({"type": "websocket.accept"})
        with bypass.of_scope(scope).lent(self.hear):
            self.accepted.set()
            while (message := await receive())["type"] == "websocket.receive":
                self.queued.append(message.get("bytes") or message.get("text"))
                await self.may_fetch.wait()

    def hear(self, message: bytes | str) -> bool:
        self.heard.append(message)
        return message != b"no"


class Wire(asyncio.Transport):
    """Takes what the server writes."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.aborted = False
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
async def application() -> Application:
    return Application()


@pytest.fixture
async def connection(application: Application) -> Any:
    """The server's side of an open socket, and its client."""
    config = uvicorn.Config(application, ws=Socket, lifespan="off", log_config=None, ws_ping_interval=None)
    config.load()
    server, client = Socket(config, ServerState(), {}), ClientProtocol(parse_uri("ws://127.0.0.1/"))
    server.connection_made(Wire())
    client.send_request(client.connect())
    server.data_received(b"".join(client.data_to_send()))
    await application.accepted.wait()
    client.receive_data(server.transport.written)
    client.events_received()
    server.transport.written = b""
    yield server, client
    for task in server.tasks:
        task.cancel()
    await asyncio.gather(*server.tasks, return_exceptions=True)


async def test_messages_are_heard_at_once_and_overtake_nothing(connection: Any, application: Application) -> None:
    server, client = connection
    client.send_binary(b"1")
    client.send_binary(b"no")
    client.send_text(b"said")
    client.send_binary(b"2")
    server.data_received(b"".join(client.data_to_send()))
    assert application.heard == [b"1", b"no"], "the rest waits behind what was not taken"
    application.may_fetch.set()
    while len(application.queued) < 3:  # noqa: ASYNC110 (steps of the loop, no time)
        await asyncio.sleep(0)
    assert application.queued == [b"no", "said", b"2"]
    client.send_binary(b"3")
    client.send_text(b"more")
    server.data_received(b"".join(client.data_to_send()))
    assert application.heard == [b"1", b"no", b"3", "more"]


async def test_what_is_said_past_the_queue_reaches_the_client_as_it_is(connection: Any) -> None:
    server, client = connection
    assert server.has_room
    server.say(["é", b"\1\2"])
    client.receive_data(server.transport.written)
    assert [(frame.opcode.name, frame.data) for frame in client.events_received()] == [
        ("TEXT", "é".encode()),
        ("BINARY", b"\1\2"),
    ]


async def test_there_is_no_room_while_the_client_does_not_read(connection: Any) -> None:
    server, _ = connection
    server.pause_writing()
    assert not server.has_room
    server.resume_writing()
    assert server.has_room


async def test_there_is_none_when_one_of_both_has_closed(connection: Any) -> None:
    server, client = connection
    client.send_close(1000)
    server.data_received(b"".join(client.data_to_send()))
    assert not server.has_room


async def test_there_is_none_when_the_connection_is_lost(connection: Any) -> None:
    server, _ = connection
    server.connection_lost(None)
    assert not server.has_room


async def test_who_answers_no_ping_is_gone_before_they_have_read_what_was_written(connection: Any) -> None:
    server, _ = connection
    server.keepalive_timeout()
    with pytest.raises(ClientDisconnected):
        await server.send({"type": "websocket.send", "text": "Are you there?"})
    assert server.transport.aborted


@pytest.mark.parametrize(
    "broken", [b"\x81\x81\0\0\0\0\xff", b"\xff\xff\0\0\0\0"], ids=["text that is none", "no frame"]
)
async def test_an_application_that_goes_on_sending_to_who_broke_the_protocol_is_told_that_they_are_gone(
    connection: Any, broken: bytes
) -> None:
    server, _ = connection
    server.data_received(broken)
    with pytest.raises(ClientDisconnected):
        await server.send({"type": "websocket.send", "text": "Are you there?"})
