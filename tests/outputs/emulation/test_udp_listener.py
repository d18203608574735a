"""Datagrams through a real socket."""

import asyncio
import socket
from functools import partial

import pytest

from emulating import GridMeter, in_event_loop, running, until
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.udp_listener import MAX_BYTES, UdpListener
from running import free_port


class Asking(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers.put_nowait(data)


async def ask(port: int) -> tuple[asyncio.DatagramTransport, Asking]:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(Asking, remote_addr=("127.0.0.1", port))


@in_event_loop
async def test_a_datagram_is_answered_by_one_and_silence_is_possible() -> None:
    device, port = EmulatedDevice("test", GridMeter().clients()), free_port()

    async def answer(data: bytes, client: str) -> bytes | None:
        return None if data == b"silence" else data.upper() + client.encode()

    listener = UdpListener("127.0.0.1", port, device, answer)
    async with running(listener.run()):
        async with asyncio.timeout(20):
            await device.opened.wait()
            transport, asking = await ask(port)
            for data in (b"silence", b"x" * (MAX_BYTES + 1), b"power"):
                transport.sendto(data)
            assert await asking.answers.get() == b"POWER127.0.0.1"
            transport.close()
    assert asking.answers.empty()


@in_event_loop
async def test_a_newer_request_replaces_one_that_still_waits() -> None:
    device, port, may_answer = EmulatedDevice("test", GridMeter().clients()), free_port(), asyncio.Event()
    began: list[bytes] = []

    async def answer(data: bytes, _client: str) -> bytes | None:
        began.append(data)
        await may_answer.wait()
        return data

    listener = UdpListener("127.0.0.1", port, device, answer)
    async with running(listener.run()):
        async with asyncio.timeout(20):
            await device.opened.wait()
            transport, asking = await ask(port)
            for data in (b"first", b"second"):
                transport.sendto(data)
                await until(partial(began.__contains__, data))
            may_answer.set()
            assert await asking.answers.get() == b"second"
            transport.close()


@in_event_loop
async def test_a_taken_port_raises() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        device = EmulatedDevice("test", GridMeter().clients())
        with pytest.raises(OSError, match="in use"):
            await UdpListener("127.0.0.1", taken.getsockname()[1], device, None).run()  # type: ignore[arg-type]
