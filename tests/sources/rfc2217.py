"""A server of RFC 2217 for one serial port: bytes both ways, and its speed as the client sets it."""

import asyncio
import os
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

IAC, SB, SE, WILL, DO, COM_PORT = 255, 250, 240, 251, 253, 44
SET_BAUDRATE = 1
# the server answers with its commands plus 100
_ANSWER = 100
_AGREED = {WILL: DO, DO: WILL}


class Rfc2217Port:
    """`speeds` are those that the client has set, in order."""

    def __init__(self, path: str) -> None:
        self.speeds: list[int] = []
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)

    def close(self) -> None:
        os.close(self._fd)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._fd, lambda: writer.write(os.read(self._fd, 4096).replace(b"\xff", b"\xff\xff")))
        try:
            while True:
                byte = await reader.readexactly(1)
                if byte[0] == IAC:
                    await self._command(reader, writer)
                else:
                    os.write(self._fd, byte)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            loop.remove_reader(self._fd)
            writer.close()

    async def _command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = (await reader.readexactly(1))[0]
        if command == IAC:
            os.write(self._fd, b"\xff")
        elif command == SB:
            option, order = await reader.readexactly(2)
            value = (await reader.readuntil(bytes((IAC, SE))))[:-2].replace(b"\xff\xff", b"\xff")
            if (option, order) == (COM_PORT, SET_BAUDRATE):
                self._set_speed(int.from_bytes(value))
            escaped = value.replace(b"\xff", b"\xff\xff")
            writer.write(bytes((IAC, SB, option, order + _ANSWER)) + escaped + bytes((IAC, SE)))
        elif command in _AGREED:
            writer.write(bytes((IAC, _AGREED[command], (await reader.readexactly(1))[0])))

    def _set_speed(self, baud: int) -> None:
        self.speeds.append(baud)
        settings = termios.tcgetattr(self._fd)
        settings[4] = settings[5] = getattr(termios, f"B{baud}")
        termios.tcsetattr(self._fd, termios.TCSANOW, settings)


@asynccontextmanager
async def rfc2217_server(path: str) -> AsyncIterator[tuple[Rfc2217Port, int]]:
    """The port behind it, and the TCP port on loopback."""
    port = Rfc2217Port(path)
    listener = await asyncio.start_server(port.serve, "127.0.0.1", 0)
    try:
        async with listener:
            yield port, listener.sockets[0].getsockname()[1]
    finally:
        port.close()
