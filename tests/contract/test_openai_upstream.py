"""The OpenAI upstream against a server that speaks GA Realtime, over a real socket."""

import asyncio
import logging
from collections import deque
from typing import Any

import pytest
from picows import WSTransport

from tests.realtime_server import Answer, RealtimeServer, Script, tone
from tests.realtime_server.talking import SPEECH_PAUSE, of, speak, up_to
from voice.protocol.audio import duration_ms, silence
from voice.protocol.commands import (
    CancelResponse,
    CommitAudio,
    CreateResponse,
    DeleteItem,
    InjectContext,
    Recall,
    SubmitText,
    Truncate,
)
from voice.protocol.context import Passage
from voice.protocol.events import (
    AnswerDelta,
    AudioDelta,
    AudioDone,
    Fault,
    InputCommitted,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
    UpstreamEvent,
)
from voice.protocol.history import History, Item
from voice.upstream.base import (
    UpstreamClosed,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamSession,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from voice.upstream.openai.client import OpenAIUpstream
from voice.upstream.openai.handshake import MALFORMED_LIMIT
from voice.upstream.openai.options import OpenAIOptions
from voice.upstream.openai.partials import tell_operators
from voice.upstream.openai.transport import Transport

KEY = "sk-the-key-that-nobody-may-see"
INSTRUCTIONS = "the instructions that nobody may see"


def upstream_of(server: RealtimeServer, *, push_to_talk: bool = False, **options: Any) -> OpenAIUpstream:
    session = UpstreamSession("en", INSTRUCTIONS, push_to_talk)
    return OpenAIUpstream(session, OpenAIOptions(api_key=KEY, base_url=server.url, **options))


async def flood(upstream: OpenAIUpstream) -> None:
    """Send far more than the buffers of two sockets hold."""
    async with asyncio.timeout(5):
        for _ in range(1000):
            await upstream.send_audio(silence(1000))


class Watched(Transport):
    """Remembers the socket that it closed."""

    closed: WSTransport

    async def close(self) -> None:
        assert self._connection is not None
        assert self._connection._socket is not None
        self.closed = self._connection._socket
        await super().close()


# -- a conversation -------------------------------------------------------------------------------------------


async def test_context_injected_while_the_visitor_speaks_stands_in_front_of_the_question() -> None:
    script = Script(transcripts=deque(["when do you open on sundays please"]), answers=deque([Answer("At ten.")]))
    async with RealtimeServer(script) as server, upstream_of(server) as upstream:
        stream = upstream.events()

        await speak(upstream, tone(1200))
        seen = await up_to(stream, TranscriptDelta, 5)
        assert isinstance(seen[0], SpeechStarted)
        assert "".join(event.delta for event in of(TranscriptDelta, seen)) == "when do you open on"
        await upstream.send(InjectContext("ctx_1_1", "Sundays from ten.", (Passage("Hours", "Sundays from ten."),)))

        await speak(upstream, tone(200) + SPEECH_PAUSE)
        seen += await up_to(stream, InputCommitted)
        assert seen[-2:] == [SpeechStopped(seen[0].item_id), InputCommitted(seen[0].item_id, "ctx_1_1")]

        await upstream.send(CreateResponse("req_1_1"))
        seen += await up_to(stream, ResponseDone)
        assert [item["role"] for item in server.conversation] == ["system", "user", "assistant"]

    done = seen[-1]
    assert of(ResponseStarted, seen) == [ResponseStarted(done.response_id, "req_1_1")]
    assert (done.status, done.request_id) == ("completed", "req_1_1")
    assert done.usage["output_tokens"] > 0
    assert b"".join(event.pcm for event in of(AudioDelta, seen)) == tone(600)
    assert "".join(event.delta for event in of(AnswerDelta, seen)) == "At ten."
    assert of(TranscriptDone, seen) == [TranscriptDone(seen[0].item_id, "when do you open on sundays please")]


async def test_azure_is_reached_by_settings_alone() -> None:
    """Its own address, the key in a header of its own, and deployments for models, whatever they are called."""
    script = Script(reject={"session.audio.input.transcription.language"}, answers=deque([Answer("At ten.")]))
    azure = RealtimeServer(script, path="/openai/v1", key="api-key")
    async with azure as server:
        session = UpstreamSession("en", INSTRUCTIONS)
        options = OpenAIOptions(
            base_url=server.url, headers={"api-key": KEY}, model="our voice", transcription_model="our-transcriber"
        )
        async with OpenAIUpstream(session, options) as upstream:
            await upstream.send(SubmitText("usr_1", "When do you open?"))
            await upstream.send(CreateResponse("req_1"))
            await up_to(upstream.events(), ResponseDone)
        assert server.session.settings["audio"]["input"]["transcription"] == {"model": "our-transcriber"}
    path, headers = server.handshakes[-1]
    assert (path, headers["api-key"]) == ("/openai/v1/realtime?model=our%20voice", KEY)
    assert "Authorization" not in headers


async def test_what_was_said_before_stands_first_as_text_and_the_conversation_goes_on_behind_it() -> None:
    asked, heard, then = "When do you open?", "At nine, and", "And on Sundays?"
    said = History((Item("user", asked), Item("assistant", heard, cut=True), Item("user", then)))
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await upstream.send(Recall(said))
        await upstream.send(InjectContext("ctx_2_1", "Sundays from ten.", (Passage("Hours", "Sundays from ten."),)))
        await upstream.send(CreateResponse("req_2"))
        seen = await up_to(stream, ResponseDone)
        told = [(item["role"], item["content"][0]) for item in server.conversation[:-1]]
    assert told == [
        ("user", {"type": "input_text", "text": "When do you open?"}),
        ("assistant", {"type": "output_text", "text": "At nine, and …"}),
        ("user", {"type": "input_text", "text": "And on Sundays?"}),
        ("system", {"type": "input_text", "text": "Sundays from ten."}),
    ]
    assert not of(Fault, seen)
    assert not of(InputCommitted, seen)


async def test_a_part_of_it_that_is_refused_leaves_a_gap_and_nothing_else() -> None:
    said = History((Item("user", "When do you open?"), Item("assistant", "At nine.")))
    async with RealtimeServer(Script(refuses_items={"assistant"})) as server, upstream_of(server) as upstream:
        await upstream.send(Recall(said))
        await upstream.send(CreateResponse("req_2"))
        assert not of(Fault, await up_to(upstream.events(), ResponseDone))
        assert [item["role"] for item in server.conversation] == ["user", "assistant"]
        assert upstream.decoder.refused_housekeeping == 1


async def test_the_service_never_answers_by_itself() -> None:
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        await speak(upstream, tone(300) + SPEECH_PAUSE)
        await up_to(upstream.events(), TranscriptDone)
        assert server.session.responses == {}


async def test_every_byte_of_the_microphone_arrives() -> None:
    pcm = tone(333, amplitude=300)
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        await speak(upstream, pcm)
        await server.until(lambda: len(server.session.hearing.audio) >= len(pcm))
        assert bytes(server.session.hearing.audio) == pcm


@pytest.mark.parametrize("takes", [True, False])
async def test_an_answers_audio_is_offered_first_and_comes_once_and_in_order(takes: bool) -> None:
    seen: list[UpstreamEvent] = []
    offered: list[AudioDelta] = []

    def take(audio: AudioDelta) -> bool:
        offered.append(audio)
        if takes:
            seen.append(audio)
        return takes

    script = Script(answers=deque([Answer("Nine.", pcm=tone(1000))]), delta_interval=0.001)
    async with RealtimeServer(script) as server, upstream_of(server) as upstream:
        stream = upstream.events(take)
        await upstream.send(SubmitText("usr_1", "When do you open?"))
        await upstream.send(CreateResponse("req_1_1"))
        while not of(ResponseDone, seen):
            seen.append(await anext(stream))
        assert offered, "all but the last, which comes behind its word"
        [said] = server.session.responses.values()
        assert sum(duration_ms(len(delta.pcm)) for delta in of(AudioDelta, seen)) == sum(said.audio_ms.values())
        kinds = [type(event) for event in seen]
        assert kinds.index(ResponseStarted) < kinds.index(AudioDelta)
        assert len(kinds) - 1 - kinds[::-1].index(AudioDelta) < kinds.index(AudioDone)


async def test_a_model_that_transcribes_after_the_end_writes_nothing_before() -> None:
    async with RealtimeServer() as server, upstream_of(server, transcription_model="whisper-1") as upstream:
        await speak(upstream, tone(1000) + SPEECH_PAUSE)
        seen = await up_to(upstream.events(), TranscriptDone)
        kinds = [type(event) for event in seen]
        assert kinds.index(InputCommitted) < kinds.index(TranscriptDelta)


async def test_speech_cancels_the_answer_under_way() -> None:
    script = Script(answers=deque([Answer("A long answer that nobody wants to hear.", hold_after=2)]))
    async with RealtimeServer(script) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await upstream.send(SubmitText("usr_1", "Tell me a story."))
        await upstream.send(CreateResponse("req_1_1"))
        item_id = (await up_to(stream, AudioDelta, 2))[-1].item_id
        await speak(upstream, tone(100))
        seen = await up_to(stream, ResponseDone)
        assert isinstance(seen[0], SpeechStarted)
        assert (seen[-1].status, seen[-1].reason) == ("cancelled", "turn_detected")

        await upstream.send(Truncate(item_id, 150))
        await server.until(lambda: server.session.truncated == {item_id: 150})


async def test_what_is_no_longer_there_is_cancelled_cut_and_deleted_without_a_fault() -> None:
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await upstream.send(CreateResponse("req_1_1"))
        done = (await up_to(stream, ResponseDone))[-1]
        item_id = server.conversation[0]["id"]
        await upstream.send(CancelResponse(done.response_id))
        await upstream.send(Truncate(item_id, 60_000))
        await upstream.send(DeleteItem("ctx_9_9"))
        await upstream.send(CreateResponse("req_2_1"))
        assert of(Fault, await up_to(stream, ResponseDone)) == []
        assert upstream.decoder.refused_housekeeping == 3


async def test_a_second_request_is_refused_by_its_name() -> None:
    async with RealtimeServer(Script(answers=deque([Answer(hold_after=1)]))) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await upstream.send(CreateResponse("req_1_1"))
        await upstream.send(CreateResponse("req_1_2"))
        fault = (await up_to(stream, Fault))[-1]
        assert (fault.code, fault.event_id) == ("conversation_already_has_active_response", "req_1_2")
        server.release()
        assert (await up_to(stream, ResponseDone))[-1].request_id == "req_1_1"


async def test_an_answer_fails_with_the_code_of_its_error() -> None:
    script = Script(answers=deque([Answer(status="failed", code="inference_rate_limit_exceeded")]))
    async with RealtimeServer(script) as server, upstream_of(server) as upstream:
        await upstream.send(CreateResponse("req_1_1"))
        done = (await up_to(upstream.events(), ResponseDone))[-1]
        assert (done.status, done.reason) == ("failed", "inference_rate_limit_exceeded")


async def test_push_to_talk_commits_what_was_said() -> None:
    async with RealtimeServer() as server, upstream_of(server, push_to_talk=True) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(500) + SPEECH_PAUSE)
        await upstream.send(CommitAudio())
        seen = await up_to(stream, TranscriptDone)
        assert of(SpeechStarted, seen) == of(SpeechStopped, seen) == []
        assert len(of(InputCommitted, seen)) == 1
        await upstream.send(CommitAudio())
        fault = (await up_to(stream, Fault))[-1]
        assert (fault.code, fault.event_id) == ("input_audio_buffer_commit_empty", "commit")


