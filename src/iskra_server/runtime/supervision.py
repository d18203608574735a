"""Keeps parts running beside each other: one that fails is started again, and takes no other with it.

    fails ---> waits 1 s, 2 s, 4 s ... 5 min ---> runs ---> has run for a minute: well again, the wait begins anew

One line when a part begins to fail and one when it is well again; what lies between is counted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

FIRST_WAIT_S = 1.0
MAX_WAIT_S = 300.0
WELL_AFTER_S = 60.0

log = logging.getLogger(__name__)


class Part(NamedTuple):
    """What runs beside everything else until it is cancelled; one that returns has done its work."""

    name: str
    run: Callable[[], Awaitable[None]]


class Supervision:
    """The parts that run in a task group, each under a key of its own, so that one of them can be stopped."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        *,
        first_wait_s: float = FIRST_WAIT_S,
        longest_wait_s: float = MAX_WAIT_S,
        well_after_s: float = WELL_AFTER_S,
    ) -> None:
        self._tasks = tasks
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._well_after_s = well_after_s
        self._running: dict[object, asyncio.Task[None]] = {}
        # key of a part that is not well -> what it failed with
        self._failing: dict[object, str] = {}

    def start(self, key: object, part: Part) -> None:
        # not the key: it may hold a password
        assert key not in self._running, f"{part.name} runs already"
        self._running[key] = self._tasks.create_task(self._keep_running(key, part), name=part.name)

    def has(self, key: object) -> bool:
        """Whether this part was started and not stopped; it may have done its work."""
        return key in self._running

    def failure(self, key: object) -> str:
        """What a part has failed with, until it is well again; "" while it is."""
        return self._failing.get(key, "")

    async def stop(self, *keys: object) -> None:
        """Cancel those of these parts that run, and wait until they have ended."""
        await asyncio.gather(*self.cancel(*keys), return_exceptions=True)

    def cancel(self, *keys: object) -> list[asyncio.Task[None]]:
        """Cancel those of these parts that run; others may be started under their keys while they end."""
        tasks = [self._running.pop(key) for key in keys if key in self._running]
        for task in tasks:
            task.cancel()
        for key in keys:
            self._failing.pop(key, None)
        return tasks

    async def end(self, last: object) -> None:
        """Cancel all of them at once, but for the last: that one ends by itself."""
        ending = self._running.pop(last)
        await asyncio.gather(self.stop(*self._running), ending, return_exceptions=True)

    async def _keep_running(self, key: object, part: Part) -> None:
        failures = 0

        def is_well() -> None:
            self._failing.pop(key, None)
            log.warning("%s runs again, after %d failures", part.name, failures)

        while True:
            well = _After(self._well_after_s if failures else None, is_well)
            try:
                return await part.run()
            except Exception as error:
                if (task := asyncio.current_task()) and task.cancelling():
                    # a group of tasks of which one fails while it is cancelled raises that failure alone
                    raise asyncio.CancelledError from error
                failures = 1 if well.told else failures + 1
                self._failing[key] = type(error).__name__
                if failures == 1:
                    log.error("%s failed and is started again", part.name, exc_info=error)
            finally:
                well.cancel()
            await asyncio.sleep(min(self._first_wait_s * 2 ** min(failures - 1, 20), self._longest_wait_s))


class _After:
    """Calls once a part has run for a while; None: there is nothing to say."""

    def __init__(self, seconds: float | None, call: Callable[[], None]) -> None:
        self.told = False
        self._call = call
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, self._tell)

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _tell(self) -> None:
        self.told = True
        self._call()
