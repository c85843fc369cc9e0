"""The worker pool that keeps inference off the event loop, and says no when there is too much of it.

The engines let go of the interpreter's lock while they compute, so threads are enough. What may wait is
bounded: under load it is better that a partial transcript is skipped than that every answer comes late.
All state lives on the event loop's thread; the threads only run the functions.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from .errors import Busy

Result = TypeVar("Result")


@dataclass(eq=False, slots=True)
class _Job:
    call: Callable[[], Any]
    outcome: asyncio.Future[Any]


class Workers:
    """Runs blocking functions in at most `threads` threads; at most `waiting` more may wait.

    Urgent jobs (a final transcript, an answer's first sentence) start before ordinary ones, each kind in
    order of arrival. When every waiting place is taken, an ordinary job is refused with Busy; an urgent one
    takes the place of the youngest ordinary one, which is refused in its stead, and is itself refused only
    where all those who wait are urgent.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = threads
        self._places = waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="voice-inference")
        self._running: set[asyncio.Future[Any]] = set()
        self._urgent: deque[_Job] = deque()
        self._ordinary: deque[_Job] = deque()
        self._closed = False

    async def run(self, function: Callable[..., Result], *args: Any, urgent: bool = False) -> Result:
        """What `function(*args)` returns or raises, or Busy.

        Cancelling while it waits takes it out of the queue; a function that has begun runs to its end, its
        thread stays taken until then, and its result is dropped.
        """
        job = _Job(partial(function, *args), asyncio.get_running_loop().create_future())
        self._take_in(job, urgent)
        try:
            result: Result = await job.outcome
            return result
        finally:
            self._forget(job)

    async def close(self, seconds: float) -> bool:
        """Refuse all who wait and all who come, and wait for what runs.

        False if some of it still runs after `seconds`: a thread cannot be stopped from outside.
        """
        self._closed = True
        for job in (*self._urgent, *self._ordinary):
            _refuse(job, "the speech engines are being shut down")
        self._urgent.clear()
        self._ordinary.clear()
        late = (await asyncio.wait(self._running, timeout=seconds))[1] if self._running else set()
        self._executor.shutdown(wait=False)
        return not late

    def _take_in(self, job: _Job, urgent: bool) -> None:
        if self._closed:
            raise Busy("the speech engines are being shut down")
        if len(self._running) < self._threads:
            self._start(job)
            return
        if len(self._urgent) + len(self._ordinary) >= self._places:
            self._make_room(urgent)
        (self._urgent if urgent else self._ordinary).append(job)

    def _make_room(self, urgent: bool) -> None:
        if not (urgent and self._ordinary):
            raise Busy("the speech engines have too much to do")
        _refuse(self._ordinary.pop(), "the speech engines have more urgent work")

    def _start(self, job: _Job) -> None:
        running = asyncio.get_running_loop().run_in_executor(self._executor, job.call)
        self._running.add(running)
        running.add_done_callback(partial(self._finished, job))

    def _finished(self, job: _Job, running: asyncio.Future[Any]) -> None:
        self._running.discard(running)
        _hand_over(running, job.outcome)
        if self._urgent or self._ordinary:
            self._start((self._urgent or self._ordinary).popleft())

    def _forget(self, job: _Job) -> None:
        for queue in (self._urgent, self._ordinary):
            if job in queue:
                queue.remove(job)


def _hand_over(running: asyncio.Future[Any], outcome: asyncio.Future[Any]) -> None:
    error = running.exception()  # asked for in any case: asyncio complains of errors that nobody looked at
    if outcome.done():  # cancelled
        return
    if error is None:
        outcome.set_result(running.result())
    else:
        outcome.set_exception(error)


def _refuse(job: _Job, why: str) -> None:
    if not job.outcome.done():
        job.outcome.set_exception(Busy(why))
