"""A part that fails is started again, more and more rarely, and takes no other with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from answering import until
from iskra_server.runtime.supervision import Part, Supervision


def run(work: Callable[[Supervision], Awaitable[None]], **pace: float) -> None:
    async def supervise() -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            await work(Supervision(tasks, **({"first_wait_s": 0.001, "max_wait_s": 0.01} | pace)))

    asyncio.run(supervise())


class Failing:
    """Fails so many times, then runs; `starts` are the moments at which it was started."""

    def __init__(self, times: float) -> None:
        self.starts: list[float] = []
        self._times = times

    async def run(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        if len(self.starts) <= self._times:
            raise ZeroDivisionError("of its own")
        await asyncio.Event().wait()


def test_a_part_that_fails_is_restarted_and_leaves_the_others_alone() -> None:
    async def work(supervision: Supervision) -> None:
        failing, steady = Failing(5), Failing(0)
        parts = [supervision.start(Part("failing", failing.run)), supervision.start(Part("steady", steady.run))]
        await until(lambda: len(failing.starts) == 6)
        assert len(steady.starts) == 1
        await supervision.stop(*parts)

    run(work)


def test_a_part_that_fails_while_it_is_stopped_is_not_restarted() -> None:
    starts: list[None] = []

    async def fail_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    async def group() -> None:
        starts.append(None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail_at_the_end())
            await asyncio.Event().wait()

    async def work(supervision: Supervision) -> None:
        running = supervision.start(Part("group", group))
        await until(lambda: starts)
        async with asyncio.timeout(60):
            await supervision.stop(running)

    run(work)
    assert len(starts) == 1


def test_it_waits_twice_as_long_each_time_up_to_the_longest() -> None:
    failing = Failing(float("inf"))

    async def work(supervision: Supervision) -> None:
        running = supervision.start(Part("failing", failing.run))
        await until(lambda: len(failing.starts) == 7)
        await supervision.stop(running)

    run(work, first_wait_s=0.02, max_wait_s=0.1)
    waits = [late - early for early, late in zip(failing.starts, failing.starts[1:], strict=False)]
    # half of each wait is jitter, and a busy machine waits longer
    assert all(wait > 0.45 * longest for wait, longest in zip(waits, (0.02, 0.04, 0.08, 0.1, 0.1, 0.1), strict=True))


def test_one_line_when_it_fails_and_one_when_it_is_well_again(caplog: pytest.LogCaptureFixture) -> None:
    async def work(supervision: Supervision) -> None:
        running = supervision.start(Part("mqtt", Failing(50).run))
        await until(lambda: "mqtt runs again, after 50 failures" in caplog.text)
        await supervision.stop(running)

    with caplog.at_level(logging.INFO):
        run(work, max_wait_s=0.001, healthy_after_s=0.3)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "mqtt failed and is restarted" in caplog.text
    assert "of its own" in caplog.text


def test_a_part_that_returns_has_done_its_work() -> None:
    async def work(supervision: Supervision) -> None:
        done = supervision.start(Part("done", lambda: asyncio.sleep(0)))
        await until(done.task.done)
        await supervision.stop(done)

    run(work)


def test_a_part_has_cleaned_up_when_it_is_stopped() -> None:
    async def work(supervision: Supervision) -> None:
        started, cleaned_up = asyncio.Event(), asyncio.Event()

        async def clean_up() -> None:
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.01)
                cleaned_up.set()

        running = supervision.start(Part("clean up", clean_up))
        await started.wait()
        await supervision.stop(running)
        assert cleaned_up.is_set()

    run(work)


def test_at_the_end_all_are_cancelled_at_once_and_the_last_ends_by_itself() -> None:
    async def work(supervision: Supervision) -> None:
        may_end, failing = asyncio.Event(), Failing(float("inf"))

        async def wait() -> None:
            await may_end.wait()

        last = supervision.start(Part("last", wait))
        others = [supervision.start(Part("steady", Failing(0).run)), supervision.start(Part("failing", failing.run))]
        await until(lambda: failing.starts)
        ending = asyncio.ensure_future(supervision.end(last))
        await until(lambda: all(other.task.done() for other in others))
        assert not ending.done()
        may_end.set()
        await ending

    run(work)


def test_the_failure_of_a_part_is_shown_until_it_is_well_or_stopped() -> None:
    async def work(supervision: Supervision) -> None:
        failing = supervision.start(Part("failing", Failing(float("inf")).run))
        recovering = supervision.start(Part("recovering", Failing(2).run))
        await until(lambda: failing.failure == recovering.failure == "ZeroDivisionError")
        await until(lambda: not recovering.failure)
        assert failing.failure
        await supervision.stop(failing, recovering)
        assert not failing.failure

    run(work, healthy_after_s=0.05)
