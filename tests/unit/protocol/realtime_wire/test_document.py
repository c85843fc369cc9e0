"""``voice/docs/realtime.md`` says what the code does: the events of either side, and the sizes."""

import inspect
import re
from pathlib import Path
from types import ModuleType

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


def test_the_table_names_every_event_of_the_client_and_no_other() -> None:
    rows = "".join(re.findall(r"^\| (`.*?) \|", section("What a client says"), re.MULTILINE))
    assert named(rows) | {"conversation.item.delete"} == CLIENT_TYPES


def test_every_event_of_the_server_is_named() -> None:
    told = written(answer) | written(telling) | (written(client_events) - CLIENT_TYPES)
    told |= {"conversation.item.added", "conversation.item.done"}
    said = named(section("What it hears")) | named(section("What a client says"))
    answers = {"conversation.item.truncated", "conversation.item.retrieved", "input_audio_buffer.cleared"}
    assert told - answers <= said


def test_the_sizes_are_those_of_the_code() -> None:
    assert f"{TYPED_LIMIT} characters" in section("What a client says")
    assert items.KEPT == 16
    assert "newest sixteen items" in section("What a client says")
