"""Datagrams that ask a device: one is answered by one, or not at all.

A client has one answer under way: a newer request replaces an older one that still waits for a telegram.
Batteries ask by broadcast. A socket that listens at one address gets none (Linux, ip(7)), so further ones listen at the
broadcast addresses of its network; the answer always comes from the address itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Interface

from iskra_server.outputs.emulation.device import EmulatedDevice

# a request has about 60 bytes
MAX_BYTES = 2048

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
        self._answering: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until it is cancelled. Raises OSError where the port cannot be opened."""
        self._transport = await self._open(self.host)
        transports = [self._transport]
        for address in broadcast_addresses(self.host):
            # other systems have no such sockets
            with suppress(OSError):
                transports.append(await self._open(address))
        self.device.recovered()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            for transport in transports:
                transport.close()
            for answering in tuple(self._answering.values()):
                answering.cancel()

    async def _open(self, host: str) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, self.port))
        return transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        place = addr[0], addr[1]
        if len(data) > MAX_BYTES or not self.device.clients.may_ask(place[0]):
            return
        if before := self._answering.pop(place, None):
            before.cancel()
        self._answering[place] = task = asyncio.get_running_loop().create_task(self._reply(data, place))
        task.add_done_callback(lambda done: self._forget(place, done))

    async def _reply(self, data: bytes, place: tuple[str, int]) -> None:
        answer = await self._answer(data, place[0])
        if answer is not None and self._transport and not self._transport.is_closing():
            self._transport.sendto(answer, place)

    def _forget(self, place: tuple[str, int], done: "asyncio.Task[None]") -> None:
        if self._answering.get(place) is done:
            del self._answering[place]
        if not done.cancelled() and (error := done.exception()):
            raise error


def broadcast_addresses(host: str) -> tuple[str, ...]:
    """Those that reach one address of this machine; none for all of its addresses, for loopback and for IPv6."""
    from ifaddr import get_adapters  # noqa: PLC0415

    for adapter in get_adapters():
        for ip in adapter.ips:
            if ip.ip == host and isinstance(ip.ip, str):
                network = IPv4Interface(f"{ip.ip}/{ip.network_prefix}").network
                if not network.is_loopback and network.prefixlen < 31:
                    return "255.255.255.255", str(network.broadcast_address)
    return ()
