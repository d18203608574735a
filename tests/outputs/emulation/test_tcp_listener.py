"""Connections of one port: all are answered, and the longest idle one makes room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulating import GridMeter, in_event_loop, running
from iskra_server.outputs.emulation import tcp_listener
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.tcp_listener import TcpListener
from running import free_port

LOOPBACK = "127.0.0.1"


class Echo(TcpListener[EmulatedDevice]):
    """Sends each line back; "wait" is a request that takes long."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.mark_idle()
            line = await reader.readuntil(b"\n")
            self.mark_busy()
            writer.write(line)
            if line == b"wait\n":
                await asyncio.sleep(60)


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    port, device = free_port(), EmulatedDevice("echo", GridMeter().clients())
    async with running(Echo(LOOPBACK, port, [device], 1000).run()), asyncio.timeout(30):
        await device.opened.wait()
        yield port


async def echo(port: int, line: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A new connection that has been answered."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(line)
    assert await reader.readline() == line
    return reader, writer


@in_event_loop
async def test_the_longest_idle_connection_makes_room_and_a_busy_one_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_listener, "MAX_CONNECTIONS", 3)
    async with listening() as port:
        busy, first, second = [await echo(port, line) for line in (b"wait\n", b"1\n", b"2\n")]
        first[1].write(b"later\n")
        assert await first[0].readline() == b"later\n"
        third = await echo(port, b"3\n")
        assert await second[0].read() == b""
        for reader, _ in (busy, first, third):
            assert not reader.at_eof()
        for _, writer in (busy, first, second, third):
            writer.close()


@in_event_loop
async def test_where_all_are_busy_a_new_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_listener, "MAX_CONNECTIONS", 2)
    async with listening() as port:
        busy = [await echo(port, b"wait\n") for _ in range(2)]
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        assert await reader.read() == b""
        for _, opened in (*busy, (reader, writer)):
            opened.close()


@in_event_loop
async def test_all_end_when_the_listener_stops() -> None:
    async with listening() as port:
        opened = [await echo(port, line) for line in (b"wait\n", b"1\n")]
    async with asyncio.timeout(30):
        for reader, writer in opened:
            assert await reader.read() == b""
            writer.close()