async def test_a_transcript_that_fails_is_told() -> None:
    async with RealtimeServer(Script(transcript_fails=True)) as server, upstream_of(server) as upstream:
        await speak(upstream, tone(300) + SPEECH_PAUSE)
        await up_to(upstream.events(), TranscriptFailed)


# -- the handshake --------------------------------------------------------------------------------------------


async def test_the_handshake_carries_key_and_model_and_no_beta() -> None:
    async with RealtimeServer() as server, upstream_of(server, headers={"X-Gateway": "7"}):
        path, headers = server.handshakes[0]
        assert path == "/v1/realtime?model=gpt-realtime-2.1-mini"
        assert headers["Authorization"] == f"Bearer {KEY}"
        assert headers["X-Gateway"] == "7"
        assert "OpenAI-Beta" not in headers
        assert "Sec-WebSocket-Extensions" not in headers, "no compression"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, UpstreamRefused),
        (400, UpstreamRefused),
        (401, UpstreamRefused),
        (403, UpstreamRefused),
        (404, UpstreamRefused),
        (408, UpstreamTimeout),
        (429, UpstreamRateLimited),
        (500, UpstreamUnavailable),
        (503, UpstreamUnavailable),
    ],
)
async def test_each_refusal_says_what_it_means(status: int, error: type[UpstreamError]) -> None:
    async with RealtimeServer(Script(status=status)) as server:
        with pytest.raises(error, match=f"HTTP {status}"):
            await upstream_of(server).__aenter__()
        assert len(server.handshakes) == 1, "redirects are not followed: they would take the key along"


