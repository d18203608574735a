"""Serves D0 meters that wait for requests on a pseudo-terminal, at the speed that the other side sets, or on TCP.

A TCP port is a bridge whose serial side stays at the speed of the wire.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from iskra_server.simulator.d0_lists import registers
from iskra_server.simulator.d0_meter import D0Meter
from iskra_server.simulator.d0_wire import D0Wire
from iskra_server.simulator.line import Terminal
from iskra_server.simulator.simulated_source import SimulatedSource
from iskra_server.sources.source import LineSettings

# adapters hand characters over together
_TOGETHER_S = 0.01


async def wire_of(meter: SimulatedSource, *, is_echoed: bool = False) -> D0Wire:
    """The line of a simulated meter that is polled; its faults damage whole messages."""
    polled = meter.model.polled
    assert polled
    await meter.prepare()

    def lines() -> list[str]:
        return polled.lines(meter.now())

    def register(code: str) -> str:
        return registers(lines())(code)

    asked = D0Meter(
        polled.ident,
        lines,
        address=f"{meter.now().serial:08}",
        register=register if polled.answers_registers else None,
        damage=meter.damage,
    )
    return D0Wire([asked], is_echoed=is_echoed)


async def serve_d0_pty(wire: D0Wire, on_path: Callable[[str], None]) -> None:
    """Endless; calls `on_path` with the path to open."""
    loop = asyncio.get_running_loop()
    terminal = Terminal(LineSettings(wire.baud))
    terminal.open()
    has_written = asyncio.Event()
    loop.add_reader(terminal.descriptor, has_written.set)
    try:
        on_path(terminal.path)
        while True:
            has_written.clear()
            wire.configure(terminal.baud)
            if data := terminal.read():
                wire.write(data, loop.time())
            terminal.put(wire.read(loop.time()))
            await _until(has_written, wire)
    finally:
        loop.remove_reader(terminal.descriptor)
        terminal.close()


async def serve_d0_tcp(wire: D0Wire, host: str, port: int, on_listening: Callable[[int], None]) -> None:
    """Endless; calls `on_listening` with the port (port 0 is any free one). OSError if it cannot listen."""
    loop = asyncio.get_running_loop()
    clients: set[asyncio.StreamWriter] = set()
    has_written = asyncio.Event()

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        with suppress(ConnectionError):
            while data := await reader.read(1024):
                wire.write(data, loop.time())
                has_written.set()
        clients.discard(writer)
        writer.close()

    async with await asyncio.start_server(on_connect, host, port) as server:
        on_listening(server.sockets[0].getsockname()[1])
        try:
            while True:
                has_written.clear()
                if data := wire.read(loop.time()):
                    for client in clients:
                        client.write(data)
                await _until(has_written, wire)
        finally:
            for client in clients:
                client.transport.abort()


async def _until(has_written: asyncio.Event, wire: D0Wire) -> None:
    """Wait for what happens next on the wire, or for what is written."""
    wait_s = max(_TOGETHER_S, wire.wakes_at_s - asyncio.get_running_loop().time())
    with suppress(TimeoutError):
        await asyncio.wait_for(has_written.wait(), None if wait_s == float("inf") else wait_s)
