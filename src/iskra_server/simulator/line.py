"""Serves a simulated meter on a pseudo-terminal or a TCP port, which any program can open.

A pseudo-terminal has the speed of the meter's line until a program sets another one, at which it reads noise. Bytes
that nobody reads are lost, as on a serial port. Unplugging closes the port; afterwards a pseudo-terminal has a new
path, and TCP clients connect again.
"""

import asyncio
import os
import socket
import struct
import termios
import tty
from collections.abc import Callable
from contextlib import aclosing, suppress
from fcntl import ioctl

from iskra_server.simulator.noise import heard
from iskra_server.simulator.simulated_source import SimulatedSource
from iskra_server.sources.source import LineSettings

# some telegrams; a pseudo-terminal buffers 4096 bytes
MAX_UNREAD = 2048
MAX_CLIENTS = 32
# half a minute of telegrams here and as much in the kernel; a client further behind is dropped
MAX_UNSENT = 16 * 1024
_BAUD = {code: int(name[1:]) for name, code in vars(termios).items() if name.startswith("B") and name[1:].isdigit()}


async def serve_pty(meter: SimulatedSource, on_path: Callable[[str], None]) -> None:
    """Endless; calls `on_path` with the path to open, again after each unplugging."""
    _check_rate(meter)
    terminal = Terminal(meter.model.line)
    try:
        async with aclosing(meter.intervals()) as intervals:
            async for data in intervals:
                if data is None:
                    terminal.close()
                elif terminal.open():
                    on_path(terminal.path)
                terminal.write(data or b"")
    finally:
        terminal.close()


async def serve_tcp(meter: SimulatedSource, host: str, port: int, on_listening: Callable[[int], None]) -> None:
    """Endless; calls `on_listening` with the port (port 0 is any free one). OSError if it cannot listen."""
    _check_rate(meter)
    clients: set[asyncio.StreamWriter] = set()

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(clients) >= MAX_CLIENTS:
            writer.close()
            return
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_UNSENT)
        clients.add(writer)
        with suppress(ConnectionError):
            while await reader.read(1024):
                pass  # input is ignored
        clients.discard(writer)
        writer.close()

    async with await asyncio.start_server(on_connect, host, port) as server:
        on_listening(server.sockets[0].getsockname()[1])
        try:
            async with aclosing(meter.intervals()) as intervals:
                async for data in intervals:
                    for client in tuple(clients):
                        _send(client, data)
        finally:
            for client in clients:
                client.transport.abort()


def _check_rate(meter: SimulatedSource) -> None:
    if meter.rate == 0:
        raise ValueError("a port needs a rate above 0; 1 is the speed of a real meter")


def _send(client: asyncio.StreamWriter, data: bytes | None) -> None:
    if data is None or client.transport.get_write_buffer_size() > MAX_UNSENT:
        client.transport.abort()
    else:
        client.write(data)


class Terminal:
    """A raw pseudo-terminal; both ends stay open here so that programs may open and close it."""

    path = ""

    def __init__(self, line: LineSettings | None = None) -> None:
        self._line = line or LineSettings()
        self._ends: tuple[int, int] | None = None

    def open(self) -> bool:
        """Open it; True if it was closed before."""
        if self._ends:
            return False
        self._ends = meter_end, reader_end = os.openpty()
        tty.setraw(reader_end)
        settings = termios.tcgetattr(reader_end)
        settings[4] = settings[5] = getattr(termios, f"B{self._line.baud}")
        termios.tcsetattr(reader_end, termios.TCSANOW, settings)
        os.set_blocking(meter_end, False)
        self.path = os.ttyname(reader_end)
        return True

    def write(self, data: bytes) -> None:
        """Send at the speed of the line; drops older bytes if some telegrams are unread; nothing while closed."""
        if not self._ends:
            return
        data = heard(data, self._line.baud, self.baud, has_parity=self._line.format == "8E1")
        _, reader_end = self._ends
        (unread,) = struct.unpack("i", ioctl(reader_end, termios.FIONREAD, bytes(4)))
        if unread > MAX_UNREAD:
            termios.tcflush(reader_end, termios.TCIFLUSH)
        self.put(data)

    def put(self, data: bytes) -> None:
        """Bytes as they arrive at the other side."""
        with suppress(BlockingIOError):
            os.write(self.descriptor, data)

    @property
    def descriptor(self) -> int:
        """Our end, readable when the other side has written; only while open."""
        assert self._ends
        return self._ends[0]

    @property
    def baud(self) -> int:
        """The speed that the other side has set."""
        return _BAUD[termios.tcgetattr(self.descriptor)[5]]

    def read(self) -> bytes:
        """What the other side has written since."""
        with suppress(BlockingIOError):
            return os.read(self.descriptor, MAX_UNREAD)
        return b""

    def close(self) -> None:
        for end in self._ends or ():
            os.close(end)
        self._ends = None
