"""``voice/docs/realtime.md`` says what the code does: the events of either side, its examples, and the sizes."""

import inspect
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.unit.protocol.realtime_wire.client import PUSH_TO_TALK, Client, Event, answering
from voice.protocol import commands as c
from voice.protocol.wires import realtime
from voice.protocol.wires.fields import TYPED_LIMIT
from voice.protocol.wires.realtime import answer, client_events, items, telling
from voice.protocol.wires.realtime.client_events import CLIENT_TYPES

DOCUMENT = (Path(realtime.__file__).parents[3] / "docs" / "realtime.md").read_text()


def section(title: str) -> str:
    return DOCUMENT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def named(text: str) -> set[str]:
    """The event types in it; ``.done`` continues the one before."""
    types: set[str] = set()
    family = ""
    for name in re.findall(r"`([a-z_.]+)`", text):
        if name.startswith("."):
            types.add(family + name)
        elif "." in name:
            types.add(name)
            family = name.rpartition(".")[0] if name != "response.created" else "response"
    return types


def written(module: ModuleType) -> set[str]:
    """The types of server events in a module's source."""
    return set(
        re.findall(r'"((?:session|conversation|input_audio_buffer|response)\.[a-z_.]+)"', inspect.getsource(module))
    )


def examples(title: str) -> list[Event]:
    """The events of a section, a line each."""
    (block,) = re.findall(r"^```json\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    return [json.loads(line) for line in block.splitlines() if line]


USAGE = {
    "input_token_details": {
        "text_tokens": 100,
        "audio_tokens": 20,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0},
    },
    "output_token_details": {"text_tokens": 10, "audio_tokens": 20},
}
SAID, HEARD = examples("What a client says"), examples("What it hears")


def told() -> set[str]:
    """The types of all events that the server may send."""
    written_down = written(answer) | written(telling) | (written(client_events) - CLIENT_TYPES)
    transcription = {f"conversation.item.input_audio_transcription.{step}" for step in ("delta", "completed")}
    return written_down | transcription | {"conversation.item.added", "conversation.item.done", "error"}


def conversation() -> list[Event]:
    """All that a client is told who asks aloud, hears the answer, and then says some more."""
    client = Client(audio={"input": {"transcription": {"language": "en"}}, "output": {"voice": "cedar"}})
    client.append(1_000)
    client.tell(c.TellSpeechStarted("item_u"))
    client.append(900)
    client.tell(
        c.TellSpeechStopped("item_u"),
        c.TellCommitted("item_u"),
        c.TellUserTranscript("item_u", "When do you", False),
        c.TellUserTranscript("item_u", "When do you open?", True),
        c.TellAnswerStarted("resp_1"),
        c.TellAnswerTranscript("item_a", "At nine."),
        c.Play("item_a", bytes(4)),
        c.PlayDone("item_a"),
        c.TellAnswerDone("resp_1", "completed", None, USAGE),
    )
    client.say("conversation.item.truncate", item_id="item_a", content_index=0, audio_end_ms=1_250)
    client.say("conversation.item.retrieve", item_id="item_a")
    client.refused("conversation.item.delete", item_id="item_a")
    pushing = Client(**PUSH_TO_TALK)
    pushing.say("input_audio_buffer.clear")
    return client.told + pushing.told


def shows(example: Any, event: Any) -> bool:
    """Whether all that is in the example is in the event; of its objects, fields may be left out."""
    if isinstance(example, dict) and isinstance(event, dict):
        return all(name in event and shows(value, event[name]) for name, value in example.items())
    return bool(example == event)


def test_there_is_an_example_of_every_event_of_the_client() -> None:
    assert sorted(example["type"] for example in SAID) == sorted(CLIENT_TYPES - {"conversation.item.delete"})


@pytest.mark.parametrize("example", SAID, ids=lambda example: example["type"])
def test_the_clients_examples_are_understood(example: Event) -> None:
    client = Client(**PUSH_TO_TALK)
    client.append(500)
    client.type()
    answering(client)
    client.say(example["type"], **{name: value for name, value in example.items() if name != "type"})
    assert client.told[-1]["type"] != "error"


def test_there_is_an_example_of_every_event_of_the_server() -> None:
    assert sorted(example["type"] for example in HEARD) == sorted(told())


@pytest.mark.parametrize("example", HEARD, ids=lambda example: example["type"])
def test_the_servers_examples_are_what_it_says(example: Event) -> None:
    wanted = {**example, "event_id": ""}
    alike = [event for event in conversation() if {*event} == {*example} and shows(wanted, {**event, "event_id": ""})]
    assert alike


def test_the_table_names_every_event_of_the_client_and_no_other() -> None:
    rows = "".join(re.findall(r"^\| (`.*?) \|", section("What a client says"), re.MULTILINE))
    assert named(rows) | {"conversation.item.delete"} == CLIENT_TYPES


def test_every_event_of_the_server_is_named() -> None:
    said = named(section("What it hears")) | named(section("What a client says"))
    answers = {"conversation.item.truncated", "conversation.item.retrieved", "input_audio_buffer.cleared"}
    assert told() - answers - {"error"} <= said


def test_the_sizes_are_those_of_the_code() -> None:
    assert f"{TYPED_LIMIT} characters" in section("What a client says")
    assert items.KEPT == 16
    assert "newest sixteen items" in section("What a client says")
