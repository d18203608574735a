"""A D0 meter on a line of which the test owns the time: a real conversation of minutes takes milliseconds."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest

from iskra_server.codecs.checksum import bcc
from iskra_server.meter.reading import Fault, Reading
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources import polled
from iskra_server.sources.polled import PolledLine
from iskra_server.sources.reconnect import WritableLine
from iskra_server.sources.source import LineSettings

# IEC 62056-21: /?!, ACK 0Z0 and ACK 0Z1, R1 of single codes, B0, ACK and NAK for blocks
ALLOWED = re.compile(
    rb"/\?[A-Za-z0-9 ]{0,32}!\r\n|\x060[0-6][01]\r\n|\x01R1\x02(?P<code>[0-9.]+)\(\)\x03.|\x01B0\x03\x71|[\x06\x15]",
    re.DOTALL,
)


class Clock:
    """Stands in for the module `time` in polled.py, and for its pauses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(polled, "time", SimpleNamespace(monotonic=lambda: self.now_s))
        monkeypatch.setattr(polled, "asyncio", SimpleNamespace(sleep=self.sleep))

    async def sleep(self, seconds: float) -> None:
        self.now_s += max(seconds, 0.0)
        await asyncio.sleep(0)


class _Over(Exception):
    """The time is over."""


class WireLine(WritableLine):
    """`late_s` is how long the event loop does something else before it reads."""

    port = "wire"

    def __init__(self, wire: D0Wire, clock: Clock) -> None:
        self.wire, self.clock = wire, clock
        self.settings = LineSettings(wire.baud)
        self.late_s: Callable[[], float] = lambda: 0.0
        self.is_closed = False
        self.until_s = float("inf")

    async def read(self) -> bytes:
        raise NotImplementedError

    async def read_until(self, at_s: float) -> bytes:
        await asyncio.sleep(0)
        self.clock.now_s += self.late_s()
        while True:
            if self.clock.now_s >= self.until_s:
                raise _Over
            if data := self.wire.read(self.clock.now_s):
                return data
            if self.clock.now_s >= at_s:
                return b""
            self.clock.now_s = min(max(at_s, self.clock.now_s), self.wire.wakes_at_s, self.until_s)

    def write(self, data: bytes) -> None:
        self.wire.write(data, self.clock.now_s)

    async def set_speed(self, baud: int) -> None:
        self.wire.configure(baud)
        self.settings = LineSettings(baud)

    async def close(self) -> None:
        self.is_closed = True


class Poll:
    """What a polled line gives until a time of the clock, or until it is enough."""

    def __init__(self, line: PolledLine, port: WireLine) -> None:
        self.line, self.port, self.clock = line, port, port.clock
        self.results: list[Reading | Fault] = []
        self.outcomes: list[str] = []

    async def run(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        self.port.until_s = self.clock.now_s + seconds
        with suppress(_Over):
            while not enough():
                await self.line.read()
                self.results += self.line.results()
                outcome = self.line.state().poll
                if outcome != (self.outcomes or [""])[-1]:
                    self.outcomes.append(outcome)

    @property
    def readings(self) -> list[Reading]:
        return [result for result in self.results if isinstance(result, Reading)]


def messages(wire: D0Wire) -> Iterator[bytes]:
    """Every message that was ever written to a line. Fails for one that must not be sent to a meter."""
    # a bridge may hand the bytes of a message over one by one
    sent, place = b"".join(written.data for written in wire.written), 0
    while place < len(sent):
        match = ALLOWED.match(sent, place)
        assert match, sent[place:]
        if match["code"]:
            assert bcc(match[0][1:-1]) == match[0][-1]
        yield match[0]
        place = match.end()
