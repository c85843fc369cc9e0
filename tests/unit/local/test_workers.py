"""The pool keeps its order and its bounds: urgent first, refusal when full, nobody has it all, nothing left behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from voice.upstream.local.errors import Busy
from voice.upstream.local.workers import MOST_OF_ONE, Share, Workers


class Jobs:
    """Jobs that say when they began and end when they are let go; what began is in `began`, in order."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self._gates: dict[str, threading.Event] = {}
        self._starts: dict[str, threading.Event] = {}

    def job(self, name: str) -> Callable[[], str]:
        gate = self._gates[name] = threading.Event()
        started = self._starts[name] = threading.Event()

        def work() -> str:
            self.began.append(name)
            started.set()
            assert gate.wait(5), "the test forgot this job"
            return name

        return work

    def let_go(self, *names: str) -> None:
        for name in names:
            self._gates[name].set()

    async def has_begun(self, name: str) -> None:
        assert await asyncio.to_thread(self._starts[name].wait, 5)

    def let_all_go(self) -> None:
        self.let_go(*self._gates)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    pool = Workers(threads=1, waiting=2)
    yield pool
    assert await pool.close(5)


@pytest.fixture
def share(workers: Workers) -> Share:
    """Of a session that is alone."""
    return workers.share()


@pytest.fixture
def jobs(workers: Workers) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.let_all_go()


async def asked(share: Share, work: Callable[[], str], urgent: bool = False) -> asyncio.Task[str]:
    """A task that has asked for `work` and waits for it."""
    task = asyncio.create_task(share.run(work, urgent=urgent))
    await asyncio.sleep(0)  # one step: it runs up to its wait
    return task


async def test_a_job_gives_its_result_or_its_error(share: Share) -> None:
    assert await share.run(max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        await share.run(divmod, 1, 0)


async def test_work_is_done_in_another_thread(share: Share) -> None:
    assert await share.run(threading.get_ident) != threading.get_ident()


async def test_urgent_jobs_go_ahead_and_each_kind_keeps_its_order(jobs: Jobs) -> None:
    pool = Workers(threads=1, waiting=4)
    share = pool.share()
    tasks = [await asked(share, jobs.job("running"))]
    for name, urgent in (("partial 1", False), ("final 1", True), ("partial 2", False), ("final 2", True)):
        tasks.append(await asked(share, jobs.job(name), urgent))

    jobs.let_all_go()
    await asyncio.gather(*tasks)

    assert jobs.began == ["running", "final 1", "final 2", "partial 1", "partial 2"]
    assert await pool.close(5)


async def test_as_many_run_as_there_are_threads(jobs: Jobs) -> None:
    pool = Workers(threads=2, waiting=1)
    share = pool.share()
    tasks = [await asked(share, jobs.job(name)) for name in ("a", "b", "c")]
    await jobs.has_begun("a")
    await jobs.has_begun("b")
    assert "c" not in jobs.began

    jobs.let_go("b")
    await jobs.has_begun("c")

    jobs.let_all_go()
    await asyncio.gather(*tasks)
    assert await pool.close(5)


async def test_when_full_an_ordinary_job_is_refused_at_once(share: Share, jobs: Jobs) -> None:
    tasks = [await asked(share, jobs.job(name)) for name in ("running", "waiting 1", "waiting 2")]

    with pytest.raises(Busy):
        await share.run(jobs.job("one too many"))

    jobs.let_all_go()
    assert await asyncio.gather(*tasks) == ["running", "waiting 1", "waiting 2"]


async def test_when_full_an_urgent_job_takes_the_place_of_the_youngest_ordinary_one(share: Share, jobs: Jobs) -> None:
    running, older, younger = [await asked(share, jobs.job(name)) for name in ("running", "older", "younger")]

    final = await asked(share, jobs.job("final"), urgent=True)

    with pytest.raises(Busy):
        await younger
    jobs.let_all_go()
    await asyncio.gather(running, older, final)
    assert jobs.began == ["running", "final", "older"]


async def test_where_all_who_wait_are_urgent_one_more_is_refused(share: Share, jobs: Jobs) -> None:
    tasks = [await asked(share, jobs.job(name), urgent=True) for name in ("running", "final 1", "final 2")]

    with pytest.raises(Busy):
        await share.run(jobs.job("final 3"), urgent=True)

    jobs.let_all_go()
    await asyncio.gather(*tasks)


async def test_a_job_cancelled_while_it_waits_never_runs_and_frees_its_place(share: Share, jobs: Jobs) -> None:
    running, waiting, other = [await asked(share, jobs.job(name)) for name in ("running", "waiting", "other")]

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    newcomer = await asked(share, jobs.job("newcomer"))

    jobs.let_all_go()
    await asyncio.gather(running, other, newcomer)
    assert jobs.began == ["running", "other", "newcomer"]


async def test_a_job_cancelled_while_it_runs_keeps_its_thread_until_it_ends(share: Share, jobs: Jobs) -> None:
    running, waiting = [await asked(share, jobs.job(name)) for name in ("running", "waiting")]
    await jobs.has_begun("running")

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert jobs.began == ["running"]

    jobs.let_all_go()
    assert await waiting == "waiting"


async def test_the_error_of_a_job_that_nobody_awaits_any_more_goes_nowhere(share: Share) -> None:
    gate, complaints = threading.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))

    def fail() -> str:
        gate.wait(5)
        raise RuntimeError

    task = await asked(share, fail)
    task.cancel()
    gate.set()
    assert await share.run(max, 1, 2) == 2
    assert complaints == []