async def test_nobody_there_is_unavailable() -> None:
    async with RealtimeServer() as server:
        upstream = upstream_of(server)
    with pytest.raises(UpstreamUnavailable):
        await upstream.__aenter__()


@pytest.mark.parametrize("stage", ["handshake", "created", "settings"])
async def test_a_service_that_says_nothing_is_given_up(stage: Any) -> None:
    async with RealtimeServer(Script(hang=stage)) as server:
        with pytest.raises(UpstreamTimeout):
            await upstream_of(server, open_timeout=0.2, settings_timeout=0.2).__aenter__()
        await server.until(lambda: server.open == 0)


# -- settings -------------------------------------------------------------------------------------------------


async def test_an_optional_field_that_is_refused_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    refused = {"session.audio.input.noise_reduction", "session.audio.output.speed"}
    async with RealtimeServer(Script(reject=refused)) as server, upstream_of(server, speed=1.1):
        updates = [event["session"]["audio"] for event in server.received]
        assert len(updates) == 3
        assert "noise_reduction" not in updates[-1]["input"]
        assert "speed" not in updates[-1]["output"]
        assert server.session.settings["audio"]["input"]["turn_detection"]["create_response"] is False
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "audio.input.noise_reduction" in caplog.text
    assert INSTRUCTIONS not in caplog.text


