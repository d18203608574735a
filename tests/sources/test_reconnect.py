import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise

import pytest

from iskra_server.base.backoff import Backoff
from iskra_server.sources import reconnect
from iskra_server.sources.errors import SourceError
from iskra_server.sources.reconnect import Reconnecting, Report
from iskra_server.sources.source import SourceState
from running import DEADLINE_S
from sources.ptys import listening, until


class Scripted(reconnect.Line):
    """A line that gives the bytes of its script, then is lost."""

    port = "scripted"

    def __init__(self, *script: bytes) -> None:
        self.script = list(script)
        self.is_closed = False

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        if not self.script:
            raise SourceError("unplugged", port="scripted")
        return self.script.pop(0)

    async def close(self) -> None:
        self.is_closed = True


def source(connect: Callable[[], Scripted], plugged: Callable[[], object] = lambda: None) -> Reconnecting:
    async def connecting(_: Report) -> Scripted:
        return connect()

    return Reconnecting(url="scripted", port="scripted", connect=connecting, plugged=plugged)


def failing(attempts: list[float], works_after: int = 1_000) -> Callable[[], Scripted]:
    def connect() -> Scripted:
        attempts.append(time.monotonic())
        if len(attempts) > works_after:
            return Scripted(b"bytes")
        raise SourceError("missing", port="scripted")

    return connect


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.02)


def test_the_limits_are_half_a_second_and_half_a_minute() -> None:
    assert (reconnect.FIRST_WAIT_S, reconnect.MAX_WAIT_S) == (0.5, 30.0)


@pytest.mark.usefixtures("quick")
def test_each_wait_is_twice_as_long_up_to_the_maximum() -> None:
    attempts: list[float] = []

    async def connect(_: Report) -> Scripted:
        return failing(attempts)()

    async def main() -> None:
        backing_off = Reconnecting(url="u", port="p", connect=connect, max_wait_s=0.1)
        async with listening(backing_off):
            await until(lambda: len(attempts) == 6)

    asyncio.run(main())
    waits = [after - before for before, after in pairwise(attempts)]
    # jitter takes away half at most; a busy machine adds
    assert all(wait_s >= most_s / 2 for wait_s, most_s in zip(waits, [0.02, 0.04, 0.08, 0.1, 0.1], strict=True))


@pytest.mark.usefixtures("quick")
def test_received_bytes_reset_the_waiting_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Scripted] = []

    def connect() -> Scripted:
        lines.append(Scripted(b"a"))
        return lines[-1]

    async def main() -> None:
        async with listening(source(connect)) as heard:
            # waits that double would take 20 s at least
            await until(lambda: heard.data == b"a" * 12)

    asyncio.run(main())
    assert all(line.is_closed for line in lines)


def test_plugging_in_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "next_s", lambda _: 10 * DEADLINE_S)
    attempts: list[float] = []
    there: set[str] = set()

    async def main() -> None:
        async with listening(source(failing(attempts, works_after=1), lambda: frozenset(there))) as heard:
            await until(lambda: attempts)
            await asyncio.sleep(0.05)
            there.add("ttyUSB0")
            # before the end of the waiting time
            await until(lambda: heard.data == b"bytes")

    asyncio.run(main())


@pytest.mark.usefixtures("quick")
def test_one_log_line_when_the_line_is_lost_and_one_when_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    attempts: list[float] = []

    async def main() -> None:
        async with listening(source(failing(attempts, works_after=3))) as heard:
            await until(lambda: len(heard.chunks) == 2)

    asyncio.run(main())
    assert [(record.levelname, record.getMessage()) for record in caplog.records][:4] == [
        ("WARNING", "scripted: missing"),
        ("INFO", "scripted is back."),
        ("WARNING", "scripted: unplugged"),
        ("INFO", "scripted is back."),
    ]
    assert {record.name for record in caplog.records} == {"iskra_server.sources"}


@pytest.mark.usefixtures("quick")
def test_the_state_is_open_while_chunks_arrive() -> None:
    attempts: list[float] = []
    states: list[SourceState] = []

    async def main() -> None:
        watched = source(failing(attempts, works_after=1))
        states.append(watched.state)
        async with aclosing(watched.chunks()) as chunks:
            async for _ in chunks:
                states.append(watched.state)
                break
        states.append(watched.state)

    asyncio.run(main())
    assert states == [SourceState("scripted", False), SourceState("scripted", True), SourceState("scripted", False)]


@pytest.mark.usefixtures("quick")
def test_an_unplugged_port_stays_unplugged_while_it_is_missing() -> None:
    attempts: list[float] = []

    def connect() -> Scripted:
        attempts.append(0.0)
        if len(attempts) == 1:
            return Scripted()
        raise SourceError("missing", port="scripted")

    async def main() -> SourceState:
        watched = source(connect)
        async with listening(watched):
            await until(lambda: len(attempts) == 3)
            return watched.state

    assert asyncio.run(main()) == SourceState("scripted", False, "unplugged", {"port": "scripted"})
