"""Bytes over the network: `tcp://` (ser2net, Wi-Fi heads), and `rfc2217://`, `esphome://` through serialx.

A peer that is switched off closes no connection: keepalive finds a dead machine, and two minutes without a byte end the
connection in any case; a meter that sends every 15 minutes gets twice its longest pause. Some heads send telegrams as
hex text (hexstream.py).
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import serialx
from serialx.common import UnknownUriScheme

from iskra_server.base.address import Address, is_host
from iskra_server.base.clock import boottime_s
from iskra_server.base.installation import adding_command
from iskra_server.sources.errors import SourceError, network_error
from iskra_server.sources.hexstream import HexTextDecoder
from iskra_server.sources.idle_limit import IdleLimit
from iskra_server.sources.reconnect import Converse, Line, Reconnecting, Report, WritableLine
from iskra_server.sources.source import FormatProblem, LineSettings, SourceState, plain_problem

IDLE_S = 120.0
CONNECT_S = 10.0
MAX_BYTES = 4096
# lets the event loop look once whether bytes are there
_LOOK_S = 0.001
# finds a dead machine 60 s after its last byte, or after a request that it did not receive
KEEPALIVE = (
    (socket.TCP_KEEPIDLE, 30),
    (socket.TCP_KEEPINTVL, 10),
    (socket.TCP_KEEPCNT, 3),
    *(((socket.TCP_USER_TIMEOUT, 60_000),) if hasattr(socket, "TCP_USER_TIMEOUT") else ()),
)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class StreamLine(Line):
    """An open connection, as a line; without an idle limit it may be silent for ever."""

    def __init__(self, port: str, streams: Streams, idle: IdleLimit | None) -> None:
        self.port = port
        self._reader, self._writer = streams
        self._idle = idle
        self._hex_text = HexTextDecoder()

    async def read(self) -> bytes:
        while not (data := self._hex_text.feed(await self._read())):
            pass
        return data

    async def _read(self) -> bytes:
        idle_s = self._idle.seconds if self._idle else None
        try:
            async with asyncio.timeout(idle_s):
                data = await self._reader.read(MAX_BYTES)
        except TimeoutError as error:
            raise SourceError("idle", port=self.port, seconds=f"{idle_s:.0f}") from error
        except (OSError, serialx.SerialException) as error:
            raise self._lost() from error
        if not data:
            raise self._lost()
        if self._idle:
            self._idle.note_read(boottime_s())
        return data

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError, serialx.SerialException):
            await self._writer.wait_closed()

    def _lost(self) -> SourceError:
        return SourceError("closed", port=self.port)


class WritableStreamLine(StreamLine, WritableLine):
    """A connection to a serial port, on which a conversation is held; raw TCP has the speed of the far end.

    It is not idle while the meter is silent: nobody else is there to send.
    """

    def __init__(self, port: str, streams: Streams, baud: int) -> None:
        super().__init__(port, streams, None)
        self.settings = LineSettings(baud)

    async def read_until(self, at_s: float) -> bytes:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(at_s - time.monotonic(), _LOOK_S)):
                return await self._read()
        return b""

    def state(self) -> SourceState:
        return SourceState(self.port, is_open=True, line=self.settings)

    def write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
        except (OSError, serialx.SerialException) as error:
            raise self._lost() from error

    async def set_speed(self, baud: int) -> None:
        transport = self._writer.transport
        if baud == self.settings.baud or not isinstance(transport, serialx.BaseSerialTransport):
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                await transport.reconfigure_port(baudrate=baud)
        except TimeoutError as error:
            raise SourceError("no_answer", port=self.port) from error
        except (OSError, serialx.SerialException) as error:
            raise self._lost() from error
        self.settings = LineSettings(baud)


def tcp_source(
    url: str | Address,
    *,
    idle_s: float = IDLE_S,
    format_problem: FormatProblem = plain_problem,
    converse: Converse | None = None,
    baud: int = LineSettings().baud,
) -> Reconnecting:
    """`tcp://HOST:PORT`; raises ValueError when one of them is missing. `baud` is the fixed speed of the far end."""
    address = Address(url)
    host, port = _host_and_port(address)

    async def connect() -> Streams:
        reader, writer = await asyncio.open_connection(host, port)
        keep_alive(writer.get_extra_info("socket"))
        return reader, writer

    return _source(address, connect, _line(address, idle_s, converse, baud), format_problem)


def bridge_source(
    url: str | Address,
    *,
    idle_s: float = IDLE_S,
    format_problem: FormatProblem = plain_problem,
    converse: Converse | None = None,
    baud: int = LineSettings().baud,
) -> Reconnecting:
    """`rfc2217://HOST:PORT` and `esphome://HOST/?port_name=NAME&key=KEY`, set to `baud` 8N1 at the far end."""
    address = Address(url)
    if address.scheme == "rfc2217":
        _host_and_port(address)
    elif not is_host(address.host):
        raise ValueError(f"{address} must be esphome://HOST/?port_name=NAME.")

    async def connect() -> Streams:
        return await serialx.open_serial_connection(address.escaped(), baudrate=baud)

    return _source(address, connect, _line(address, idle_s, converse, baud), format_problem)


def keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _line(address: Address, idle_s: float, converse: Converse | None, baud: int) -> Callable[[Streams], Line]:
    port, idle = str(address), IdleLimit(idle_s)
    if converse is None:
        return lambda streams: StreamLine(port, streams, idle)
    return lambda streams: converse(WritableStreamLine(port, streams, baud))


def _source(
    address: Address,
    connect: Callable[[], Awaitable[Streams]],
    line: Callable[[Streams], Line],
    format_problem: FormatProblem,
) -> Reconnecting:
    port = str(address)

    async def open_line(_: Report) -> Line:
        try:
            async with asyncio.timeout(CONNECT_S):
                return line(await connect())
        except (OSError, ValueError, RuntimeError, serialx.SerialException) as error:
            raise _connection_error(address, error) from None

    return Reconnecting(url=port, port=port, connect=open_line, format_problem=format_problem)


def _host_and_port(address: Address) -> tuple[str, int]:
    scheme = address.scheme
    try:
        port = address.port
    except ValueError:
        port = None
    if not is_host(address.host) or not port:
        raise ValueError(f"{address} must be {scheme}://HOST:PORT, for example {scheme}://192.168.1.20:4000.")
    return address.host, port


def _connection_error(address: Address, error: Exception) -> SourceError:
    port = str(address)
    if isinstance(error, UnknownUriScheme):
        command = adding_command("esphome")
        return SourceError("needs_package" if command else "needs_other_installation", port=port, command=command)
    if isinstance(error, OSError | UnicodeError):
        return network_error(address, error)
    return SourceError("bad_address", port=port, reason=address.masked(error))
