"""The OpenAI upstream where the conversation writes too late to search by, and a second socket writes in time."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.realtime_server import Answer, RealtimeServer, Script, tone
from tests.realtime_server.talking import FRAME, SPEECH_PAUSE, of, speak, up_to
from voice.protocol.audio import silence
from voice.protocol.commands import ClearAudio, CommitAudio, CreateResponse
from voice.protocol.events import (
    Fault,
    InputCommitted,
    ResponseDone,
    SpeechStarted,
    TranscriptBilled,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
    UpstreamEvent,
)
from voice.upstream.base import UpstreamClosed, UpstreamSession
from voice.upstream.openai import wire
from voice.upstream.openai.client import OpenAIUpstream
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.partials import tell_operators
from voice.upstream.openai.transport import Transport

KEY = "sk-the-key-that-nobody-may-see"
SAID = "when do you open on sundays"


@pytest.fixture(autouse=True)
def _first_of_its_process() -> Iterator[None]:
    tell_operators.cache_clear()
    yield
    tell_operators.cache_clear()


def upstream_of(server: RealtimeServer, partials: Any = "second_socket", **options: Any) -> OpenAIUpstream:
    push_to_talk = options.pop("push_to_talk", False)
    session = UpstreamSession("en", "Be kind.", push_to_talk)
    return OpenAIUpstream(session, OpenAIOptions(api_key=KEY, base_url=server.url, partials=partials, **options))


def saying(*texts: str, **course: Any) -> Script:
    return Script(transcripts=deque(texts), **course)


def text_of(seen: list[Any]) -> str:
    return "".join(event.delta for event in of(TranscriptDelta, seen))


def transcription(server: RealtimeServer) -> dict[str, Any] | None:
    """What the conversation is told about transcripts of its own."""
    told: dict[str, Any] | None = server.main.settings["audio"]["input"]["transcription"]
    return told


def writes_itself(server: RealtimeServer) -> Callable[[], object]:
    return lambda: transcription(server) is not None


async def answer(upstream: OpenAIUpstream, stream: Any) -> str:
    """Ask for an answer; how it ended."""
    await upstream.send(CreateResponse("req_1_1"))
    done = (await up_to(stream, ResponseDone))[-1]
    return str(done.status)


# -- from the start ------------------------------------------------------------------------------------------


def items(seen: list[UpstreamEvent]) -> set[str]:
    return {event.item_id for event in seen if not isinstance(event, TranscriptBilled)}


async def test_words_come_while_they_are_said_with_the_ids_of_the_conversation() -> None:
    async with RealtimeServer(second=saying(SAID, "thanks")) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        for said, words in ((SAID, 4), ("thanks", 1)):
            await speak(upstream, tone(900))
            seen = await up_to(stream, TranscriptDelta, words)
            await speak(upstream, tone(300) + SPEECH_PAUSE)
            seen += await up_to(stream, TranscriptDone)
            [started], [committed] = of(SpeechStarted, seen), of(InputCommitted, seen)
            assert items(seen) == {started.item_id}
            assert seen.index(of(TranscriptDelta, seen)[words - 1]) < seen.index(committed)
            assert text_of(seen) == said
            assert seen[-1].text == said
        assert upstream.partials == "second_socket"
        assert await answer(upstream, stream) == "completed"


async def test_the_conversation_is_not_asked_for_words_and_the_second_session_for_nothing_else() -> None:
    options = {"transcription_model": "whisper-1", "transcription_delay": "low", "transcription_keywords": ("AC-42",)}
    async with RealtimeServer() as server, upstream_of(server, **options):
        await server.until(lambda: server.second and server.second.received)
        assert server.second is not None
        assert [path for path, _ in server.handshakes] == [
            "/v1/realtime?model=gpt-realtime-2.1-mini",
            "/v1/realtime?intent=transcription",
        ]
        assert [headers["Authorization"] for _, headers in server.handshakes] == [f"Bearer {KEY}"] * 2
        assert transcription(server) is None
        assert server.second.received[0]["session"] == {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "noise_reduction": {"type": "near_field"},
                    "transcription": {
                        "model": "gpt-live-transcribe",
                        "languages": ["en"],
                        "delay": "low",
                        "keywords": ["AC-42"],
                    },
                    "turn_detection": None,
                }
            },
        }


async def test_both_hear_the_same_and_it_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[bytes] = []

    def append(pcm: bytes) -> bytes:
        encoded.append(pcm)
        return encode(pcm)

    encode = wire.append
    monkeypatch.setattr(wire, "append", append)
    pcm = tone(333, amplitude=300)
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        await speak(upstream, pcm)
        await server.until(lambda: server.second and len(server.second.hearing.audio) == len(pcm))
        await server.until(lambda: len(server.main.hearing.audio) == len(pcm))
        assert server.second is not None
        assert bytes(server.main.hearing.audio) == bytes(server.second.hearing.audio) == pcm
    assert len(encoded) == -(-len(pcm) // FRAME)


async def test_an_optional_field_that_is_refused_is_left_out() -> None:
    second = saying(SAID, reject={"session.audio.input.transcription.delay"})
    async with (
        RealtimeServer(second=second) as server,
        upstream_of(server, transcription_delay="low") as upstream,
    ):
        stream = upstream.events()
        await speak(upstream, tone(600))
        await up_to(stream, TranscriptDelta)
        assert server.second is not None
        assert "delay" not in server.second.settings["audio"]["input"]["transcription"]


async def test_push_to_talk_has_words_before_its_item_exists() -> None:
    second = saying("err", SAID)
    async with RealtimeServer(second=second) as server, upstream_of(server, push_to_talk=True) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(200))
        [forgotten] = await up_to(stream, TranscriptDelta)
        await upstream.send(ClearAudio())

        await speak(upstream, tone(900))
        seen = await up_to(stream, TranscriptDelta, 4)
        await upstream.send(CommitAudio())
        seen += await up_to(stream, TranscriptDone)
        assert len(of(InputCommitted, seen)) == 1
        assert items(seen).isdisjoint({forgotten.item_id})
        assert len(items(seen)) == 1
        assert (text_of(seen), seen[-1].text) == (SAID, SAID)
        assert upstream.partials == "second_socket"


async def test_a_click_is_not_committed() -> None:
    """Less than the service takes; it would answer with an error."""
    async with RealtimeServer() as server, upstream_of(server, push_to_talk=True) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(80))
        await upstream.send(CommitAudio())
        assert (await up_to(stream, Fault))[-1].code == "input_audio_buffer_commit_empty"
        await server.until(lambda: server.second and len(server.second.received) == 3)
        assert server.second is not None
        assert "commit" not in json.dumps(server.second.received)


# -- when it turns out to be needed --------------------------------------------------------------------------


async def test_after_the_first_late_turn_a_second_socket_writes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="voice")
    main = saying("hello to you", writes_late=True)
    async with RealtimeServer(main, second=saying(SAID)) as server, upstream_of(server, "auto") as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900) + SPEECH_PAUSE)
        seen = await up_to(stream, TranscriptDone)
        assert text_of(seen) == "hello to you"
        assert upstream.partials == "late"
        assert len(server.sessions) == 1, "not before the turn is judged"
        assert await answer(upstream, stream) == "completed"
        await server.until(lambda: transcription(server) is None)

        await speak(upstream, tone(900))
        seen = await up_to(stream, TranscriptDelta, 4)
        await speak(upstream, tone(300) + SPEECH_PAUSE)
        seen += await up_to(stream, TranscriptDone)
        assert of(SpeechStarted, seen)[0].item_id == seen[-1].item_id
        assert (text_of(seen), seen[-1].text) == (SAID, SAID)
        assert upstream.partials == "second_socket"
    assert [(record.levelname, record.getMessage().split(" (")[0]) for record in caplog.records] == [
        ("WARNING", "OpenAI writes what visitors say only after they have said it"),
        ("INFO", "OpenAI writes what visitors say while they say it, over a second connection"),
    ]


async def test_it_is_switched_with_push_to_talk_too() -> None:
    main = saying("hello to you", writes_late=True)
    server = RealtimeServer(main, second=saying(SAID))
    async with server, upstream_of(server, "auto", push_to_talk=True) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900))
        await upstream.send(CommitAudio())
        await up_to(stream, TranscriptDone)
        await server.until(lambda: transcription(server) is None)
        await speak(upstream, tone(900))
        seen = await up_to(stream, TranscriptDelta, 4)
        await upstream.send(CommitAudio())
        seen += await up_to(stream, TranscriptDone)
        assert len(items(seen)) == 1
        assert (text_of(seen), upstream.partials) == (SAID, "second_socket")


async def test_where_the_conversation_writes_in_time_there_is_no_second_socket() -> None:
    async with RealtimeServer(saying(SAID)) as server, upstream_of(server, "auto") as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900))
        await up_to(stream, TranscriptDelta)
        await speak(upstream, SPEECH_PAUSE)
        await up_to(stream, TranscriptDone)
        assert await answer(upstream, stream) == "completed"
        assert (upstream.partials, len(server.handshakes)) == ("streaming", 1)


async def test_a_site_may_do_without() -> None:
    options = {"transcription_model": "whisper-1"}
    async with RealtimeServer(saying(SAID)) as server, upstream_of(server, "session", **options) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900) + SPEECH_PAUSE)
        await up_to(stream, TranscriptDone)
        assert await answer(upstream, stream) == "completed"
        assert (upstream.partials, len(server.handshakes)) == ("late", 1)


class Unplugged(Transport):
    """A conversation without a socket: the service says what is put in."""

    frames: deque[str]

    async def open(self, url: str, headers: Any) -> None:
        greeting, settings = {"type": "session.created"}, {"type": "session.updated", "session": {}}
        self.frames = deque([json.dumps(greeting), json.dumps(settings)])

    async def send(self, text: str) -> None:
        pass

    async def receive(self) -> bytes | str:
        if not self.frames:
            raise UpstreamClosed("over")
        return self.frames.popleft()


async def test_one_socket_is_read_without_a_task_and_without_waiting() -> None:
    """So nothing stands between the service and the conversation while there is no second socket."""
    transport = Unplugged(OpenAIOptions())
    before = asyncio.all_tasks()
    async with OpenAIUpstream(UpstreamSession("en"), OpenAIOptions(), lambda _: transport) as upstream:
        delta = {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "AAAA"}
        transport.frames.extend([json.dumps(delta)] * 3)
        stream = upstream.events()
        for _ in range(3):
            with pytest.raises(StopIteration):  # a value at the first step: it has not given way to the loop
                anext(stream).__await__().send(None)
        with pytest.raises(StopIteration):
            upstream.send_audio(tone(40)).__await__().send(None)
        assert asyncio.all_tasks() == before


# -- when it fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "second",
    [
        Script(status=401),
        Script(status=503),
        Script(hang="handshake"),
        Script(hang="created"),
        Script(hang="settings"),
        Script(reject={"session.audio.input.transcription.model"}),
        Script(gives={"audio": {"input": {"turn_detection": {"type": "server_vad"}, "transcription": None}}}),
        Script(close_after=1),
    ],
    ids=lambda script: next((str(value) for value in vars(script).values() if value), ""),
)
@pytest.mark.parametrize("partials", ["second_socket", "auto"])
async def test_without_a_second_session_the_conversation_writes_itself(second: Script, partials: str) -> None:
    limits = {"open_timeout": 0.3, "settings_timeout": 0.3}
    main = saying("hello", SAID, writes_late=True)
    async with RealtimeServer(main, second=second) as server, upstream_of(server, partials, **limits) as upstream:
        stream = upstream.events()
        if partials == "auto":
            await speak(upstream, tone(600) + SPEECH_PAUSE)
            await up_to(stream, TranscriptDone)
        await server.until(lambda: len(server.handshakes) == 2)
        await server.until(writes_itself(server))
        await server.until(lambda: server.open == 1)

        await speak(upstream, tone(600) + SPEECH_PAUSE)
        seen = await up_to(stream, TranscriptDone)
        assert seen[-1].text == (SAID if partials == "auto" else "hello")
        assert text_of(seen) == seen[-1].text
        assert await answer(upstream, stream) == "completed"
        assert upstream.partials == "late"
        assert len(server.handshakes) == 2, "it is not tried again"


@pytest.mark.parametrize("code", [1000, 1011, None])
async def test_when_it_is_lost_the_conversation_writes_from_there_on(code: int | None) -> None:
    async with (
        RealtimeServer(saying("one", "two words"), second=saying(SAID)) as server,
        upstream_of(server) as upstream,
    ):
        stream = upstream.events()
        await speak(upstream, tone(900))
        seen = await up_to(stream, TranscriptDelta, 2)
        await server.drop(code, to="transcription")
        await server.until(writes_itself(server))
        await speak(upstream, tone(100) + SPEECH_PAUSE)
        seen += await up_to(stream, TranscriptDone)
        assert SAID.startswith(text_of(seen)), "no word comes from both"
        assert seen[-1] == TranscriptDone(of(SpeechStarted, seen)[0].item_id, "one", seen[-1].usage)
        assert await answer(upstream, stream) == "completed"

        await speak(upstream, tone(900))
        seen = await up_to(stream, TranscriptDelta)
        await speak(upstream, SPEECH_PAUSE)
        seen += await up_to(stream, TranscriptDone)
        assert text_of(seen) == "two words"
        assert upstream.partials == "streaming"


async def test_how_words_come_is_judged_anew_when_it_is_lost() -> None:
    main, second = saying("one", writes_late=True), saying(SAID)
    async with RealtimeServer(main, second=second) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900))
        await up_to(stream, TranscriptDelta)
        assert upstream.partials == "second_socket"
        await speak(upstream, SPEECH_PAUSE)
        await up_to(stream, TranscriptDone)
        await server.drop(to="transcription")
        await server.until(writes_itself(server))
        await speak(upstream, tone(900) + SPEECH_PAUSE)
        await up_to(stream, TranscriptDone)
        assert upstream.partials == "late"


async def test_when_it_is_lost_a_text_that_it_owed_has_failed() -> None:
    second = saying(SAID, transcript_latency=60)
    async with RealtimeServer(second=second) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900) + SPEECH_PAUSE)
        seen = await up_to(stream, InputCommitted)
        await server.until(lambda: server.second and server.second.items)
        await server.drop(to="transcription")
        seen += await up_to(stream, TranscriptFailed)
        assert seen[-1] == TranscriptFailed(of(InputCommitted, seen)[0].item_id)


async def test_one_that_complains_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await server.until(lambda: server.second and len(server.second.sent) == 2)
        await server.fail("server_error", to="transcription", message=SAID)
        await server.until(writes_itself(server))
        assert await answer(upstream, stream) == "completed"
    assert "server_error" in caplog.text
    assert SAID not in caplog.text


async def test_one_that_no_longer_reads_holds_nothing_up() -> None:
    """What waits for it is bounded, and when no pong comes it is given up."""
    pings = {"ping_interval": 0.5, "ping_timeout": 0.5}
    async with RealtimeServer() as server, upstream_of(server, **pings) as upstream:
        await server.until(lambda: server.second and len(server.second.sent) == 2)
        server.freeze("transcription")
        async with asyncio.timeout(60):
            for _ in range(100):
                await upstream.send_audio(silence(1000))
            await server.until(lambda: server.main.hearing.appended_ms == 100_000)
        await server.until(writes_itself(server))
        assert await answer(upstream, upstream.events()) == "completed"


async def test_a_field_that_the_conversation_refuses_is_left_out_when_it_writes_again() -> None:
    main = saying(SAID, reject={"session.audio.input.transcription.delay"})
    async with (
        RealtimeServer(main, second=Script(status=503)) as server,
        upstream_of(server, transcription_delay="low") as upstream,
    ):
        stream = upstream.events()
        waiting = asyncio.create_task(up_to(stream, TranscriptDone))
        await server.until(writes_itself(server))
        assert transcription(server) == {"model": "gpt-live-transcribe", "languages": ["en"]}
        await speak(upstream, tone(900) + SPEECH_PAUSE)
        seen = await waiting
        assert of(Fault, seen) == []
        assert text_of(seen) == SAID


async def test_when_the_conversation_itself_is_lost_that_is_the_end() -> None:
    async with RealtimeServer(Script(answers=deque([Answer(hold_after=1)]))) as server, upstream_of(server) as upstream:
        await server.until(lambda: server.second and len(server.second.sent) == 2)
        await server.drop(to="realtime")
        with pytest.raises(UpstreamClosed):
            await up_to(upstream.events(), ResponseDone)


# -- leaving -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [Script(), Script(hang="handshake"), Script(hang="settings"), Script(status=503)])
@pytest.mark.parametrize("listening", [True, False])
async def test_leaving_leaves_nothing_behind(second: Script, listening: bool) -> None:
    before = asyncio.all_tasks()
    async with RealtimeServer(second=second) as server:
        async with asyncio.timeout(3), upstream_of(server) as upstream:
            await speak(upstream, tone(300))
            await server.until(lambda: len(server.handshakes) == 2)
            if listening:
                await up_to(upstream.events(), SpeechStarted)
        await server.until(lambda: server.open == 0)
    assert asyncio.all_tasks() == before


async def test_leaving_takes_no_longer_when_neither_service_reads() -> None:
    async with RealtimeServer() as server:
        async with upstream_of(server, close_timeout=0.8) as upstream:
            await server.until(lambda: server.second and len(server.second.sent) == 2)
            server.freeze("realtime")
            server.freeze("transcription")
            left = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - left < 1.5, "both are closed at the same time"
        with pytest.raises(UpstreamClosed):
            await upstream.send_audio(silence(40))


async def test_no_log_tells_the_key_or_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with RealtimeServer(second=saying(SAID)) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(900) + SPEECH_PAUSE)
        await up_to(stream, TranscriptDone)
        await server.drop(to="transcription")
        await server.until(writes_itself(server))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("voice")]
    assert [line.partition(":")[0].partition(" (")[0] for line in ours if "over" in line or "no second" in line]
    assert not any(word in " ".join(ours) for word in ("sundays", KEY))
    assert KEY not in repr(vars(upstream))
