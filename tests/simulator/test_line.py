"""Real pseudo-terminals and sockets, read as any program would read them."""

import asyncio
import os
import socket
import struct
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fcntl import ioctl
from functools import partial
from itertools import islice

import pytest

from iskra_server.codecs.sml.decoder import SmlDecoder
from iskra_server.meter.reading import Fault, Reading
from iskra_server.simulator.line import MAX_CLIENTS, MAX_UNREAD, Terminal, serve_pty, serve_tcp
from iskra_server.simulator.simulated_source import SimulatedSource, telegrams

DEADLINE_S = 60
LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def pty_of(meter: SimulatedSource) -> AsyncIterator["asyncio.Queue[str]"]:
    """A running pseudo-terminal line: its paths as they come."""
    paths: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(serve_pty(meter, paths.put_nowait))
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield paths
    finally:
        await ended(task)


@asynccontextmanager
async def tcp_of(meter: SimulatedSource) -> AsyncIterator[int]:
    """A running TCP line: its port."""
    ports: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(serve_tcp(meter, LOOPBACK, 0, ports.put_nowait))
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield await ports.get()
    finally:
        await ended(task)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def open_pty(path: str) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    protocol = partial(asyncio.StreamReaderProtocol, reader)
    await asyncio.get_running_loop().connect_read_pipe(protocol, os.fdopen(descriptor, "rb", 0))
    return reader


async def results(reader: asyncio.StreamReader, count: int) -> list[Reading | Fault]:
    decoder, found = SmlDecoder(), list[Reading | Fault]()
    while len(found) < count:
        data = await reader.read(4096)
        assert data, "the line ended"
        found += decoder.feed(data)
    return found


async def gone(reader: asyncio.StreamReader) -> bool:
    with suppress(OSError):
        while await reader.read(4096):
            pass
    return True


def seconds(reading: Reading | Fault) -> int:
    assert isinstance(reading, Reading) and reading.meter_time
    return reading.meter_time.seconds


def test_a_pseudo_terminal_gives_whole_telegrams_one_after_another() -> None:
    async def scenario() -> list[Reading | Fault]:
        async with pty_of(SimulatedSource(rate=50)) as paths:
            return await results(await open_pty(await paths.get()), 10)

    found = asyncio.run(scenario())
    assert [seconds(reading) - seconds(found[0]) for reading in found] == list(range(len(found)))


def test_unplugging_hangs_up_and_the_head_comes_back_on_a_new_line() -> None:
    async def scenario() -> list[Reading | Fault]:
        async with pty_of(SimulatedSource(rate=100, faults="unplug=0.1")) as paths:
            reader = await open_pty(await paths.get())
            assert await gone(reader)
            return await results(await open_pty(await paths.get()), 1)

    assert isinstance(asyncio.run(scenario())[0], Reading)


def test_a_line_that_nobody_reads_keeps_the_newest_telegrams_alone() -> None:
    terminal = Terminal()
    try:
        assert terminal.open()
        reader = os.open(terminal.path, os.O_RDONLY | os.O_NOCTTY)
        for sent in islice(telegrams(), 100):
            before = unread(reader)
            terminal.write(sent)
            arrived(reader, len(sent) + (before if before <= MAX_UNREAD else 0))
        kept = os.read(reader, 1 << 16)
        os.close(reader)
    finally:
        terminal.close()
    assert kept.endswith(sent)
    assert len(kept) < 4096


def unread(descriptor: int) -> int:
    (count,) = struct.unpack("i", ioctl(descriptor, termios.FIONREAD, bytes(4)))
    return int(count)


def arrived(descriptor: int, count: int) -> None:
    """The kernel carries bytes from one end to the other in its own time: wait until it has."""
    deadline = time.monotonic() + DEADLINE_S
    while unread(descriptor) != count:
        assert time.monotonic() < deadline, "the bytes did not arrive"
        time.sleep(0.001)


def test_every_tcp_client_gets_every_telegram() -> None:
    async def scenario() -> list[list[Reading | Fault]]:
        async with tcp_of(SimulatedSource(rate=50)) as port:
            streams = [await asyncio.open_connection(LOOPBACK, port) for _ in range(3)]
            found = await asyncio.gather(*(results(reader, 5) for reader, _ in streams))
            for _, writer in streams:
                writer.close()
            return found

    for found in asyncio.run(scenario()):
        assert [seconds(reading) - seconds(found[0]) for reading in found] == list(range(len(found)))


def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on() -> None:
    async def scenario() -> tuple[int, list[Reading | Fault]]:
        async with tcp_of(SimulatedSource(rate=10_000)) as port:
            quick, writer = await asyncio.open_connection(LOOPBACK, port)
            with socket.create_connection((LOOPBACK, port)) as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                found = await results(quick, 600)
                late = await asyncio.to_thread(read_to_the_end, slow)
            writer.close()
            return late, found

    late, found = asyncio.run(scenario())
    assert late < 300 * 456
    assert [seconds(reading) - seconds(found[0]) for reading in found] == list(range(len(found)))


def read_to_the_end(client: socket.socket) -> int:
    client.settimeout(DEADLINE_S)
    return sum(iter(lambda: len(client.recv(65_536)), 0))


def test_one_client_too_many_is_turned_away() -> None:
    async def scenario() -> bytes:
        async with tcp_of(SimulatedSource(rate=5)) as port:
            streams = [await asyncio.open_connection(LOOPBACK, port) for _ in range(MAX_CLIENTS)]
            for reader, _ in streams:
                await results(reader, 1)
            late, late_writer = await asyncio.open_connection(LOOPBACK, port)
            turned_away = await late.read()
            for _, writer in (*streams, (late, late_writer)):
                writer.close()
            return turned_away

    assert asyncio.run(scenario()) == b""


def test_a_line_needs_a_pace() -> None:
    meter = SimulatedSource(rate=0)
    with pytest.raises(ValueError, match="needs a rate above 0"):
        asyncio.run(serve_pty(meter, print))
    with pytest.raises(ValueError, match="needs a rate above 0"):
        asyncio.run(serve_tcp(meter, LOOPBACK, 0, print))
