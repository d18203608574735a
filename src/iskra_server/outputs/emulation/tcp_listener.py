"""The connections of one TCP port: MAX_CONNECTIONS at once, then the longest idle one makes room."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Generic, TypeVar

from iskra_server.base.clock import boottime_s
from iskra_server.outputs.emulation.device import EmulatedDevice

MAX_CONNECTIONS = 256

log = logging.getLogger(__name__)

Device = TypeVar("Device", bound=EmulatedDevice)


class TcpListener(Generic[Device]):
    """`devices` are those that are asked at this port; `max_bytes` limits what is buffered of one connection."""

    def __init__(self, host: str, port: int, devices: Sequence[Device], max_bytes: int) -> None:
        self.host = host
        self.port = port
        self.devices = devices
        self._max_bytes = max_bytes
        # connection -> since when it is idle, None while a request is answered
        self._connections: dict[asyncio.Task[None], float | None] = {}

    async def run(self) -> None:
        """Until it is cancelled. Raises OSError where the port cannot be opened."""
        server = await asyncio.start_server(self._connected, self.host, self.port, limit=self._max_bytes)
        for device in self.devices:
            log.info("%s: TCP port %d is open.", device.name, self.port)
            device.recovered()
        try:
            async with server:
                await server.serve_forever()
        finally:
            for connection in tuple(self._connections):
                connection.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the connection is to be closed; OSError, TimeoutError and EOFError say that the client is gone."""
        raise NotImplementedError

    def mark_idle(self) -> None:
        """The connection of this task waits for a request: it may be closed to make room."""
        self._connections[_connection()] = boottime_s()

    def mark_busy(self) -> None:
        self._connections[_connection()] = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS and not self._make_room():
            writer.transport.abort()
            return
        self.mark_idle()
        try:
            await self.serve(reader, writer)
        except (OSError, TimeoutError, EOFError):
            pass
        except asyncio.CancelledError:
            # to make room, or because the server stops: the task of a connection ends without being awaited
            pass
        finally:
            del self._connections[_connection()]
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    def _make_room(self) -> bool:
        idle = {task: since_s for task, since_s in self._connections.items() if since_s is not None}
        if not idle:
            return False
        min(idle, key=idle.__getitem__).cancel()
        return True


def _connection() -> "asyncio.Task[None]":
    task = asyncio.current_task()
    assert task
    return task
