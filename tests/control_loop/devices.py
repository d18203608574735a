"""The emulated devices that batteries ask, and the server's own API beside them."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from control_loop import meter_clients
from control_loop.meter_clients import MeterClient, Path
from outputs.emulation.modbus_client import frame, reading
from running import Server, free_port

Connect = Callable[[Server, int, str], AbstractAsyncContextManager[MeterClient]]
# nothing here is for the network of this machine
HOST = {"IES_EMULATION_HOST": "127.0.0.1"}


class Device(Struct, frozen=True):
    """`section` is its part of the configuration, "" without one; `connect` makes a client of its port.

    Devices of one section share a port, by TCP and UDP.
    """

    name: str
    section: str
    connect: Connect


def _http(path: str, *keys: Path) -> Connect:
    return lambda _, port, address: meter_clients.http(f"http://127.0.0.1:{port}", address, path, *keys)


def _modbus(address: int, *, unit: int, low_word_first: bool) -> Connect:
    request = frame(reading(address, 2), unit=unit)
    return lambda _, port, client: meter_clients.modbus(port, client, request, low_word_first=low_word_first)


METERS_API = Device("/api/v1/meters", "", lambda server, _, address: meter_clients.meters_api(server.url, address))
ECOTRACKER = Device("EcoTracker", "ECOTRACKER", _http("/v1/json", "power"))
SHELLY_UDP = Device("Shelly UDP", "SHELLY_PRO_3EM", lambda _, port, address: meter_clients.shelly_udp(port, address))
SHELLY_HTTP = Device("Shelly HTTP", "SHELLY_PRO_3EM", _http("/rpc/EM.GetStatus?id=0", "total_act_power"))
SHELLY_WEBSOCKET = Device(
    "Shelly WebSocket",
    "SHELLY_PRO_3EM",
    lambda _, port, address: meter_clients.shelly_websocket(f"ws://127.0.0.1:{port}/rpc", address),
)
SHELLY_EM1 = Device("Shelly EM1", "SHELLY_EM1", _http("/rpc/EM1.GetStatus?id=0", "act_power"))
SHELLY_3EM = Device("Shelly 3EM", "SHELLY_3EM", _http("/status", "total_power"))
# power is the first channel
VZLOGGER = Device("vzlogger", "VZLOGGER", _http("/", "data", 0, "tuples", 0, 1))
SUNSPEC = Device("SunSpec", "SUNSPEC", _modbus(40_097, unit=1, low_word_first=False))
SHELLY_MODBUS = Device("Shelly Modbus", "SHELLY_MODBUS", _modbus(1013, unit=7, low_word_first=True))
DEVICES = (
    *(ECOTRACKER, SHELLY_UDP, SHELLY_HTTP, SHELLY_WEBSOCKET, SHELLY_EM1, SHELLY_3EM, VZLOGGER),
    *(SUNSPEC, SHELLY_MODBUS),
)


def ports(devices: Iterable[Device]) -> dict[str, int]:
    """A free port for each section."""
    return {section: free_port() for section in dict.fromkeys(device.section for device in devices)}


def environment(ports: dict[str, int]) -> dict[str, str]:
    """The settings with which these sections are enabled at these ports."""
    environ = dict(HOST)
    for section, port in ports.items():
        if section:
            environ |= {f"IES_{section}_ENABLED": "true", f"IES_{section}_PORT": str(port)}
        if section == "SHELLY_PRO_3EM":
            environ["IES_SHELLY_PRO_3EM_UDP_PORTS"] = str(port)
        if section == "SHELLY_EM1":
            environ["IES_SHELLY_EM1_UDP_PORT"] = str(port)
    return environ
