"""D0 meters of the simulator for tests: on a line whose time the test owns, and on a real pseudo-terminal."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from itertools import count
from typing import Any

import texts
from iskra_server.codecs.conversation import Conversation, Send
from iskra_server.codecs.text.parity import SEVEN_BITS
from iskra_server.meter.reading import Fault, Reading
from iskra_server.simulator.d0_meter import D0Meter, Register
from iskra_server.simulator.d0_port import serve_d0_pty
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.sources.polled import d0_source


def meter(
    ident: str = texts.D0_IDENT,
    lines: Sequence[str] | None = None,
    *,
    registers: Mapping[str, str] | None = None,
    **options: Any,
) -> D0Meter:
    """A meter that always sends the same lines."""
    readout = texts.d0_lines() if lines is None else lines
    register = None if registers is None else answers(registers)
    return D0Meter(ident, lambda: readout, register=register, **options)


def answers(registers: Mapping[str, str]) -> Register:
    """What a meter answers to R1 by code."""
    return lambda code: registers.get(code, "(ERROR)")


@asynccontextmanager
async def d0_pty(wire: D0Wire) -> AsyncIterator[str]:
    """The path of a pseudo-terminal with these meters, in real time."""
    paths: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(serve_d0_pty(wire, paths.put_nowait))
    try:
        yield await paths.get()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def d0_port(wire: D0Wire) -> Iterator[str]:
    """The same for another process: served by a thread."""
    loop = asyncio.new_event_loop()
    paths: queue.Queue[str] = queue.Queue()
    task = loop.create_task(serve_d0_pty(wire, paths.put))

    def serve() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield paths.get(timeout=60)
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


async def first_reading(path: str) -> Reading:
    """What the product reads first at the port of a meter that is polled."""
    async with aclosing(d0_source(path, path).chunks()) as chunks:
        async for chunk in chunks:
            for reading in texts.readings(chunk.results or ()):
                return reading
    raise AssertionError("a port is read for ever")


class World:
    """Time, a line, the meter and the session; `sent` is everything that was ever sent, in seven bits."""

    def __init__(
        self, session: Conversation, meters: list[D0Meter], *, echo: bool = False, adapter_s: float = 0.0
    ) -> None:
        self.session = session
        self.wire = D0Wire(meters, is_echoed=echo)
        self.adapter_s = adapter_s
        self.now_s = 0.0
        self.sent: list[bytes] = []
        self.sent_s: list[float] = []
        self.byte_times_s: list[float] = []
        self.results: list[Reading | Fault] = []
        self.speeds: list[tuple[float, int]] = []

    def run(self, until_s: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Until a time, or until it is enough."""
        for turn in count():
            self._do()
            if enough():
                return
            at_s = min(self.session.wakes_at_s, self.wire.wakes_at_s)
            if at_s > until_s:
                self.now_s = until_s
                return
            assert turn < 1_000_000 and at_s >= self.now_s - 1e-9
            self.now_s = max(at_s, self.now_s)
            if data := self.wire.read(self.now_s):
                self.byte_times_s.append(self.now_s)
                self.results += self.session.feed(data, self.now_s)

    def readings(self) -> list[Reading]:
        return texts.readings(self.results)

    def _do(self) -> None:
        for step in self.session.due(self.now_s):
            if isinstance(step, Send):
                self.sent.append(step.data.translate(SEVEN_BITS))
                self.sent_s.append(self.now_s)
                self.wire.write(step.data, self.now_s + self.adapter_s)
            else:
                self.speeds.append((self.now_s, step.baud))
                self.wire.configure(step.baud)
