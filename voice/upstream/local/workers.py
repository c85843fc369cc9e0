"""The worker pool that keeps inference off the event loop, and says no when there is too much of it.

The engines let go of the interpreter's lock while they compute, so threads are enough. What may wait is
bounded: under load it is better that a partial transcript is skipped than that every answer comes late.
A session whose recognitions are slow waits for itself: it never holds the last thread while others are there, and
only so many of its jobs may wait. All state lives on the event loop's thread; the threads only run the functions.
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

#: Jobs of one session that may wait at a time. A turn needs two: what was heard, and the first sentence of the answer.
MOST_OF_ONE = 4


class Share:
    """One session's part in the pool, from :meth:`Workers.share` until it is closed."""

    def __init__(self, workers: "Workers") -> None:
        self._workers = workers
        self.running = 0
        """Threads that are busy for it, also with what it has given up."""

    async def run(self, function: Callable[..., Result], *args: Any, urgent: bool = False) -> Result:
        """What `function(*args)` returns or raises, or Busy.

        Cancelling while it waits takes it out of the queue; a function that has begun runs to its end, its
        thread stays taken until then, and its result is dropped.
        """
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        job = _Job(self, partial(function, *args), outcome)
        self._workers.take_in(job, urgent)
        try:
            return await outcome
        finally:
            self._workers.forget(job)

    def close(self) -> None:
        """The session is over. What it has in a thread ends there."""
        self._workers.leave(self)


@dataclass(eq=False, slots=True)
class _Job:
    share: Share
    call: Callable[[], Any]
    outcome: asyncio.Future[Any]


class Workers:
    """Runs blocking functions in at most `threads` threads; at most `waiting` more may wait.

    Urgent jobs (a final transcript, an answer's first sentence) start before ordinary ones, each kind in
    order of arrival. When every waiting place is taken, an ordinary job is refused with Busy; an urgent one
    takes the place of the youngest ordinary one, which is refused in its stead, and is itself refused only
    where all those who wait are urgent.

    Where several sessions share the pool, none is given the last thread: while one has that many running, its
    next job waits, and those of others that came later go ahead. More than `MOST_OF_ONE` waiting are refused.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = threads
        self._places = waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="voice-inference")
        self._shares: set[Share] = set()
        self._running: set[asyncio.Future[Any]] = set()
        self._urgent: deque[_Job] = deque()
        self._ordinary: deque[_Job] = deque()
        self._closed = False

    def share(self) -> Share:
        """A session comes."""
        share = Share(self)
        self._shares.add(share)
        return share

    def leave(self, share: Share) -> None:
        """A session goes. Who is alone now may have all threads."""
        self._shares.discard(share)
        self._start_next()

    def take_in(self, job: _Job, urgent: bool) -> None:
        """Start a job, or let it wait; or raise Busy."""
        if self._closed:
            raise Busy("the speech engines are being shut down")
        if self._may_start(job.share):
            self._start(job)
            return
        if sum(other.share is job.share for other in self._waiting()) >= MOST_OF_ONE:
            raise Busy("this session asks too much of the speech engines")
        if len(self._urgent) + len(self._ordinary) >= self._places:
            self._make_room(urgent)
        (self._urgent if urgent else self._ordinary).append(job)

    def forget(self, job: _Job) -> None:
        """Nobody waits for it any more."""
        for queue in (self._urgent, self._ordinary):
            if job in queue:
                queue.remove(job)

    async def close(self, seconds: float) -> bool:
        """Refuse all who wait and all who come, and wait for what runs.

        False if some of it still runs after `seconds`: a thread cannot be stopped from outside.
        """
        self._closed = True
        for job in self._waiting():
            _refuse(job, "the speech engines are being shut down")
        self._urgent.clear()
        self._ordinary.clear()
        late = (await asyncio.wait(self._running, timeout=seconds))[1] if self._running else set()
        self._executor.shutdown(wait=False)
        return not late

    def _waiting(self) -> tuple[_Job, ...]:
        return (*self._urgent, *self._ordinary)

    def _make_room(self, urgent: bool) -> None:
        if not (urgent and self._ordinary):
            raise Busy("the speech engines have too much to do")
        _refuse(self._ordinary.pop(), "the speech engines have more urgent work")

    def _may_start(self, share: Share) -> bool:
        alone = self._shares <= {share}
        most = self._threads if alone else max(1, self._threads - 1)
        return len(self._running) < self._threads and share.running < most

    def _start(self, job: _Job) -> None:
        running = asyncio.get_running_loop().run_in_executor(self._executor, job.call)
        job.share.running += 1
        self._running.add(running)
        running.add_done_callback(partial(self._finished, job))

    def _finished(self, job: _Job, running: asyncio.Future[Any]) -> None:
        job.share.running -= 1
        self._running.discard(running)
        _hand_over(running, job.outcome)
        self._start_next()

    def _start_next(self) -> None:
        for job in self._waiting():
            if self._may_start(job.share):
                self.forget(job)
                self._start(job)


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
