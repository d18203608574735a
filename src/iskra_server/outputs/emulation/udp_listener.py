"""Datagrams that ask a device, sent to it or to all: one is answered by one, or not at all.

A client has one answer under way: a newer request replaces an older one that still waits for a telegram. Of more than
MAX_ANSWERING clients, which a forged flood looks like, the one that has waited longest gets none.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.reachability import broadcast_addresses

# a request has about 60 bytes
MAX_BYTES = 2048
MAX_ANSWERING = 256

log = logging.getLogger(__name__)

# address and port; by IPv6 also the flow and the network of the address
Place = tuple[str, int] | tuple[str, int, int, int]
Answer = Callable[[bytes, str], Awaitable[bytes | None]]


class UdpListener(asyncio.DatagramProtocol):
    """`answer` gets a datagram and the address of its client, and returns the answer, None for silence."""

    def __init__(self, host: str, port: int, device: EmulatedDevice, answer: Answer) -> None:
        self.host = host
        self.port = port
        self.device = device
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        # place of the client -> its answer under way
        self._answering: dict[Place, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until it is cancelled. Raises OSError where the port cannot be opened."""
        loop = asyncio.get_running_loop()
        transports: list[asyncio.DatagramTransport] = []
        try:
            for address in (self.host, *broadcast_addresses(self.host)):
                opened = _opened(address, self.port)
                transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=opened)
                transports.append(transport)
            # answers come from the address of this machine
            self._transport = transports[0]
            log.info("%s: UDP port %d is open.", self.device.name.partition(" at ")[0], self.port)
            self.device.recovered()
            await loop.create_future()
        finally:
            for transport in transports:
                transport.close()
            for answering in tuple(self._answering.values()):
                answering.cancel()

    def datagram_received(self, data: bytes, addr: Place) -> None:
        # nobody can be answered at port 0
        if len(data) > MAX_BYTES or not addr[1] or not self.device.clients.may_ask(addr[0]):
            return
        if before := self._answering.pop(addr, None):
            before.cancel()
        if len(self._answering) >= MAX_ANSWERING:
            self._answering.pop(next(iter(self._answering))).cancel()
        self._answering[addr] = task = asyncio.get_running_loop().create_task(self._reply(data, addr))
        task.add_done_callback(lambda done: self._forget(addr, done))

    async def _reply(self, data: bytes, place: Place) -> None:
        answer = await self._answer(data, place[0])
        if answer is not None and self._transport and not self._transport.is_closing():
            self._transport.sendto(answer, place)

    def _forget(self, place: Place, done: "asyncio.Task[None]") -> None:
        if self._answering.get(place) is done:
            del self._answering[place]
        if not done.cancelled() and (error := done.exception()):
            raise error


def _opened(address: str, port: int) -> socket.socket:
    """uvloop, asked to open one itself, raises an OSError without a number. Raises OSError."""
    family, kind, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        opened.bind(place)
    except OSError:
        opened.close()
        raise
    return opened
