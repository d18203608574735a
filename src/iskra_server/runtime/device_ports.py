"""Ports that emulated devices cannot share. Told before the start: later it would look like another program's port."""

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

from iskra_server.config import Config, ConfigError

if TYPE_CHECKING:
    # for its type alone: it is imported only where a device is enabled
    from iskra_server.runtime.shelly_devices import ShellyDevice

# what answers at the port of each section
_KINDS = {
    "shelly_pro_3em": "a Shelly device",
    "shelly_em1": "a Shelly device",
    "shelly_3em": "a Shelly device",
    "ecotracker": "HTTP",
    "vzlogger": "HTTP",
    "sunspec": "Modbus",
    "shelly_modbus": "Modbus",
}
# every Shelly device answers /shelly
_SHARING = ({"Modbus"}, {"HTTP"}, {"HTTP", "a Shelly device"})
_ALL_ADDRESSES = {"0.0.0.0", "::"}


def check_tcp_ports(config: Config) -> None:
    """Raises ConfigError."""
    sections = {name: getattr(config.outputs, name) for name in _KINDS}
    ports = {name: section.port for name, section in sections.items() if section.enabled and section.port}
    hosts = {config.server.host, config.outputs.emulation.host}
    for name, port in ports.items():
        if port == config.server.port and (len(hosts) == 1 or hosts & _ALL_ADDRESSES):
            raise ConfigError(
                f"outputs.{name}.port is {port}, and so is server.port, that of the page; choose another."
            )
    for first, second in combinations(ports, 2):
        kinds = {_KINDS[first], _KINDS[second]}
        if ports[first] == ports[second] and kinds not in _SHARING:
            both = "two Shelly devices" if len(kinds) == 1 else " and ".join(sorted(kinds))
            raise ConfigError(
                f"outputs.{second}.port: outputs.{first} has port {ports[first]} already, and one port cannot be "
                f"{both}; give one of them another port, or disable it."
            )


def check_udp_ports(shellys: "Iterable[ShellyDevice]") -> None:
    """Raises ConfigError."""
    for first, second in combinations(shellys, 2):
        if shared := set(first.udp_ports) & set(second.udp_ports):
            raise ConfigError(
                f"outputs.{second.name}: outputs.{first.name} has UDP port {min(shared)} already, and one port cannot "
                "be two Shelly devices; give one of them another port, or disable it."
            )
