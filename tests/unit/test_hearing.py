"""The receive path: what a client says past the server's queue and by it, passed on as it comes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, cast

import pytest

from tests.clock import in_virtual_time
from tests.unit.stage import AN_INSTANT, Stage
from voice.bypass import Bypass
from voice.credential import Credential
from voice.frames import Frames
from voice.hearing import Hearing
from voice.protocol import commands as c
from voice.protocol.outcomes import EndReason
from voice.protocol.pace import MESSAGE_BURST
from voice.protocol.wires.messages import Commit
from voice.protocol.wires.voice_v1 import VoiceV1

caller: ContextVar[str] = ContextVar("caller", default="nobody")


class Tokens:
    """A credential that is being looked at until :attr:`known` is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        """Each token, and in whose context it was looked at."""
        self.known = asyncio.Event()

    async def renew(self, token: str) -> None:
        self.asked.append((token, caller.get()))
        await self.known.wait()


class Client:
    """A client whose session is going on."""

    def __init__(self, **terms: Any) -> None:
        self.stage, self.tokens, self.bypass = Stage(**terms), Tokens(), Bypass()
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.hearing = Hearing(Frames(self.queue.get, VoiceV1()), self.stage.session, cast(Credential, self.tokens))

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[asyncio.Task[EndReason]]:
        """From its microphone on."""
        async with self.stage.running() as session:
            caller.set("the conversation")
            hearing = asyncio.create_task(self.hearing.run(self.bypass, None))
            caller.set("the server")
            await asyncio.sleep(AN_INSTANT)
            yield session
            hearing.cancel()
            await asyncio.wait({hearing})

    async def says(self, kind: str, **fields: Any) -> bool:
        """A message past the queue; whether it was taken."""
        assert self.bypass.hear is not None
        taken = self.bypass.hear(json.dumps({"type": kind, **fields}))
        await asyncio.sleep(AN_INSTANT)
        return taken

    @property
    def errors(self) -> list[str]:
        """The codes of what it was told to be wrong."""
        return [error.code for _, error in self.stage.all(c.TellError)]


@in_virtual_time
async def test_a_question_is_asked_and_audio_is_heard_by_either_way() -> None:
    client = Client()
    async with client.talking():
        assert client.bypass.hear is not None
        assert client.bypass.hear(b"\1\2")
        client.queue.put_nowait({"type": "websocket.receive", "bytes": b"\3\4"})
        await asyncio.sleep(AN_INSTANT)
        assert client.stage.upstream.heard == b"\1\2\3\4"
        assert await client.says("input_text", text="When do you open?")
        text = json.dumps({"type": "input_text", "text": "And on Sunday?"})
        client.queue.put_nowait({"type": "websocket.receive", "text": text})
        await asyncio.sleep(AN_INSTANT)
        asked = [each.text for each in client.stage.upstream.commands if isinstance(each, c.SubmitText)]
        assert asked == ["When do you open?", "And on Sunday?"]


@in_virtual_time
async def test_of_a_message_that_is_wrong_its_sender_is_told_once_and_nothing_is_lost() -> None:
    client = Client()
    async with client.talking():
        assert await client.says("sing")
        assert await client.says("start")
        assert client.errors == ["unknown_type", "unexpected"]
        assert await client.says("mute", muted=True)


@in_virtual_time
async def test_odd_audio_is_left_to_the_queue_which_says_what_is_wrong_with_it() -> None:
    client = Client()
    async with client.talking():
        assert client.bypass.hear is not None
        assert not client.bypass.hear(b"odd")
        client.queue.put_nowait({"type": "websocket.receive", "bytes": b"odd"})
        await asyncio.sleep(AN_INSTANT)
        assert client.errors == ["invalid_audio"]


@in_virtual_time
async def test_a_new_credential_is_looked_at_as_the_conversations_own_work_and_one_at_a_time() -> None:
    """The server calls in nobody's context; log lines must name the session."""
    client = Client()
    async with client.talking():
        await client.says("auth.refresh", token="first")
        await client.says("auth.refresh", token="second")
        assert client.tokens.asked == [("first", "the conversation")]
        assert client.errors == ["unexpected"]
        client.tokens.known.set()
        await asyncio.sleep(AN_INSTANT)
        await client.says("auth.refresh", token="third")
        assert [token for token, _ in client.tokens.asked] == ["first", "third"]


@in_virtual_time
async def test_who_hangs_up_has_not_taken_up_the_conversation() -> None:
    client = Client(waiting=True)
    async with client.talking() as session:
        await client.says("end")
        assert await session is EndReason.NO_MICROPHONE


@in_virtual_time
async def test_who_says_anything_else_has() -> None:
    client = Client(waiting=True)
    async with client.talking() as session:
        await client.says("mute", muted=True)
        await client.says("end")
        assert await session is EndReason.CLIENT_HANGUP


@in_virtual_time
async def test_a_flood_ends_it_and_the_rest_of_it_is_not_even_read() -> None:
    client = Client()
    async with client.talking() as session:
        assert client.bypass.hear is not None
        taken = [client.bypass.hear('{"type": "commit"}') for _ in range(int(MESSAGE_BURST) + 10)]
        assert taken.index(False) == MESSAGE_BURST + 1
        assert await session is EndReason.TOO_FAST


@in_virtual_time
async def test_a_fault_of_ours_ends_the_session_which_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the server would break the connection off, and nobody would be told why."""
    client, fault = Client(), ZeroDivisionError()

    def fails(self: Frames, text: str) -> list[Commit]:
        raise fault

    monkeypatch.setattr(Frames, "said", fails)
    async with client.talking() as session:
        assert await client.says("commit")
        with pytest.raises(ExceptionGroup) as caught:
            await session
        assert caught.value.exceptions == (fault,)
