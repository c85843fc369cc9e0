"""A log line says its session, and neither a secret nor what was said."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from tests.unit.stage import Facts
from tests.unit.test_metrics import turn
from voice import database, logs
from voice.logs import JSONFormatter, LineFormatter, SessionFilter
from voice.observed import Observed
from voice.protocol.counters import Counters
from voice.protocol.outcomes import EndReason

CANARY = "sk-canary-0123456789"


@pytest.fixture(params=[LineFormatter, JSONFormatter])
def formatter(request: Any) -> logging.Formatter:
    return request.param()


def record(message: str = "hello", *, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("voice.session", logging.INFO, __file__, 1, message, (), info)
    vars(made).update(extra)
    SessionFilter().filter(made)
    return made


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


async def test_every_line_of_a_session_has_its_id_whoever_writes_it():
    logs.current.set("abc")
    assert record().session == "abc"

    async def task() -> str:
        return record().session

    assert await asyncio.create_task(task()) == "abc"
    assert await database.call(lambda: record().session, limit=5) == "abc"
    assert record(session="given").session == "given"


def test_outside_a_session_there_is_none():
    assert record().session == "-"


def test_a_line_for_people():
    assert LineFormatter().format(record("hello", session="abc")).endswith("INFO voice.session [abc]: hello")


def test_an_object_for_programs():
    told = json.loads(JSONFormatter().format(record("hello", session="abc", turns=3)))
    assert told.pop("time").endswith("+00:00")
    assert told == {"level": "INFO", "logger": "voice.session", "message": "hello", "session": "abc", "turns": 3}


def test_nobody_can_write_a_line_of_their_own(formatter):
    written = formatter.format(record("one\n2026-11-28 CRITICAL root: two\r\u2028\x1b[31m"))
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written


def test_a_message_ends_somewhere(formatter):
    assert len(formatter.format(record("x" * 100_000))) < 3_000


def test_of_an_error_its_kind_and_its_way_are_told_and_not_its_text(formatter):
    inner = raised(KeyError(CANARY))
    group = ExceptionGroup("group", [raised(ValueError(f"in {CANARY}"), inner)])
    outer = raised(ExceptionGroup("group of groups", [group]), inner)
    written = formatter.format(record("a conversation failed", error=outer))
    assert CANARY not in written
    assert "builtins.KeyError" in written
    assert "builtins.ValueError" in written
    assert "test_logs.py" in written


def test_another_formatters_account_of_the_error_is_not_printed(formatter):
    failed = record("failed", error=raised(ValueError(CANARY)))
    assert CANARY in logging.Formatter().format(failed)
    assert CANARY not in formatter.format(failed)
    assert CANARY in logging.Formatter().format(failed), "nor is that one robbed of it"


async def test_a_session_has_a_line_at_its_start_and_one_at_its_end(caplog):
    caplog.set_level(logging.INFO, "voice.session")
    observed = Observed(Facts())
    observed.began("openai", "gpt-realtime", "fr", "USD")
    await observed.keep(turn(), Counters())
    observed.remember(Counters(turns_count=1, searches_hit=1, searches_superseded=2))
    observed.ended(EndReason.IDLE, received=100, sent=200, depths={})
    begins, ends = caplog.messages
    assert begins == "begins with openai gpt-realtime in fr"
    assert ends == "ends after 0.0 s: idle; 1 turns, 3 searches (1 hit, 2 superseded), 100 frames received, 200 sent"
    assert caplog.records[1].frames_received == 100


async def test_a_turn_is_told_at_debug_and_not_what_was_said(caplog):
    caplog.set_level(logging.DEBUG, "voice.session")
    await Observed(Facts()).keep(turn(), Counters())
    (line,) = caplog.messages
    assert line.startswith("turn 1 completed")
    assert "canary" not in line
