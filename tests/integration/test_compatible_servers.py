"""Servers that are compatible with GA Realtime but for this and that: the conversation is the same with each."""

from collections import deque
from collections.abc import Callable

import pytest

from tests.integration.conftest import Visit
from tests.integration.visitor import Visitor
from tests.realtime_server import Answer, RealtimeServer, tone
from tests.realtime_server.manners import MANNERS, SERVERS, Manner, speech_to_speech
from voice.protocol.audio import silence

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "when do you open on sundays please"


async def converse(client: Visitor, upstream: RealtimeServer) -> None:
    """Ask aloud, interrupt the answer with another question, ask a third in writing, and hear it to its end."""
    upstream.script.transcripts = deque([QUESTION, QUESTION])
    upstream.script.answers = deque([Answer("word " * 20), Answer("word " * 20), Answer("Just so.")])
    await client.until("session.ready")
    await client.speak(tone(1_500) + silence(700))
    await client.until("speech.stopped")
    first = await client.until("audio.item")
    await client.speak(tone(1_500) + silence(700))
    stop = await client.until("playback.stop")
    await client.tell(type="playback", item_id=stop["item_id"], played_ms=300)
    await client.until("turn.done", turn=1, outcome="interrupted")
    second = await client.until("audio.item")
    third = await client.ask()
    await client.until("audio.done", item_id=third["item_id"])
    await client.tell(type="playback", item_id=third["item_id"], played_ms=600)
    await client.until("turn.done", turn=3, outcome="completed")
    assert len({first["item_id"], second["item_id"], third["item_id"]}) == 3
    finals = [m for m in client.heard if isinstance(m, dict) and m["type"] == "transcript.user" and m["final"]]
    assert [final["text"] for final in finals][:2] == [QUESTION, QUESTION]
    answers = [event["response"]["status"] for event in upstream.main.sent if event["type"] == "response.done"]
    assert answers == ["cancelled", "cancelled", "completed"]
    assert upstream.second is None, "the words are there in time, so nobody else has to write them"


@pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.__name__)
async def test_a_server_with_ways_of_its_own(
    visit: Visit, upstream: RealtimeServer, manner: Callable[[], Manner]
) -> None:
    upstream.script.manner = manner()
    await converse(await visit(start={}), upstream)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
async def test_a_server_with_all_of_its_ways_at_once(
    visit: Visit, upstream: RealtimeServer, server: Callable[[], Manner]
) -> None:
    upstream.script.manner = server()
    if server is speech_to_speech:
        upstream.script.idle, upstream.script.unable = {"conversation.item.truncate"}, {"conversation.item.delete"}
    await converse(await visit(start={}), upstream)


@pytest.mark.parametrize("missing", ["conversation.item.truncate", "conversation.item.delete"])
@pytest.mark.parametrize("how", ["unable", "idle"])
async def test_a_server_that_cannot_do_everything(
    visit: Visit, upstream: RealtimeServer, missing: str, how: str
) -> None:
    """huggingface/speech-to-speech cuts no answer and deletes no item, whether it says so or not."""
    setattr(upstream.script, how, {missing})
    await converse(await visit(start={}), upstream)


@pytest.mark.parametrize("manner", [m for m in MANNERS if "transcripts" in m.__name__], ids=lambda m: m.__name__)
async def test_words_that_come_as_a_whole_are_captions_and_searched_for(
    visit: Visit, upstream: RealtimeServer, manner: Callable[[], Manner]
) -> None:
    """While they are said, and none of them is final before."""
    upstream.script.manner = manner()
    upstream.script.transcripts = deque([QUESTION])
    client = await visit(start={})
    await client.until("session.ready")
    await client.speak(tone(1_500) + silence(700))
    await client.until("speech.stopped")
    captions = [m for m in client.heard if isinstance(m, dict) and m["type"] == "transcript.user"]
    assert len(captions) > 3
    assert not any(caption["final"] for caption in captions)
    assert QUESTION.startswith(captions[-1]["text"])
    await client.until("audio.item")
