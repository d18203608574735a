"""A source that opens its line again after every error: after 0.5 s, then after twice as long each time, up to 30 s.

A port that is plugged in ends the waiting: `plugged()` is compared twice a second. Received bytes count as success:
they reset the delay and write "is back" to the log.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from iskra_server.base.backoff import Backoff
from iskra_server.meter.reading import Fault, Reading
from iskra_server.sources.errors import SourceError
from iskra_server.sources.source import (
    Chunk,
    FormatProblem,
    LineErrors,
    LineSettings,
    SourceState,
    plain_problem,
    timestamped,
)

FIRST_WAIT_S = 0.5
MAX_WAIT_S = 30.0
CHECK_EVERY_S = 0.5
_MISSING = ("missing", "missing_in_container", "missing_in_app")

log = logging.getLogger("iskra_server.sources")


class Line(Protocol):
    """An open port, subclassed by every kind of line.

    `read` returns one byte or more, or raises SourceError when the line is lost. Where a conversation is held, it may
    return no byte but results or another state.
    """

    port: str

    async def read(self) -> bytes: ...

    def errors(self) -> LineErrors | None:
        """What the driver counted since the last call, None where it does not count."""
        return None

    def results(self) -> tuple[Reading | Fault, ...] | None:
        """What a conversation has completed since the last call, None where none is held."""
        return None

    def state(self) -> SourceState:
        return SourceState(self.port, is_open=True)

    async def close(self) -> None: ...


class WritableLine(Line, Protocol):
    """A line on which a conversation can be held. It is read as 8N1: the conversation checks parity itself."""

    settings: LineSettings

    async def read_until(self, at_s: float) -> bytes:
        """What arrives until a time of time.monotonic(), at once; b"" for nothing. Bytes already there always count."""
        ...

    def write(self, data: bytes) -> None:
        """Never waits. Raises SourceError."""
        ...

    async def set_speed(self, baud: int) -> None:
        """Returns when the speed is changed; received bytes stay. Raises SourceError."""
        ...


# begins a conversation on an open line
Converse = Callable[[WritableLine], Line]
# `connect` may take long: it reports the state meanwhile
Report = Callable[[SourceState], None]


class Reconnecting:
    """`connect` opens a line, or raises SourceError."""

    simulated = False

    def __init__(
        self,
        *,
        url: str,
        port: str,
        connect: Callable[[Report], Awaitable[Line]],
        plugged: Callable[[], object] = lambda: None,
        max_wait_s: float = MAX_WAIT_S,
        format_problem: FormatProblem = plain_problem,
    ) -> None:
        self.url = url
        self.state = SourceState(port, is_open=False)
        self._connect = connect
        self._plugged = plugged
        self._format_problem = format_problem
        self._backoff = Backoff(FIRST_WAIT_S, max_wait_s)
        self._is_lost = False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        while True:
            try:
                async with self._open() as line:
                    while True:
                        data = await line.read()
                        if (state := line.state()) != self.state:
                            self._report(state)
                        if data:
                            self._note_success()
                        yield timestamped(data, line.errors(), line.results())
            except SourceError as error:
                self._note_error(error)
            await self._wait()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Line]:
        line = await self._connect(self._report)
        try:
            self._report(line.state())
            yield line
        finally:
            await line.close()
            self._report(SourceState(line.port, is_open=False))

    def _report(self, state: SourceState) -> None:
        self.state = state

    def _note_success(self) -> None:
        self._backoff.reset()
        if self._is_lost:
            self._is_lost = False
            log.info("%s is back.", self.state.port)

    def _note_error(self, error: SourceError) -> None:
        # keep "unplugged": it says more than the "missing" of the next attempt
        if not (error.problem in _MISSING and self.state.problem == "unplugged"):
            self.state = SourceState(self.state.port, is_open=False, problem=error.problem, details=error.details)
        if not self._is_lost:
            self._is_lost = True
            log.warning("%s", self._format_problem(error.problem, error.details))

    async def _wait(self) -> None:
        """Wait for the back-off, at most until something is plugged in, which also resets it."""
        before, left_s = self._plugged(), self._backoff.next_s()
        while left_s > 0:
            await asyncio.sleep(min(left_s, CHECK_EVERY_S))
            left_s -= CHECK_EVERY_S
            if self._plugged() != before:
                self._backoff.reset()
                return
