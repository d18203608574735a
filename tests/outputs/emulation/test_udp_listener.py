"""Datagrams through a real socket."""

import asyncio
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from emulating import GridMeter, in_event_loop, running, until
from homeassistant import network
from iskra_server.outputs.emulation.clients import Rules, networks
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.udp_listener import MAX_BYTES, UdpListener
from namespaces import inside
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


ASK = """
import socket, sys
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
asking.settimeout(0.2)
for _ in range(50):
    asking.sendto(b"power", (sys.argv[1], int(sys.argv[2])))
    try:
        data, place = asking.recvfrom(100)
        print(data.decode(), *place)
        break
    except TimeoutError:
        pass
"""


@pytest.mark.parametrize("listens_everywhere", [True, False])
def test_a_battery_that_asks_by_broadcast_is_answered_from_the_address(
    tmp_path: Path, listens_everywhere: bool
) -> None:
    if reason := network.missing():
        pytest.skip(reason)
    home, port = network.Network(tmp_path), free_port()
    battery = home.machine()
    battery.run("ip", "route", "add", "255.255.255.255", "dev", "eth0")

    async def ask_by_broadcast(address: str) -> str:
        asking = await asyncio.create_subprocess_exec(
            *battery.command, sys.executable, "-c", ASK, address, str(port), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asking.communicate()
        return output.decode()

    @in_event_loop
    async def run() -> None:
        # the network of the test is one for measurements
        device = EmulatedDevice("test", GridMeter().clients(Rules(networks("198.18.0.0/16"))))

        async def answer(data: bytes, _client: str) -> bytes:
            return data.upper()

        host = "0.0.0.0" if listens_everywhere else home.pi.address
        async with running(UdpListener(host, port, device, answer).run()), asyncio.timeout(30):
            await device.opened.wait()
            for address in ("255.255.255.255", f"{network.SUBNET}.255", home.pi.address):
                assert await ask_by_broadcast(address) == f"POWER {home.pi.address} {port}\n"

    try:
        with inside(home.pi.pid):
            run()
    finally:
        home.end()


@in_event_loop
async def test_a_taken_port_raises() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        device = EmulatedDevice("test", GridMeter().clients())
        with pytest.raises(OSError, match="in use"):
            await UdpListener("127.0.0.1", taken.getsockname()[1], device, None).run()  # type: ignore[arg-type]
