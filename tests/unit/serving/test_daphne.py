"""The last second of a stopped Daphne: nobody may come any more, and what was written last is still on its way."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from tests.clock import in_virtual_time
from voice.protocol.drain import DrainPolicy
from voice.serving import daphne

Connection = dict[str, Any]


class Line:
    """A port of Twisted's, or the transport of a connection."""

    def __init__(self) -> None:
        self.open = True

    def stopListening(self) -> None:
        self.open = False

    def loseConnection(self) -> None:
        self.open = False


@pytest.fixture(autouse=True)
def nobody_talks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wind_down(
        applications: Callable[[], Iterable[Any]], stop_listening: Callable[[], None], policy: DrainPolicy
    ) -> None:
        assert list(applications()) == []
        stop_listening()

    monkeypatch.setattr(daphne, "wind_down", wind_down)


def new_server() -> daphne.VoiceServer:
    return daphne.VoiceServer(None, ["tcp:0"], DrainPolicy(), lambda: None)


async def stops_after(*connections: Connection) -> float:
    """How long a server with these waits, in seconds, before its event loop may stop."""
    server = new_server()
    server.connections = {object(): each for each in connections}
    now = asyncio.get_running_loop().time
    began = now()
    await server.kill_all_applications().asFuture(asyncio.get_running_loop())
    return now() - began


@in_virtual_time
async def test_it_waits_until_the_client_of_a_socket_has_heard_that_it_is_closed() -> None:
    socket: Connection = {"inbox": object()}
    asyncio.get_running_loop().call_later(0.5, socket.setdefault, "disconnected", 1.0)
    assert await stops_after(socket) == pytest.approx(0.5, abs=0.03)


@in_virtual_time
async def test_it_waits_no_longer_for_a_client_that_hears_nothing() -> None:
    assert await stops_after({"inbox": object()}) == pytest.approx(daphne.FLUSHED_LIMIT, abs=0.03)


@in_virtual_time
async def test_it_waits_for_nobody_who_is_gone_or_never_had_a_socket() -> None:
    assert await stops_after({"inbox": object(), "disconnected": 1.0}, {}) == 0


@in_virtual_time
async def test_it_listens_no_longer_and_hangs_up_on_who_asks_over_a_connection_that_was_open() -> None:
    server, port, request = new_server(), Line(), SimpleNamespace(transport=Line())
    server.connections = {}
    server.listen_success(port)
    await server.kill_all_applications().asFuture(asyncio.get_running_loop())
    assert not port.open
    assert server.create_application(request, {"type": "http"}) is None
    assert not request.transport.open


def test_a_request_that_outlasts_the_winding_down_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of a middleware that is not async waits for the view, which is."""
    loop = asyncio.new_event_loop()
    view_runs, may_end = asyncio.Event(), asyncio.Event()
    over = threading.Event()

    async def view() -> None:
        view_runs.set()
        await may_end.wait()

    def middleware() -> None:
        try:
            async_to_sync(view)()
        finally:
            over.set()

    async def until_the_view_runs() -> None:
        request = asyncio.ensure_future(sync_to_async(middleware, thread_sensitive=False)())
        await view_runs.wait()
        assert not request.done()

    def run(_: Any) -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(until_the_view_runs())

    monkeypatch.setattr(daphne.Server, "run", run)
    daphne.VoiceServer(None, ["tcp:0"], DrainPolicy(), lambda: None).run()
    try:
        assert over.wait(10)
        assert loop.is_closed()
    finally:
        asyncio.set_event_loop(None)
        if not loop.is_closed():
            may_end.set()
            loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop)))
