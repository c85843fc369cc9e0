"""Clients that were written for OpenAI's service hold the conversation, unmodified, with a token for a key."""

import asyncio
import base64
import json
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests import speech
from tests.microphone import Microphone
from tests.server import Site
from voice.protocol.wires.realtime import wire as realtime

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How late does the harbour shop stay open on weekdays?"
FOLLOW_UP = "And what about opening on Sundays?"
TYPED = "What do you charge for repairing a puncture?"
PACE = 1.2
"""How much faster than life the questions are asked: just under what `voice.protocol.pace` allows for ever."""

JS = Path(__file__).parents[1] / "js"
needs_node = pytest.mark.skipif(
    not (shutil.which("node") and (JS / "node_modules").is_dir()), reason="needs node and npm, see tests/run"
)


class Talk:
    """One conversation by OpenAI's client: what was said so far, event by event."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.events: list[Any] = []
        self._connection = connection
        self._microphone = Microphone(self._append)

    async def until(self, kind: str, **match: Any) -> Any:
        """The next event of this type with these fields."""
        async with asyncio.timeout(30):
            while True:
                event = await self._connection.recv()
                self.events.append(event)
                if event.type == kind and all(getattr(event, name) == value for name, value in match.items()):
                    return event

    async def say(self, pcm: bytes) -> None:
        """Speak; the microphone hears silence from then on."""
        await self._microphone.hear(pcm)

    @asynccontextmanager
    async def microphone(self) -> AsyncIterator[None]:
        """While it is on."""
        self._microphone.switch_on(PACE)
        running = asyncio.create_task(self._microphone.run())
        yield
        running.cancel()

    def all(self, kind: str) -> list[Any]:
        """Every event of this type so far."""
        return [event for event in self.events if event.type == kind]

    async def _append(self, frame: bytes) -> None:
        await self._connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())


async def test_openais_python_client_holds_a_spoken_conversation(local_site: Site) -> None:
    question, follow_up = speech.spoken(QUESTION, "en"), speech.spoken(FOLLOW_UP, "en")
    client = AsyncOpenAI(websocket_base_url=local_site.url, api_key=local_site.token)
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        talk = Talk(connection)
        created = await talk.until("session.created")
        await connection.session.update(session={"type": "realtime", "instructions": "Be rude.", "tools": []})
        updated = await talk.until("session.updated")
        assert (updated.session.instructions, updated.session.tools) == ("", [])
        async with talk.microphone():
            await talk.say(question)
            first = await talk.until("response.output_audio.delta")
            await talk.say(follow_up)
            second = await talk.until("response.created")
            await talk.until("response.output_audio.delta", response_id=second.response.id)
        typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": TYPED}]}
        await connection.conversation.item.create(item=typed)  # type: ignore[arg-type]
        await connection.response.create()
        third = await talk.until("response.created")
        await talk.until("response.output_audio.delta", response_id=third.response.id)
    heard = [event.transcript for event in talk.all("conversation.item.input_audio_transcription.completed")]
    assert ["weekdays" in heard[0], "Sundays" in heard[1]] == [True, True]
    ended = [(done.response.status, done.response.status_details.reason) for done in talk.all("response.done")]
    assert ended == [("cancelled", "turn_detected"), ("cancelled", "client_cancelled")]
    assert talk.all("response.done")[0].response.id == first.response_id
    assert not talk.all("error")
    assert_recorded(local_site, created.session.id)


@needs_node
async def test_openais_agents_hold_the_same_conversation_under_node(local_site: Site, tmp_path: Path) -> None:
    """Their playback is their own, and they say at once how much of an answer was heard."""
    files = [tmp_path / "question.pcm", tmp_path / "follow-up.pcm"]
    for file, text in zip(files, (QUESTION, FOLLOW_UP), strict=True):
        file.write_bytes(speech.spoken(text, "en"))
    told = await agents(f"{local_site.url}/realtime?model=gpt-realtime-2.1", local_site.token, *map(str, files), TYPED)
    assert told["errors"] == []
    roles = [item["role"] for item in told["history"]]
    assert roles == ["user", "assistant"] * 3
    first, second, third = (item["content"][0] for item in told["history"][::2])
    assert ("weekdays" in first["transcript"], "Sundays" in second["transcript"]) == (True, True)
    assert third["text"] == TYPED
    assert told["events"].count("(silent)") == told["events"].count("conversation.item.truncated") == 2
    assert told["heardMs"] > 2_000
    assert_recorded(local_site, told["session"])


async def test_a_page_comes_in_as_the_agents_do_in_a_browser(local_site: Site) -> None:
    """Where nothing but subprotocols can be set."""
    offered = ["realtime", f"openai-insecure-api-key.{local_site.token}", "openai-agents-sdk.0.20.0"]
    names = [Subprotocol(name) for name in offered]
    async with connect(f"{local_site.url}?model=gpt-realtime-2.1", subprotocols=names, proxy=None) as socket:
        assert socket.subprotocol == "realtime"
        assert json.loads(await socket.recv())["type"] == "session.created"


async def test_the_documents_python_example_asks_and_is_answered(
    local_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", local_site.token)
    names: dict[str, Any] = {}
    exec(example("python", local_site), names)  # noqa: S102
    async with asyncio.timeout(30):
        answer = await names["ask"]("Thank you!")
    assert answer


@needs_node
async def test_the_documents_javascript_example_asks_and_is_answered(local_site: Site) -> None:
    program = await asyncio.create_subprocess_exec(
        "node", "--input-type=module", "--eval", example("js", local_site),
        cwd=JS, env={**os.environ, "TOKEN": local_site.token}, stdout=PIPE,
    )  # fmt: skip
    assert program.stdout
    try:
        async with asyncio.timeout(30):
            while "assistant" not in (line := (await program.stdout.readline()).decode()):
                assert line, "it ended"
    finally:
        program.kill()
        await program.wait()


def example(language: str, site: Site) -> str:
    """The example of ``voice/docs/realtime.md``, with the site's address."""
    document = (Path(realtime.__file__).parents[3] / "docs" / "realtime.md").read_text()
    code = document.partition(f"```{language}\n")[2].partition("```")[0]
    assert "wss://example.org/v1/ws/voice" in code
    return code.replace("wss://example.org/v1/ws/voice", site.url)


async def agents(url: str, token: str, *arguments: str) -> dict[str, Any]:
    """What ``tests/js/agents.mjs`` tells of its conversation."""
    environment = {**os.environ, "URL": url, "TOKEN": token}
    program = await asyncio.create_subprocess_exec(
        "node", str(JS / "agents.mjs"), *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(60):
            out, errors = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0, errors.decode()
    told: dict[str, Any] = json.loads(out)
    return told


def assert_recorded(site: Site, session_id: str) -> None:
    """It was a session like any other, and what it asked was searched for."""
    session, turns = site.session(session_id), site.turns(session_id)
    assert (session["provider"], session["client"]) == ("local", "program")
    assert [(turn["number"], turn["outcome"], turn["typed"]) for turn in turns[:2]] == [
        (1, "interrupted", 0),
        (2, "interrupted", 0),
    ]
    assert all(turn["searches"] for turn in turns[:2])
