"""``voice/docs/protocol.md`` says what the code does: its examples, its types, its codes."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voice.protocol import commands as c
from voice.protocol.context import Source
from voice.protocol.history import History
from voice.protocol.outcomes import EndReason, Retry, TurnOutcome
from voice.protocol.wires import fields, voice_v1
from voice.protocol.wires.voice_v1 import CLIENT_TYPES, SERVER_TYPES, VoiceV1

DOCUMENT = (Path(voice_v1.__file__).parents[2] / "docs" / "protocol.md").read_text()


def section(title: str) -> str:
    """A section of the document, without its heading."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found.group(1)


CLIENT, SERVER, ENDS = section("Client to server"), section("Server to client"), section("How a session ends")


def examples(text: str) -> list[dict[str, Any]]:
    """The JSON messages of a section, a line each."""
    blocks = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [json.loads(line) for block in blocks for line in block.splitlines()]


def documented_fields(text: str) -> dict[str, set[str]]:
    """Type and fields of each row of a section's table."""
    rows = re.findall(r"^\| `([a-z_.]+)` \|(.*?)\| ", text, re.MULTILINE)
    without_details = {kind: re.sub(r"\([^)]*\)|`[\[{][^`]*`", "", fields) for kind, fields in rows}
    return {kind: set(re.findall(r"`([a-z_]+)`", fields)) for kind, fields in without_details.items()}


def _context(m: dict[str, Any]) -> c.ToBrowser:
    return c.TellContext(tuple(Source(**each) for each in m["sources"]), m["prefetched"], m["waited_ms"])


COMMANDS: dict[str, Callable[[dict[str, Any]], c.ToBrowser]] = {
    "session.ready": lambda m: c.TellReady(m["session_id"], m["provider"], m["seconds"], m["resume"] or ""),
    "history": lambda m: c.TellHistory(History.load(m["items"])),
    "speech.started": lambda m: c.TellSpeechStarted(m["item_id"]),
    "speech.stopped": lambda m: c.TellSpeechStopped(m["item_id"]),
    "transcript.user": lambda m: c.TellUserTranscript(m["item_id"], m["text"], m["final"]),
    "transcript.assistant": lambda m: c.TellAnswerTranscript(m["item_id"], m["delta"]),
    "audio.item": lambda m: c.Play(m["item_id"], b"\0\0"),
    "audio.done": lambda m: c.PlayDone(m["item_id"]),
    "playback.stop": lambda m: c.StopPlayback(m["item_id"]),
    "context": _context,
    "turn.done": lambda m: c.TellTurnDone(m["turn"], TurnOutcome(m["outcome"]), m["latencies"]),
    "notice": lambda m: c.TellNotice(m["code"]),
    "session.expiring": lambda m: c.TellExpiring(m["seconds"], m["why"]),
    "session.ending": lambda m: c.TellEnding(EndReason(m["reason"]), m["message"], m["retry_after_ms"]),
    "error": lambda m: c.TellError(m["code"], m["message"], m["param"]),
}


def told(example: dict[str, Any]) -> str:
    """The frame that the server would really send to say this."""
    frame = VoiceV1().encode(COMMANDS[example["type"]](example))[0]
    assert isinstance(frame, str)
    return frame


@pytest.mark.parametrize("example", examples(CLIENT), ids=lambda example: example["type"])
def test_the_clients_examples_are_understood(example: dict[str, Any]) -> None:
    VoiceV1().decode(json.dumps(example))


@pytest.mark.parametrize("example", examples(SERVER), ids=lambda example: example["type"])
def test_the_servers_examples_are_what_it_sends(example: dict[str, Any]) -> None:
    assert list(json.loads(told(example)).items()) == list(example.items())


@pytest.mark.parametrize(("text", "types"), [(CLIENT, CLIENT_TYPES), (SERVER, SERVER_TYPES)], ids=["client", "server"])
def test_the_tables_and_the_examples_name_every_type_and_no_other(text: str, types: frozenset[str]) -> None:
    assert documented_fields(text).keys() == types
    assert {example["type"] for example in examples(text)} == types


@pytest.mark.parametrize("text", [CLIENT, SERVER], ids=["client", "server"])
def test_the_tables_name_every_field_of_the_examples_and_no_other(text: str) -> None:
    documented = documented_fields(text)
    for example in examples(text):
        assert example.keys() - {"type"} == documented[example["type"]], example["type"]


def test_every_error_code_of_the_codec_is_listed() -> None:
    used = set(re.findall(r'WireError\(\s*"([a-z_]+)"', inspect.getsource(voice_v1) + inspect.getsource(fields)))
    listed = re.search(r"^`error` codes: (.*?)\n\n", SERVER, re.MULTILINE | re.DOTALL)
    assert used
    assert listed
    assert used <= set(re.findall(r"`([a-z_]+)`", listed.group(1)))


def test_the_close_codes_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d{4}) \| (.*?) \| (.*?) \|$", ENDS, re.MULTILINE)
    documented = {
        (reason, int(code), Retry(re.split(r"\W", retry)[0]))
        for code, reasons, retry in rows
        for reason in re.findall(r"`([a-z_]+)`", reasons)
    }
    # A client that is lost hears no close code.
    real = {
        (r.value, r.ending.code, r.ending.retry)
        for r in EndReason
        if not r.startswith("client_") or r is EndReason.CLIENT_HANGUP
    }
    assert documented == real


def test_the_limits_are_those_of_the_code() -> None:
    for limit in ("48,000 bytes", "64 KiB", f"{voice_v1.PAGE_TEXT_LIMIT} characters", f"{fields.TYPED_LIMIT} char"):
        assert limit in CLIENT
    assert (fields.AUDIO_LIMIT, fields.TEXT_LIMIT) == (48_000, 64 * 1024)
