"""The connections of one TCP port: MAX_CONNECTIONS at once, then one of the client with the most of them makes room.

So a program that opens one after the other takes no connection from a battery. A client that has gone without a word,
such as a battery that lost its WLAN, is noticed by probes of TCP within about two minutes.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from msgspec import Struct

from iskra_server.base.clock import boottime_s
from iskra_server.outputs.emulation.device import EmulatedDevice

MAX_CONNECTIONS = 256
# the first probe after so long without a byte (s), the time between two (s), and how many stay without an answer
_PROBES = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class _Connection(Struct):
    """`client` is its IP address; `idle_since_s` None while a request is answered."""

    client: str
    idle_since_s: float | None


Device = TypeVar("Device", bound=EmulatedDevice)


class TcpListener(Generic[Device]):
    """`devices` are those that are asked at this port; `max_bytes` limits what is buffered of one connection."""

    def __init__(self, host: str, port: int, devices: Sequence[Device], max_bytes: int) -> None:
        self.host = host
        self.port = port
        self.devices = devices
        self._max_bytes = max_bytes
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def run(self) -> None:
        """Until it is cancelled. Raises OSError where the port cannot be opened."""
        server = await asyncio.start_server(self._connected, self.host, self.port, limit=self._max_bytes)
        for device in self.devices:
            device.recovered()
        try:
            async with server:
                await server.serve_forever()
        finally:
            for connection in tuple(self._connections):
                connection.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        """Until the connection is to be closed; OSError, TimeoutError and EOFError say that the client is gone.

        `client` is its IP address.
        """
        raise NotImplementedError

    def mark_idle(self) -> None:
        """The connection of this task waits for a request: it may be closed to make room."""
        self._connections[_task()].idle_since_s = boottime_s()

    def mark_busy(self) -> None:
        self._connections[_task()].idle_since_s = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # None: it went before it was accepted
        if peer := writer.get_extra_info("peername"):
            client = str(peer[0])
            if len(self._connections) < MAX_CONNECTIONS or self._make_room(client):
                await self._served(reader, writer, client)
        writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()
        # a client that ended it by a reset is no error
        with suppress(OSError):
            await writer.wait_closed()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        self._connections[_task()] = _Connection(client, boottime_s())
        _probe(writer.get_extra_info("socket"))
        try:
            await self.serve(reader, writer, client)
        except (OSError, TimeoutError, EOFError):
            pass
        except asyncio.CancelledError:
            # to make room, or because the server stops: the task of a connection ends without being awaited
            pass
        finally:
            self._connections.pop(_task(), None)

    def _make_room(self, client: str) -> bool:
        """Ends the longest idle connection of the client with the most; where all are busy, its oldest one.

        False where this client itself has the most, and all are busy.
        """
        counts = Counter(connection.client for connection in self._connections.values())
        most = max(counts.values())
        theirs = {task: each for task, each in self._connections.items() if counts[each.client] == most}
        idle = {task: each.idle_since_s for task, each in theirs.items() if each.idle_since_s is not None}
        if idle:
            ended = min(idle, key=idle.__getitem__)
        elif counts[client] < most:
            ended = next(iter(theirs))
        else:
            return False
        # at once: others may come before its task notices
        del self._connections[ended]
        ended.cancel()
        return True


def _probe(opened: socket.socket) -> None:
    """Lets the system find out whether the client is still there."""
    # gone already
    with suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _PROBES:
            # not every system has all
            if option := getattr(socket, name, None):
                opened.setsockopt(socket.IPPROTO_TCP, option, value)


def _task() -> "asyncio.Task[None]":
    task = asyncio.current_task()
    assert task
    return task
