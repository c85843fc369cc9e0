"""Whatever a client sends: what is wrong is named, and the conversation goes on; what nobody should send ends it."""

import json
from collections import deque
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.integration.conftest import Visit
from tests.realtime_server import RealtimeServer, tone
from voice.protocol.audio import silence
from voice.tokens import access_token

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 48_000


@pytest.mark.parametrize(
    ("frame", "code", "param"),
    [
        ('{"type": "dance"}', "unknown_type", "type"),
        ('{"kind": "end"}', "unknown_type", "type"),
        ('{"type": "input_te', "invalid_json", None),
        ("[]", "invalid_json", None),
        ("AAAAAAAA", "invalid_json", None),
        ("", "invalid_json", None),
        ('{"type": "mute", "muted": true, "loud": 1}', "unknown_field", "loud"),
        ('{"type": "mute"}', "missing_field", "muted"),
        ('{"type": "playback", "item_id": "a", "played_ms": -1}', "invalid_field", "played_ms"),
        (json.dumps({"type": "input_text", "text": "?" * 4_001}), "invalid_field", "text"),
        (json.dumps({"type": "input_text", "text": " \n"}), "invalid_field", "text"),
        ('{"type": "start"}', "unexpected", "type"),
        ('{"type": "auth.refresh", "token": "nonsense"}', "invalid_field", "token"),
        (b"\0" * 961, "invalid_audio", None),
        (b"\0" * (SECOND + 2), "invalid_audio", None),
    ],
    ids=[
        "unknown message", "no type", "broken JSON", "no object", "audio as text", "nothing", "unknown field",
        "missing field", "wrong number", "typed question too long", "typed question empty", "start again",
        "bad new token", "half a sample", "more than a second",
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_named_and_the_conversation_goes_on(
    visit: Visit, frame: str | bytes, code: str, param: str | None
) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    await client.send(frame)
    error = await client.until("error")
    assert (error["code"], error["param"]) == (code, param)
    assert error["message"]
    await client.ask()


async def test_a_new_token_must_be_the_same_users(visit: Visit, visitor: User, staff: User) -> None:
    client = await visit(start={})
    await client.until("session.ready")
    await client.tell(type="auth.refresh", token=access_token(staff))
    assert (await client.until("error"))["param"] == "token"
    await client.tell(type="auth.refresh", token=access_token(visitor))
    await client.ask()
    assert len([told for told in client.heard if isinstance(told, dict) and told["type"] == "error"]) == 1


async def test_what_is_not_understood_as_the_first_word_is_named_too(visit: Visit) -> None:
    """Also what would be right later. Then the conversation may still begin."""
    client = await visit()
    await client.send("{")
    assert (await client.until("error"))["code"] == "invalid_json"
    await client.send(b"\0")
    assert (await client.until("error"))["code"] == "invalid_audio"
    await client.tell(type="interrupt")
    assert (await client.until("error"))["code"] == "unexpected"
    await client.ask()


@pytest.mark.parametrize("begun", [True, False], ids=["within", "before the first word"])
async def test_the_twentieth_bad_frame_of_audio_is_the_last(visit: Visit, sessions: Any, begun: bool) -> None:
    client = await visit(start={} if begun else None)
    for _ in range(19):
        await client.send(b"\0")
        assert (await client.until("error"))["code"] == "invalid_audio"
    await client.send(b"\0")
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4400, "bad_message", "no")
    assert [row.end_reason for row in await sessions()] == (["bad_message"] if begun else [])


@pytest.mark.parametrize("text", ["x" * 65_537, "é" * 32_769], ids=["characters", "bytes"])
@pytest.mark.parametrize("begun", [True, False], ids=["within", "before the first word"])
async def test_a_text_over_64_kib_ends_it(visit: Visit, sessions: Any, begun: bool, text: str) -> None:
    client = await visit(start={} if begun else None)
    await client.send(text)
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4413, "too_big", "no")
    assert [row.end_reason for row in await sessions()] == (["too_big"] if begun else [])


async def test_who_is_silent_is_asked_to_come_back(visit: Visit, sessions: Any, settings: Any) -> None:
    """Silence is heard, and is no speech."""
    settings.VOICE = {**settings.VOICE, "LIMITS": {"idle_seconds": 1}}
    client = await visit(start={})
    await client.until("session.ready")
    await client.speak(silence(900))
    ending = await client.ending()
    assert (ending["code"], ending["reason"], ending["retry"]) == (4408, "idle", "no")
    [row] = await sessions()
    assert row.end_reason == "idle"
    assert list(row.turns.all()) == []


async def test_a_very_long_question_is_a_question(visit: Visit, upstream: RealtimeServer) -> None:
    """A minute of speech, and the longest text that may be typed."""
    words = " ".join(f"word{n}" for n in range(300))
    upstream.script.transcripts = deque([words])
    client = await visit(start={})
    await client.until("session.ready")
    for _ in range(60):
        await client.send(tone(1_000))
        await upstream.until(lambda: upstream.session.hearing.appended_ms % 1_000 == 0)
    await client.speak(silence(600))
    assert (await client.until("transcript.user", final=True))["text"] == words
    await client.until("audio.item")
    await client.ask("?" * 4_000)


async def test_a_question_in_another_language_is_passed_on_as_it_is(
    visit: Visit, upstream: RealtimeServer, sessions: Any
) -> None:
    """On a page whose language the site does not speak, the site's own holds."""
    upstream.script.transcripts = deque(["何時に開きますか"])
    client = await visit(start={"language": "ja"})
    await client.until("session.ready")
    await client.speak(tone(1_000) + silence(600))
    assert (await client.until("transcript.user", final=True))["text"] == "何時に開きますか"
    await client.until("audio.item")
    await client.ask("Wann macht ihr auf? 🚲")
    assert upstream.conversation[-2]["content"][0]["text"] == "Wann macht ihr auf? 🚲"
    await client.vanish(1001)
    assert [row.language for row in await sessions()] == ["en"]


async def test_the_goodbye_is_in_the_language_of_the_conversation(visit: Visit) -> None:
    client = await visit(start={"language": "fr-CA"})
    await client.until("session.ready")
    await client.tell(type="end")
    assert (await client.ending())["message"] == "Au revoir."