async def test_close_refuses_those_who_wait_and_those_who_come(workers: Workers, share: Share, jobs: Jobs) -> None:
    running, waiting = [await asked(share, jobs.job(name)) for name in ("running", "waiting")]
    closing = asyncio.create_task(workers.close(5))

    with pytest.raises(Busy):
        await waiting
    with pytest.raises(Busy):
        await share.run(max, 1, 2)

    jobs.let_go("running")
    assert await closing
    assert await running == "running"
    assert jobs.began == ["running"]


async def test_close_does_not_wait_longer_than_it_may(workers: Workers, share: Share, jobs: Jobs) -> None:
    await asked(share, jobs.job("stuck"))
    assert not await workers.close(0)


class TestSeveralSessions:
    """One has slow jobs. The others do not wait for it."""

    @pytest.fixture
    async def workers(self) -> AsyncIterator[Workers]:
        pool = Workers(threads=2, waiting=8)
        yield pool
        assert await pool.close(5)

    async def test_one_is_never_given_the_last_thread(self, workers: Workers, jobs: Jobs) -> None:
        slow, other = workers.share(), workers.share()
        tasks = [await asked(slow, jobs.job(name), urgent=True) for name in ("slow 1", "slow 2")]
        await jobs.has_begun("slow 1")

        assert await other.run(max, 1, 2) == 2
        assert jobs.began == ["slow 1"]

        jobs.let_all_go()
        await asyncio.gather(*tasks)

    async def test_what_it_has_given_up_counts_until_it_ends(self, workers: Workers, jobs: Jobs) -> None:
        slow, other = workers.share(), workers.share()
        given_up = await asked(slow, jobs.job("given up"))
        await jobs.has_begun("given up")
        given_up.cancel()
        task = await asked(slow, jobs.job("final"), urgent=True)

        assert await other.run(max, 1, 2) == 2
        assert jobs.began == ["given up"]

        jobs.let_all_go()
        assert await task == "final"

    async def test_who_came_later_goes_ahead_of_who_may_not_start(self, workers: Workers, jobs: Jobs) -> None:
        slow, other = workers.share(), workers.share()
        tasks = [await asked(slow, jobs.job("slow 1")), await asked(other, jobs.job("other 1"))]
        tasks += [await asked(slow, jobs.job("slow 2"), urgent=True), await asked(other, jobs.job("other 2"))]
        await jobs.has_begun("slow 1")
        await jobs.has_begun("other 1")

        jobs.let_go("other 1")
        await jobs.has_begun("other 2")
        assert "slow 2" not in jobs.began

        jobs.let_all_go()
        await asyncio.gather(*tasks)

    async def test_only_so_many_of_one_wait(self, workers: Workers, jobs: Jobs) -> None:
        slow, other = workers.share(), workers.share()
        tasks = [await asked(slow, jobs.job(str(n)), urgent=True) for n in range(1 + MOST_OF_ONE)]

        with pytest.raises(Busy):
            await slow.run(max, 1, 2, urgent=True)
        assert await other.run(max, 1, 2) == 2

        jobs.let_all_go()
        await asyncio.gather(*tasks)

    async def test_who_is_alone_has_all_threads_as_soon_as_the_others_have_gone(
        self, workers: Workers, jobs: Jobs
    ) -> None:
        share, other = workers.share(), workers.share()
        tasks = [await asked(share, jobs.job(name)) for name in ("partial", "final")]
        await jobs.has_begun("partial")
        assert "final" not in jobs.began

        other.close()
        await jobs.has_begun("final")

        jobs.let_all_go()
        await asyncio.gather(*tasks)
