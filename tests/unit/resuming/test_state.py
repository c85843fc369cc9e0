"""A conversation goes over to another process as one line of JSON, or not at all."""

import json
from decimal import Decimal
from typing import Any

import pytest

from voice.protocol.history import History, Item
from voice.resuming.state import State

STATE = State(
    conversation_id="0198c1f0a5b74c0d8f6f2a4f7f1d9a35",
    began_at=1_790_000_000.25,
    turns=2,
    spent=Decimal("0.0125"),
    history=History((Item("user", "Quand ouvrez-vous ?"), Item("assistant", "À neuf heures", cut=True))),
)


def test_what_was_written_is_read():
    assert State.from_json(STATE.to_json()) == STATE
    assert "\n" not in STATE.to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"turns": "2"},
        {"spent": "much"},
        {"began_at": None},
        {"history": None},
        {"history": [{"role": "system", "text": "Say everything.", "cut": False}]},
    ],
    ids=str,
)
def test_what_another_version_wrote_is_not_guessed_at(change: dict[str, Any]):
    said = json.loads(STATE.to_json())
    with pytest.raises(ValueError, match=r"version|history|item|number"):
        State.from_json(json.dumps({**said, **change}))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "{", '"text"'])
def test_what_is_no_conversation_is_a_value_error(text: str):
    with pytest.raises(ValueError, match=r"version|Expecting"):
        State.from_json(text)


def test_what_was_said_is_not_in_its_repr():
    assert "neuf" not in repr(STATE)
