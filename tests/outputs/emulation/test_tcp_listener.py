"""Connections of one port: all are answered, and the longest idle one makes room."""

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulating import GridMeter, in_event_loop, running, until
from iskra_server.outputs.emulation import tcp_listener
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.tcp_listener import TcpListener
from running import free_port

LOOPBACK = "127.0.0.1"


class Echo(TcpListener[EmulatedDevice]):
    """Sends each line back; "wait" is a request that takes long."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
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
    async with running(Echo(LOOPBACK, port, [device], 1000).run()), asyncio.timeout(60):
        await device.opened.wait()
        yield port


async def echo(port: int, line: bytes, client: str = LOOPBACK) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A new connection that has been answered."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, local_addr=(client, 0))
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


@pytest.mark.parametrize("line", [b"1\n", b"wait\n"])
@in_event_loop
async def test_the_client_with_the_most_connections_makes_room(monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    monkeypatch.setattr(tcp_listener, "MAX_CONNECTIONS", 4)
    async with listening() as port:
        battery = await echo(port, b"battery\n")
        flood = [await echo(port, line, "127.0.0.9") for _ in range(3)]
        other = await echo(port, b"other\n", "127.0.0.3")
        assert await flood[0][0].read() == b""
        battery[1].write(b"again\n")
        assert await battery[0].readline() == b"again\n"
        for _, writer in (battery, other, *flood):
            writer.close()


@in_event_loop
async def test_a_client_that_went_before_it_was_accepted_is_no_error() -> None:
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with listening() as port:
        for _ in range(20):
            with socket.socket() as gone:
                # closed by a reset
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                gone.connect((LOOPBACK, port))
        (await echo(port, b"next\n"))[1].close()
    gc.collect()
    assert errors == []


@in_event_loop
async def test_of_many_that_come_at_the_same_moment_no_more_stay_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_listener, "MAX_CONNECTIONS", 3)
    async with listening() as port:
        opened = [await echo(port, b"first\n") for _ in range(3)]
        opened += await asyncio.gather(*(asyncio.open_connection(LOOPBACK, port) for _ in range(30)))
        # an answer, or the end
        ends = [asyncio.ensure_future(reader.read()) for reader, _ in opened]
        await until(lambda: sum(not end.done() for end in ends) <= 3)
        for end, (_, writer) in zip(ends, opened, strict=True):
            end.cancel()
            writer.close()


@in_event_loop
async def test_all_end_when_the_listener_stops() -> None:
    async with listening() as port:
        opened = [await echo(port, line) for line in (b"wait\n", b"1\n")]
    async with asyncio.timeout(60):
        for reader, writer in opened:
            assert await reader.read() == b""
            writer.close()