async def test_a_field_that_matters_is_named_when_it_is_refused() -> None:
    async with RealtimeServer(Script(reject={"session.audio.output.voice"})) as server:
        with pytest.raises(UpstreamProtocolError, match=r"session\.audio\.output\.voice") as refusal:
            await upstream_of(server).__aenter__()
        assert INSTRUCTIONS not in str(refusal.value)
        await server.until(lambda: server.open == 0)


async def test_settings_are_given_up_after_three_retries() -> None:
    refused = {f"session.audio.input.{name}" for name in ("noise_reduction", "transcription.languages")}
    refused |= {"session.audio.output.speed", "session.reasoning"}
    async with RealtimeServer(Script(reject=refused)) as server:
        with pytest.raises(UpstreamProtocolError, match="again and again"):
            await upstream_of(server, speed=1.1, reasoning_effort="low").__aenter__()
        assert len(server.received) == 4


async def test_a_voice_that_was_not_asked_for_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async with RealtimeServer(Script(gives={"audio": {"output": {"voice": "echo"}}})) as server, upstream_of(server):
        pass
    assert [record.getMessage() for record in caplog.records] == [
        "OpenAI session differs from its settings in audio.output.voice"
    ]


async def test_a_service_that_would_answer_by_itself_is_refused() -> None:
    insists = {"audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": True}}}}
    async with RealtimeServer(Script(gives=insists)) as server:
        with pytest.raises(UpstreamProtocolError, match="create_response"):
            await upstream_of(server).__aenter__()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("invalid_api_key", UpstreamRefused),
        ("model_not_found", UpstreamRefused),
        ("insufficient_quota", UpstreamRateLimited),
        ("server_error", UpstreamUnavailable),
        ("anything_else", UpstreamProtocolError),
    ],
)
async def test_an_error_in_place_of_a_session_ends_the_attempt(code: str, error: type[UpstreamError]) -> None:
    async with RealtimeServer(Script(hang="created")) as server:
        entering = asyncio.create_task(upstream_of(server).__aenter__())
        await server.until(lambda: server.sessions)
        await server.fail(code)
        with pytest.raises(error, match=code):
            await entering


# -- in use ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1011, None])
async def test_a_close_in_mid_answer_is_an_error_after_what_was_said(code: int | None) -> None:
    async with RealtimeServer(Script(answers=deque([Answer(hold_after=1)]))) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await upstream.send(CreateResponse("req_1_1"))
        await up_to(stream, AudioDelta)
        await server.drop(code)
        with pytest.raises(UpstreamClosed):
            await up_to(stream, ResponseDone)
        with pytest.raises(UpstreamClosed):
            await upstream.send_audio(tone(40))


