"""SMA Energy Meter on a machine in two networks, with a bridge of containers: each network of the house hears it."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from emulating import MAC, GridMeter, in_event_loop, running, until
from homeassistant import network
from iskra_server.outputs.emulation import sma_energy_meter
from iskra_server.outputs.emulation.sma_energy_meter import SmaEnergyMeter
from namespaces import inside
from outputs.emulation.sma_group import decoded, listening
from running import DEADLINE_S

pytestmark = pytest.mark.slow

# name of the interface, address here, address of the other machine
CONTAINERS, FIRST, SECOND = (
    ("docker0", "172.17.0.1", "172.17.0.2"),
    ("lan1", "10.2.0.1", "10.2.0.2"),
    ("lan2", "192.168.2.1", "192.168.2.2"),
)
IP_RECVTTL = 12


@pytest.fixture
def machines() -> Iterator[tuple[network.Machine, network.Machine]]:
    """The server's, and one at the other end of each of its cables."""
    if reason := network.missing():
        pytest.skip(reason)
    made = network.Machine(""), network.Machine("")
    yield made
    for machine in made:
        machine.end()


def connect(server: network.Machine, other: network.Machine, cable: tuple[str, str, str]) -> None:
    name, here, there = cable
    server.run(*f"ip link add {name} type veth peer name {name} netns {other.pid}".split())
    for machine, address in ((server, here), (other, there)):
        machine.run(*f"ip address add {address}/24 dev {name}".split())
        machine.run(*f"ip link set {name} up".split())


@in_event_loop
async def test_each_network_of_the_house_hears_it_and_that_of_containers_does_not(
    machines: tuple[network.Machine, network.Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sma_energy_meter, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(sma_energy_meter, "MIN_INTERVAL_S", 0.05)
    server, other = machines
    # one telegram lasts while networks come and go
    meter = GridMeter(DEADLINE_S)
    device = SmaEnergyMeter(meter.clients(), lambda: MAC, model="em1", host="0.0.0.0")
    with ExitStack() as stack, inside(server.pid):
        connect(server, other, CONTAINERS)
        async with asyncio.timeout(60), running(device.run(), meter.grid.run("test")):
            await until(lambda: device.sentence)
            assert device.sentence.startswith("No network of this machine can be sent to")
            groups = {}
            for cable in (FIRST, SECOND):
                connect(server, other, cable)
            # a second address of an interface is no network of its own
            server.run(*f"ip address add 10.2.0.9/24 dev {FIRST[0]}".split())
            with inside(other.pid):
                for cable in (CONTAINERS, FIRST, SECOND):
                    # a socket that has joined on one interface gets what arrives at another, too
                    groups[cable] = group = stack.enter_context(listening(cable[2], cable[0]))
                    group.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
                    group.setblocking(False)
            await device.opened.wait()
            meter.send_power(600)
            for cable in (FIRST, SECOND):
                data, sender, ttl = await received(groups[cable])
                assert (sender, ttl, decoded(data)[1, 4]) == (cable[1], 32, 6000)
            assert {(await received(groups[FIRST]))[1] for _ in range(4)} == {FIRST[1]}
            # a network that goes does not disturb the other
            server.run(*f"ip link delete {FIRST[0]}".split())
            meter.send_power(700)
            while decoded((await received(groups[SECOND]))[0])[1, 4] != 7000:
                pass
            assert device.state().ok
            with pytest.raises(BlockingIOError):
                groups[CONTAINERS].recv(1)


async def received(group: socket.socket) -> tuple[bytes, str, int]:
    """A datagram, the address of its sender, and how far it may still go."""
    while True:
        try:
            data, ((_, _, ttl),), _, (sender, _) = group.recvmsg(4096, 64)
        except BlockingIOError:
            await asyncio.sleep(0.005)
        else:
            return data, str(sender), struct.unpack("i", ttl)[0]
