"""A source that opens its line again and again: after 0.5 s, then after twice as long each time, up to 30 s.

A port that is plugged in meanwhile is seen at once: `plugged()` is asked twice a second, and a change ends the waiting.
Bytes that arrive are what counts as success: they reset the waiting time and end a "gone" in the log.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from iskra_server.sources.errors import SourceError
from iskra_server.sources.line_errors import LineErrors
from iskra_server.sources.source import Chunk, FormatProblem, SourceState, arrived, plain_problem

FIRST_WAIT_S = 0.5
MAX_WAIT_S = 30.0
LOOK_EVERY_S = 0.5
_NOT_THERE = ("missing", "missing_in_container")

log = logging.getLogger("iskra_server.sources")


class Line(Protocol):
    """An open port. `read` gives one byte or more, or raises `Trouble` when the line is lost.

    `errors` gives what the driver has counted since it was asked last, None where it does not tell.
    """

    port: str

    async def read(self) -> bytes: ...

    def errors(self) -> LineErrors | None: ...

    async def close(self) -> None: ...


# a finder that takes its time reports how it stands
Report = Callable[[SourceState], None]


class Reconnecting:
    """A source for everything that can come back: `connect` opens a line or raises `Trouble`."""

    simulated = False

    def __init__(
        self,
        *,
        url: str,
        port: str,
        connect: Callable[[Report], Awaitable[Line]],
        plugged: Callable[[], object] = lambda: None,
        longest_wait_s: float = MAX_WAIT_S,
        format_problem: FormatProblem = plain_problem,
    ) -> None:
        self.url = url
        self.state = SourceState(port, is_open=False)
        self._connect = connect
        self._plugged = plugged
        self._longest_wait_s = longest_wait_s
        self._format_problem = format_problem
        self._wait_s = FIRST_WAIT_S
        self._is_gone = False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        while True:
            try:
                async with self._open() as line:
                    while True:
                        data = await line.read()
                        self._flows()
                        yield arrived(data, line.errors())
            except SourceError as trouble:
                self._gone(trouble)
            await self._wait()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Line]:
        line = await self._connect(self._report)
        try:
            self._report(SourceState(line.port, is_open=True))
            yield line
        finally:
            await line.close()
            self._report(SourceState(line.port, is_open=False))

    def _report(self, state: SourceState) -> None:
        self.state = state

    def _flows(self) -> None:
        self._wait_s = FIRST_WAIT_S
        if self._is_gone:
            self._is_gone = False
            log.info("%s is back.", self.state.port)

    def _gone(self, trouble: SourceError) -> None:
        # that it was unplugged says more than that it is not there
        if not (trouble.problem in _NOT_THERE and self.state.problem == "unplugged"):
            self.state = SourceState(self.state.port, is_open=False, problem=trouble.problem, details=trouble.details)
        if not self._is_gone:
            self._is_gone = True
            log.warning("%s", self._format_problem(trouble.problem, trouble.details))

    async def _wait(self) -> None:
        """Sleep, until something is plugged in at the latest; the next time is longer unless something was."""
        before, left_s = self._plugged(), self._wait_s
        self._wait_s = min(2 * self._wait_s, self._longest_wait_s)
        while left_s > 0:
            await asyncio.sleep(min(left_s, LOOK_EVERY_S))
            left_s -= LOOK_EVERY_S
            if self._plugged() != before:
                self._wait_s = FIRST_WAIT_S
                return
