"""Log lines of ``voice``: each says its session, and none says a secret, or what was said.

:class:`SessionFilter` gives every record the session in which it was written. Two formatters, one for people and one
for programs, print it. Both print of an error where it came from and of which kind it is, and not its text, which is
whatever a library put there: a request with its key, a passage, a question. Line breaks in a message are escaped, so
that nobody can write lines of their own. In a site's own ``LOGGING``::

    "filters": {"session": {"()": "voice.logs.SessionFilter"}},
    "formatters": {"json": {"()": "voice.logs.JSONFormatter"}},
"""

from __future__ import annotations

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

current: ContextVar[str] = ContextVar("voice_session", default="")
"""Id of the session in which this code runs, its tasks and its database calls included."""

LONGEST = 2_000
"""Characters of a message."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "session", "taskName"}


class SessionFilter(logging.Filter):
    """Sets ``session`` of each record; ``-`` outside any."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drops a record."""
        if not hasattr(record, "session"):
            record.session = current.get() or "-"
        return True


class LineFormatter(logging.Formatter):
    """One line for each record, for people."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} [{session}]: {message}", style="{", defaults={"session": "-"})

    def format(self, record: logging.LogRecord) -> str:
        """As the superclass does, which would print what another formatter has made of the error and left here."""
        others, record.exc_text = record.exc_text, None
        try:
            return super().format(record)
        finally:
            record.exc_text = others

    def formatMessage(self, record: logging.LogRecord) -> str:
        """With the message on one line."""
        record.message = _one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: _ExcInfo) -> str:
        """Where it came from and what it is, without its text."""
        return describe(ei[1]) if ei[1] is not None else ""


class JSONFormatter(logging.Formatter):
    """One JSON object for each record: ``time``, ``level``, ``logger``, ``message``, ``session``, and what the record
    has besides."""

    def format(self, record: logging.LogRecord) -> str:
        """As above; ``error`` of an exception is where it came from and what it is."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:LONGEST],
            "session": getattr(record, "session", "-"),
        }
        more = {name: value for name, value in vars(record).items() if name not in _OWN}
        fields |= {name: value for name, value in more.items() if isinstance(value, str | int | float | bool)}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = describe(record.exc_info[1])
        return json.dumps(fields)


def describe(error: BaseException) -> str:
    """The kind of an error, its causes, and the lines that it came through; no text and no values."""
    lines: list[str] = []
    for each in _chain(error):
        lines += [f"  {f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(each.__traceback__)]
        lines.append(f"{type(each).__module__}.{type(each).__qualname__}")
    return "\n".join(lines)


def _chain(error: BaseException) -> list[BaseException]:
    """Causes first."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain and len(chain) < 10:
        chain.append(following)
        unasked = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or unasked
    inner = [each for member in chain if isinstance(member, BaseExceptionGroup) for each in _members(member)]
    return [*inner, *reversed(chain)]


def _members(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    """The errors of a group, and of groups in it; ten of each at most."""
    members: list[BaseException] = []
    for each in group.exceptions[:10]:
        members += [*_members(each), each] if isinstance(each, BaseExceptionGroup) else [each]
    return members


def _one_line(message: str) -> str:
    kept = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message[:LONGEST])
    return kept if len(message) <= LONGEST else kept + "…"
