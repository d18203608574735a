"""An MT175 behind a network head: a TCP server that sends its telegrams to everyone who is connected."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from iskra_server.simulator.household import TENTH_WH, State
from iskra_server.simulator.simulated_meter import FIRST_SERIAL
from iskra_server.simulator.sml_layouts import LAYOUTS
from iskra_server.simulator.sml_telegram import plate, telegram

LAYOUT = LAYOUTS["MT175"]
PLATE = plate(LAYOUT, FIRST_SERIAL + 1)
# what both counters show at the start
START_MWS = 1_000_000 * TENTH_WH


class NetworkMeter:
    """`count` is the number of telegrams so far, `written_s` when the last one was written (monotonic)."""

    def __init__(self) -> None:
        self.count, self.written_s = 0, 0.0
        self._clients: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._clients.add(writer)

        async with await asyncio.start_server(connected, sock=listener):
            try:
                yield
            finally:
                for client in self._clients:
                    client.close()
                    with suppress(OSError):
                        await client.wait_closed()

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def send(self, power_w: int, second: float, import_mws: float = 0.0, export_mws: float = 0.0) -> None:
        """One telegram: power of the first phase, which is all, and energies since the start."""
        self.count += 1
        counters = int(START_MWS + import_mws), int(START_MWS + export_mws)
        state = State(int(second), (power_w * 1000, 0, 0), *counters, 0)
        data = telegram(LAYOUT, PLATE, state, int(second), self.count)
        self._clients = {client for client in self._clients if not client.is_closing()}
        self.written_s = time.monotonic()
        for client in self._clients:
            client.write(data)
