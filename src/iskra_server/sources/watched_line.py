"""A meter that was found by asking, as long as it answers.

Where a byte arrives that nobody asked for, or nothing answers for long, the line is given up: the head may have been
moved to another meter, and a meter that sends by itself must not be asked.
"""

import asyncio
import time

from iskra_server.meter.reading import Fault, Reading
from iskra_server.sources.errors import SourceError
from iskra_server.sources.polled import PolledLine
from iskra_server.sources.reconnect import Line
from iskra_server.sources.source import LineErrors, SourceState

# several polls, which are the rarer the longer nobody answers
PATIENCE_S = 600.0
_UNANSWERED = ("silent", "echo")


class WatchedLine(Line):
    """Raises SourceError from `read` when the meter has gone."""

    def __init__(self, line: PolledLine, patience_s: float = PATIENCE_S) -> None:
        self.port = line.port
        self._line = line
        self._patience_s = patience_s
        self._answered_s = time.monotonic()
        line.stops_when_unasked = True

    async def read(self) -> bytes:
        limit_s = self._answered_s + self._patience_s
        try:
            async with asyncio.timeout(max(limit_s - time.monotonic(), 0.0)):
                data = await self._line.read()
        except TimeoutError:
            raise SourceError("silence", port=self.port) from None
        if self._line.was_unasked:
            raise SourceError("noise", port=self.port, bytes=str(len(data)))
        if self._line.is_answered or self._line.state().poll not in _UNANSWERED:
            self._answered_s = time.monotonic()
        return data

    def errors(self) -> LineErrors | None:
        return self._line.errors()

    def results(self) -> tuple[Reading | Fault, ...]:
        return self._line.results()

    def state(self) -> SourceState:
        return self._line.state()

    async def close(self) -> None:
        await self._line.close()
