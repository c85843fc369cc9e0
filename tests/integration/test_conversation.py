"""The whole conversation over a real server: asked aloud, answered, interrupted, asked again, asked in writing."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests import speech
from tests.client import Received, VoiceClient
from tests.integration.conftest import OpenAISite
from tests.realtime_server import Answer, tone
from tests.server import Row, Site
from voice.protocol.audio import silence

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="module")]

ANSWERED_MS = 1_000
"""How much of the first answer is listened to before it is interrupted."""


@dataclass(frozen=True)
class Talk:
    """What is asked, and what the site knows about it."""

    language: str
    question: str
    source: str
    follow_up: str
    second_source: str
    typed: str
    third_source: str

    def spoken(self) -> tuple[bytes, bytes]:
        """The two spoken questions. Made before the conversation: synthesis is work."""
        return speech.spoken(self.question, self.language), speech.spoken(self.follow_up, self.language)


ENGLISH = Talk(
    "en",
    "How late does the harbour shop stay open on weekdays?", "Opening hours of the harbour shop",
    "And what about opening on Sundays?", "Opening on Sundays and public holidays",
    "What do you charge for repairing a puncture in my front tyre?", "Price of repairing a puncture",
)  # fmt: skip
FRENCH = Talk(
    "fr",
    "Comment prendre un rendez-vous à l'atelier pour une réparation ?", "Prendre rendez-vous à l’atelier",
    "Et combien coûte la location d'un vélo de ville pour une journée ?",
    "Prix de la location d’un vélo de ville à la journée",
    "Combien coûte la réparation d'une crevaison ?", "Prix d’une réparation de crevaison",
)  # fmt: skip
TALKS = pytest.mark.parametrize("talk", [ENGLISH, FRENCH], ids=["en", "fr"])


@TALKS
async def test_the_embedded_provider_holds_the_conversation(local_site: Site, talk: Talk) -> None:
    """Offline, with nothing but the packages."""
    async with VoiceClient(local_site.url, local_site.token, language=talk.language) as client:
        await converse(client, talk)
    assert_recorded(local_site, client, "local")


@TALKS
async def test_openai_holds_the_same_conversation(openai_site: OpenAISite, talk: Talk) -> None:
    """And its memory of the interrupted answer ends where the visitor stopped hearing it."""
    site, upstream = openai_site.site, openai_site.upstream
    upstream.script.transcripts = deque([talk.question, talk.follow_up])
    upstream.script.answers = deque([Answer("word " * 20), Answer("word " * 20), Answer("word " * 20)])
    async with VoiceClient(site.url, site.token, language=talk.language) as client:
        interrupted = await converse(client, talk)
        assert upstream.session.truncated[interrupted] == pytest.approx(client.reported[interrupted], abs=50)
    assert_recorded(site, client, "openai")
    await upstream.until(lambda: upstream.open == 0)


async def test_a_turn_is_completed_when_its_answer_was_heard_to_the_end(openai_site: OpenAISite) -> None:
    """By the client's word, a second before the clock would say so by itself."""
    openai_site.upstream.script.answers = deque([Answer("Just so.")])
    async with VoiceClient(openai_site.site.url, openai_site.site.token) as client:
        await client.ask("Is it so?")
        first = await client.until("audio")
        done = await client.until("turn.done")
        await client.end()
    assert done["outcome"] == "completed"
    assert done.at - first.at == pytest.approx(0.6, abs=0.3)
    assert len(client.audio()) == 600 * 48


async def test_push_to_talk_asks_when_the_visitor_lets_go(openai_site: OpenAISite) -> None:
    """Silence does not: the microphone hears some before."""
    openai_site.upstream.script.transcripts = deque(["when do you open on sundays"])
    async with VoiceClient(openai_site.site.url, openai_site.site.token, mode="push_to_talk") as client:
        await client.until("session.ready")
        await client.say(tone(1_000) + silence(1_000))
        assert not client.all("speech.stopped")
        await client.tell(type="commit")
        await client.until("audio")
        final = await client.until("transcript.user", final=True)
        await client.end()
    assert final["text"] == "when do you open on sundays"


async def test_a_program_that_dies_in_mid_answer_leaves_nothing_behind(openai_site: OpenAISite) -> None:
    """Nor does the server wait for it."""
    site, upstream = openai_site.site, openai_site.upstream
    upstream.script.answers = deque([Answer("word " * 20)])
    async with VoiceClient(site.url, site.token) as client:
        ready = await client.until("session.ready")
        await client.ask("Tell me everything.")
        await client.until("audio")
        client.vanish()
        await upstream.until(lambda: upstream.open == 0, seconds=1)
    assert (await site.ended(ready["session_id"]))["end_reason"] == "client_lost"
    assert [turn["outcome"] for turn in site.turns(ready["session_id"])] == ["interrupted"]


# -- what happens, and what must follow -------------------------------------------------------------------------


async def converse(client: VoiceClient, talk: Talk) -> str:
    """Ask aloud, interrupt the answer after a second with another question, ask a third in writing, hang up.

    Returns the item that was interrupted.
    """
    question, follow_up = talk.spoken()
    await client.until("session.ready")

    await client.say(question)
    first = await client.until("audio")
    assert_captions_while_speaking(client)
    assert_sources(client.all("context")[0], talk.source)
    assert client.all("context")[0]["prefetched"]
    await client.heard(first["item_id"], ANSWERED_MS)

    await client.say(follow_up)
    stop = await client.until("playback.stop")
    await client.until("turn.done", turn=1, outcome="interrupted")
    second = await client.until("audio", after=stop)
    assert first["item_id"] not in {frame["item_id"] for frame in client.all("audio", after=stop)}
    assert_sources(client.all("context")[1], talk.second_source)

    await client.ask(talk.typed)
    done = await client.until("turn.done", turn=2, outcome="interrupted")
    third = await client.until("audio", after=done)
    assert len({first["item_id"], second["item_id"], third["item_id"]}) == 3
    assert_sources(client.all("context")[2], talk.third_source)

    ending = await client.end()
    assert (ending["code"], ending["reason"], await client.closed()) == (1000, "client_hangup", 1000)
    return str(first["item_id"])


def assert_captions_while_speaking(client: VoiceClient) -> None:
    kinds = [frame.type for frame in client.received]
    captions = [frame for frame in client.received[: kinds.index("speech.stopped")] if frame.type == "transcript.user"]
    assert captions, "no caption before the question ended"
    assert not any(caption["final"] for caption in captions)


def assert_sources(context: Received, title: str) -> None:
    assert title in [source["title"] for source in context["sources"]]


def assert_recorded(site: Site, client: VoiceClient, provider: str) -> None:
    """What the records say of the conversation."""
    session_id = client.all("session.ready")[0]["session_id"]
    session, turns = site.session(session_id), site.turns(session_id)
    assert (session["provider"], session["end_reason"]) == (provider, "client_hangup")
    assert session["started_at"] < session["ready_at"] < session["ended_at"]
    assert [(turn["number"], turn["outcome"], turn["typed"]) for turn in turns] == [
        (1, "interrupted", 0),
        (2, "interrupted", 0),
        (3, "interrupted", 1),
    ]
    assert_prefetched(turns[0])


def assert_prefetched(turn: Row) -> None:
    """The search began, and its passages stood in the conversation, before the visitor stopped speaking."""
    steps = ["speech_started", "first_partial", "search_started", "context_ready", "speech_stopped", "first_audio"]
    assert all(turn["marks"][before] <= turn["marks"][after] for before, after in pairwise(steps)), turn["marks"]
    assert turn["prefetched"] == turn["context_confirmed"] == 1
