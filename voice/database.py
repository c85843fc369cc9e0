"""Where database calls of live conversations run: in four threads of their own, each call with a time limit.

Django's thread-sensitive thread is one for the whole process: the ORM calls of every view and of every other socket
queue up in it, so one slow page of the host's would hold up each admission (10 sockets with queries of 0.2 s take 2 s
there). The event loop's default pool is no better place: the host's and the recogniser's work waits in it.

Four threads, because a conversation writes about once a turn (milliseconds), while one hung connection must not stop
all others; and because each thread holds a connection, which counts on a shared database. Concurrent writers are no
danger to SQLite as long as each call is one statement or begins as a writer: nothing here reads in order to write.

The threads keep their connections for a while, whatever ``CONN_MAX_AGE`` is: opening one costs more than most calls.
Django's advice against that under ASGI is about threads that come and go; these stay.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections, reset_queries

from voice.condition import Part, note

T = TypeVar("T")

KEPT_SECONDS = 60.0
"""For which a connection of these threads is used."""

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="voice-database")


async def call(function: Callable[..., T], *args: Any, limit: float, **kwargs: Any) -> T:
    """Call ``function`` in a database thread and return what it returns.

    Raises ``TimeoutError`` after ``limit`` seconds. A call that had not begun by then never runs; one that had runs
    on unheard (a thread cannot be stopped), so it may still take effect.
    """
    context = contextvars.copy_context()
    work = partial(context.run, _on_kept_connections, partial(function, *args, **kwargs))
    # Not wait_for: up to Python 3.11 it loses a cancellation that comes in the instant in which the call is done.
    try:
        async with asyncio.timeout(limit):
            answer = await asyncio.get_running_loop().run_in_executor(_threads, work)
    except (OperationalError, InterfaceError, TimeoutError):
        note(Part.DATABASE, ok=False)
        raise
    note(Part.DATABASE, ok=True)
    return answer


def ask(function: Callable[[], T], *, limit: float) -> T:
    """Call ``function``, for code that cannot await: a template, which an async view may render.

    On an event loop, where Django allows no query, it runs in a database thread and holds up the loop for ``limit``
    seconds at most; then it raises ``TimeoutError``.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function()
    return _threads.submit(_on_kept_connections, function).result(limit)


def on_fresh_connections(function: Callable[[], T]) -> T:
    """Call ``function`` here, in order: ``CONN_MAX_AGE`` holds as around a view, a broken connection is replaced."""
    close_old_connections()
    try:
        return function()
    finally:
        close_old_connections()


def _on_kept_connections(function: Callable[[], T]) -> T:
    """Call ``function`` here. A connection that it opens stays, until it is old or found to be broken."""
    reset_queries()  # with DEBUG, Django remembers 9,000 of each connection, and forgets them as a request begins
    close_old_connections()
    before = {each for each in connections.all(initialized_only=True) if each.connection is not None}
    try:
        return function()
    finally:
        for each in connections.all(initialized_only=True):
            if each not in before:
                each.close_at = time.monotonic() + KEPT_SECONDS
                # The server may have been restarted since the last call.
                each.health_check_enabled = True  # type: ignore[attr-defined]  # missing in the stubs
        close_old_connections()
