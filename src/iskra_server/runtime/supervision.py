"""Keeps parts running: one that fails is restarted, and affects no other.

    fails ---> waits about 1 s, 2 s, 4 s ... 5 min ---> runs ---> after one minute it is well: the wait starts at 1 s

One log line when a part starts to fail and one when it is well again; failures in between are counted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from iskra_server.base.backoff import Backoff

FIRST_WAIT_S = 1.0
MAX_WAIT_S = 300.0
HEALTHY_AFTER_S = 60.0

log = logging.getLogger(__name__)


class Part(NamedTuple):
    """`run` goes on until it is cancelled; one that returns has done its work."""

    name: str
    run: Callable[[], Awaitable[None]]


class RunningPart:
    """A part in its task. `failure` is the exception that it fails with, "" while it is well."""

    def __init__(self, part: Part, backoff: Backoff, healthy_after_s: float, tasks: asyncio.TaskGroup) -> None:
        self.failure = ""
        self._part = part
        self._backoff = backoff
        self._healthy_after_s = healthy_after_s
        self.task = tasks.create_task(self._keep_running(), name=part.name)

    async def _keep_running(self) -> None:
        while True:
            recovery = None
            if self._backoff.failures:
                recovery = asyncio.get_running_loop().call_later(self._healthy_after_s, self._recovered)
            try:
                return await self._part.run()
            except Exception as error:
                if (task := asyncio.current_task()) and task.cancelling():
                    # a task group in which a task fails during cancellation raises only that failure
                    raise asyncio.CancelledError from error
                self.failure = type(error).__name__
                if not self._backoff.failures:
                    log.error("%s failed and is restarted", self._part.name, exc_info=error)
            finally:
                if recovery:
                    recovery.cancel()
            await asyncio.sleep(self._backoff.next_s())

    def _recovered(self) -> None:
        self.failure = ""
        log.warning("%s runs again, after %d failures", self._part.name, self._backoff.failures)
        self._backoff.reset()


class Supervision:
    """Starts and stops parts in a task group."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        *,
        first_wait_s: float = FIRST_WAIT_S,
        max_wait_s: float = MAX_WAIT_S,
        healthy_after_s: float = HEALTHY_AFTER_S,
    ) -> None:
        self._tasks = tasks
        self._first_wait_s = first_wait_s
        self._max_wait_s = max_wait_s
        self._healthy_after_s = healthy_after_s
        self._running: set[RunningPart] = set()

    def start(self, part: Part) -> RunningPart:
        running = RunningPart(part, Backoff(self._first_wait_s, self._max_wait_s), self._healthy_after_s, self._tasks)
        self._running.add(running)
        return running

    def cancel(self, *parts: RunningPart) -> None:
        """Does not wait for their end."""
        self._running.difference_update(parts)
        for running in parts:
            running.task.cancel()
            running.failure = ""

    async def stop(self, *parts: RunningPart) -> None:
        """Cancel these parts and wait until they have ended."""
        self.cancel(*parts)
        await asyncio.gather(*(running.task for running in parts), return_exceptions=True)

    async def end(self, *last: RunningPart) -> None:
        """Cancel all other parts at once; the `last` ones end by themselves."""
        self._running.difference_update(last)
        await asyncio.gather(self.stop(*self._running), *(part.task for part in last), return_exceptions=True)