async def test_an_answer_that_failed_for_what_ends_the_session_ends_it() -> None:
    """The service tells some of its reasons there alone."""
    script = Script(answers=deque([Answer(status="failed", code="insufficient_quota")]))
    async with RealtimeServer(script) as server, upstream_of(server) as upstream:
        await upstream.send(CreateResponse("req_1"))
        with pytest.raises(UpstreamRateLimited, match="insufficient_quota"):
            await up_to(upstream.events(), ResponseDone)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
async def test_a_service_that_is_busy_says_for_how_long(header: str, seconds: float | None) -> None:
    async with RealtimeServer(Script(status=429, retry_after=header)) as server:
        with pytest.raises(UpstreamRateLimited) as busy:
            async with upstream_of(server):
                pass
    assert busy.value.retry_after == seconds


@pytest.mark.parametrize(
    ("code", "error"), [("session_expired", UpstreamClosed), ("insufficient_quota", UpstreamRateLimited)]
)
async def test_an_error_that_ends_the_session_ends_it(code: str, error: type[UpstreamError]) -> None:
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        await server.fail(code)
        with pytest.raises(error, match=code) as ending:
            await up_to(upstream.events(), ResponseDone)
        assert "secret" not in str(ending.value)


async def test_garbage_is_skipped_up_to_a_limit() -> None:
    async with RealtimeServer() as server, upstream_of(server) as upstream:
        stream = upstream.events()
        for _ in range(MALFORMED_LIMIT):
            await server.say(b"\xff\x00 no event")
        await upstream.send(CreateResponse("req_1_1"))
        await up_to(stream, ResponseDone)
        await server.say("[" * 100_000)
        with pytest.raises(UpstreamProtocolError):
            await up_to(stream, ResponseDone)


async def test_a_service_that_no_longer_answers_pings_is_gone() -> None:
    async with RealtimeServer() as server, upstream_of(server, ping_interval=0.1, ping_timeout=0.1) as upstream:
        server.freeze()
        with pytest.raises(UpstreamTimeout):
            await up_to(upstream.events(), ResponseDone)


async def test_a_service_that_no_longer_reads_is_gone() -> None:
    async with RealtimeServer() as server, upstream_of(server, send_timeout=0.2) as upstream:
        server.freeze()
        with pytest.raises(UpstreamTimeout):
            await flood(upstream)


async def test_leaving_closes_the_connection_even_when_its_buffers_are_full() -> None:
    async with RealtimeServer() as server:
        options = OpenAIOptions(api_key=KEY, base_url=server.url, send_timeout=0.1, close_timeout=0.1)
        transport = Watched(options)
        async with asyncio.timeout(5):
            async with OpenAIUpstream(UpstreamSession("en"), options, lambda _: transport) as upstream:
                server.freeze()
                with pytest.raises(UpstreamTimeout):
                    await flood(upstream)
        assert transport.closed.underlying_transport.is_closing()
        with pytest.raises(UpstreamClosed):
            await upstream.send_audio(silence(40))


async def test_leaving_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    async with RealtimeServer() as server:
        async with upstream_of(server) as upstream:
            await speak(upstream, tone(40))
        await server.until(lambda: server.open == 0)
    assert asyncio.all_tasks() == before


async def test_no_log_tells_the_key_the_instructions_or_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tell_operators.cache_clear()
    said = "a sentence that nobody may see"
    script = Script(transcripts=deque([said]), answers=deque([Answer(said)]), gives={"model": "another"})
    async with RealtimeServer(script) as server, upstream_of(server) as upstream:
        stream = upstream.events()
        await speak(upstream, tone(400) + SPEECH_PAUSE)
        await up_to(stream, TranscriptDone)
        await upstream.send(CreateResponse("req_1_1"))
        await up_to(stream, ResponseDone)
        await server.fail("some_code", message=INSTRUCTIONS)
        assert INSTRUCTIONS not in repr((await up_to(stream, Fault))[-1])
    # The server's own library logs under other names.
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("voice")]
    assert ours == [
        "OpenAI session differs from its settings in model",
        "OpenAI writes what visitors say while they say it (gpt-live-transcribe)",
    ]
    assert KEY not in repr(upstream) + repr(vars(upstream))
