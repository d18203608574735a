"""A part that fails is started again, more and more rarely, and takes no other with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from answering import until
from iskra_server.runtime.supervision import Part, Supervision


def run(work: Callable[[Supervision], Awaitable[None]], **pace: float) -> None:
    async def supervise() -> None:
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            await work(Supervision(tasks, **({"first_wait_s": 0.001, "longest_wait_s": 0.01} | pace)))

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


def test_a_part_that_fails_is_started_again_and_leaves_the_others_alone() -> None:
    async def work(supervision: Supervision) -> None:
        failing, steady = Failing(5), Failing(0)
        supervision.start("failing", Part("failing", failing.run))
        supervision.start("steady", Part("steady", steady.run))
        await until(lambda: len(failing.starts) == 6)
        assert len(steady.starts) == 1
        await supervision.stop("failing", "steady", "unknown")

    run(work)


def test_a_part_that_fails_while_it_is_stopped_is_not_started_again() -> None:
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
        supervision.start("group", Part("group", group))
        await until(lambda: starts)
        async with asyncio.timeout(2):
            await supervision.stop("group")

    run(work)
    assert len(starts) == 1


def test_it_waits_twice_as_long_each_time_up_to_the_longest() -> None:
    failing = Failing(float("inf"))

    async def work(supervision: Supervision) -> None:
        supervision.start("failing", Part("failing", failing.run))
        await until(lambda: len(failing.starts) == 7)
        await supervision.stop("failing")

    run(work, first_wait_s=0.02, longest_wait_s=0.1)
    waits = [late - early for early, late in zip(failing.starts, failing.starts[1:], strict=False)]
    # a busy machine waits longer
    assert all(wait > 0.95 * least for wait, least in zip(waits, (0.02, 0.04, 0.08, 0.1, 0.1, 0.1), strict=True))


def test_one_line_when_it_fails_and_one_when_it_is_well_again(caplog: pytest.LogCaptureFixture) -> None:
    async def work(supervision: Supervision) -> None:
        supervision.start("mqtt", Part("mqtt", Failing(50).run))
        await until(lambda: "mqtt runs again, after 50 failures" in caplog.text)
        await supervision.stop("mqtt")

    with caplog.at_level(logging.INFO):
        run(work, longest_wait_s=0.001, well_after_s=0.05)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "mqtt failed and is started again" in caplog.text
    assert "of its own" in caplog.text


def test_a_part_that_returns_has_done_its_work() -> None:
    async def work(supervision: Supervision) -> None:
        done = Failing(0)
        supervision.start("done", Part("done", lambda: asyncio.sleep(0)))
        supervision.start("running", Part("running", done.run))
        await until(lambda: len(done.starts) == 1)
        await supervision.stop("done", "running")

    run(work)


def test_a_stopped_part_has_tidied_up_and_its_key_is_free_again() -> None:
    async def work(supervision: Supervision) -> None:
        tidied = asyncio.Event()

        async def tidy() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.01)
                tidied.set()

        for _ in range(2):
            tidied.clear()
            supervision.start("key", Part("tidy", tidy))
            await asyncio.sleep(0.01)
            assert supervision.has("key")
            await supervision.stop("key")
            assert tidied.is_set() and not supervision.has("key")

    run(work)


def test_at_the_end_all_are_cancelled_at_once_and_the_last_ends_by_itself() -> None:
    async def work(supervision: Supervision) -> None:
        leave = asyncio.Event()

        async def left() -> None:
            await leave.wait()

        supervision.start("last", Part("last", left))
        supervision.start("other", Part("other", Failing(0).run))
        supervision.start("failing", Part("failing", Failing(float("inf")).run))
        await asyncio.sleep(0.01)
        ending = asyncio.ensure_future(supervision.end(last="last"))
        await asyncio.sleep(0.01)
        assert not ending.done()
        leave.set()
        await ending

    run(work)


def test_what_a_part_fails_with_is_known_until_it_is_well_or_stopped() -> None:
    async def work(supervision: Supervision) -> None:
        failing, recovering = Failing(float("inf")), Failing(2)
        supervision.start("failing", Part("failing", failing.run))
        supervision.start("recovering", Part("recovering", recovering.run))
        await until(lambda: supervision.failure("failing") == supervision.failure("recovering") == "ZeroDivisionError")
        await until(lambda: not supervision.failure("recovering"))
        assert supervision.failure("failing")
        assert not supervision.failure("unknown")
        await supervision.stop("failing", "recovering")
        assert not supervision.failure("failing")

    run(work, well_after_s=0.05)
