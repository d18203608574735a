"""Datagrams through a real socket."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from emulating import GridMeter, in_event_loop, running, until
from homeassistant import network
from iskra_server.outputs.emulation import udp_listener
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.udp_listener import MAX_BYTES, UdpListener
from iskra_server.runtime.http_server import loop_factory
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
        async with asyncio.timeout(60):
            await device.opened.wait()
            transport, asking = await ask(port)
            for data in (b"silence", b"x" * (MAX_BYTES + 1), b"power"):
                transport.sendto(data)
            assert await asking.answers.get() == b"POWER127.0.0.1"
            transport.close()
    assert asking.answers.empty()


@in_event_loop
async def test_a_flood_from_many_places_waits_for_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_listener, "MAX_ANSWERING", 5)
    device, port, waiting, may_answer = EmulatedDevice("test", GridMeter().clients()), free_port(), [0], asyncio.Event()

    async def answer(data: bytes, _client: str) -> bytes | None:
        waiting[0] += 1
        try:
            await may_answer.wait()
        finally:
            waiting[0] -= 1
        return data

    listener = UdpListener("127.0.0.1", port, device, answer)
    async with running(listener.run()), asyncio.timeout(60):
        await device.opened.wait()
        for number in range(100):
            listener.datagram_received(b"flood", (f"127.0.2.{number}", 9))
            await asyncio.sleep(0)
        # nobody can be answered there
        listener.datagram_received(b"flood", ("127.0.0.1", 0))
        transport, asking = await ask(port)
        transport.sendto(b"battery")
        await until(lambda: len(listener.device.clients.list()) == 101)
        assert waiting[0] <= 5
        may_answer.set()
        assert await asking.answers.get() == b"battery"
        transport.close()


SERVE = """
import asyncio, sys
from homeassistant import network
from emulating import GridMeter
from iskra_server.outputs.emulation.device import EmulatedDevice
from iskra_server.outputs.emulation.udp_listener import UdpListener

async def answer(data, client):
    return data.upper()

async def run():
    device = EmulatedDevice("test", GridMeter().clients())
    listening = asyncio.create_task(UdpListener(sys.argv[1], 1010, device, answer).run())
    await device.opened.wait()
    print("open", flush=True)
    await listening

asyncio.run(run())
"""
# as a battery that searches
SEARCH = """
import socket, sys
search = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
search.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
search.bind(("10.9.1.2", 22222))
search.settimeout(60)
search.sendto(b"power", (sys.argv[1], 1010))
print(*search.recvfrom(100))
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "10.9.1.1"])
def test_a_broadcast_is_answered_from_the_address_of_the_server(host: str) -> None:
    if reason := network.missing():
        pytest.skip(reason)
    server, battery = machines = [network.Machine(address) for address in ("10.9.1.1", "10.9.1.2")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        server.run(*f"ip link add eth0 type veth peer name eth0 netns {battery.pid}".split())
        for machine in machines:
            machine.run(*f"ip address add {machine.address}/24 broadcast + dev eth0".split())
            machine.run(*["ip", "link", "set", "eth0", "up"])
        battery.run(*["ip", "route", "add", "default", "dev", "eth0"])
        command = (*server.command, sys.executable, "-c", SERVE, host)
        serving = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        try:
            assert serving.stdout and serving.stdout.readline() == "open\n"
            for address in ("10.9.1.1", "10.9.1.255", "255.255.255.255"):
                search = (*battery.command, sys.executable, "-c", SEARCH, address)
                assert subprocess.check_output(search, text=True).strip() == "b'POWER' ('10.9.1.1', 1010)"
        finally:
            serving.kill()
            serving.communicate()
    finally:
        for machine in machines:
            machine.end()


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
        async with asyncio.timeout(60):
            await device.opened.wait()
            transport, asking = await ask(port)
            for data in (b"first", b"second"):
                transport.sendto(data)
                await until(partial(began.__contains__, data))
            may_answer.set()
            assert await asking.answers.get() == b"second"
            transport.close()


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, loop_factory() or asyncio.new_event_loop])
def test_a_taken_port_raises_with_the_number_of_the_error(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def answer(_data: bytes, _client: str) -> bytes | None:
        return None

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, asyncio.Runner(loop_factory=factory) as runner:
        taken.bind(("127.0.0.1", 0))
        device = EmulatedDevice("test", GridMeter().clients())
        with pytest.raises(OSError, match="in use") as failure:
            runner.run(UdpListener("127.0.0.1", taken.getsockname()[1], device, answer).run())
        assert failure.value.errno == errno.EADDRINUSE
