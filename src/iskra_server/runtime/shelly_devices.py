"""The Shelly devices of the second and third generation in a configuration."""

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from iskra_server.config import Config, ConfigError
from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.shelly_identity import (
    EM_GEN3,
    PRO_3EM,
    PRO_EM50,
    Identify,
    ShellyIdentity,
    ShellyModel,
)
from iskra_server.runtime.planned_device import Mac

if TYPE_CHECKING:
    from iskra_server.outputs.emulation.shelly_http import ShellyHttp

_EM1_MODELS = {"pro-em50": PRO_EM50, "em-gen3": EM_GEN3}


class ShellyDevice(NamedTuple):
    """`name` is that of its section, whose values are `keys`; `port` is the TCP port, None without."""

    name: str
    keys: Hashable
    model: ShellyModel
    port: int | None
    udp_ports: tuple[int, ...]
    typical: bool
    has_upper_name: bool = False

    def identify(self, mac: Mac) -> Identify:
        def identity() -> ShellyIdentity | None:
            number = mac()
            return ShellyIdentity(self.model, number, self.typical) if number else None

        return identity

    def by_http(self, clients: Clients, mac: Mac) -> "ShellyHttp":
        from iskra_server.outputs.emulation.shelly_http import ShellyHttp  # noqa: PLC0415

        return ShellyHttp(self.name, clients, self.model, self.identify(mac), has_upper_name=self.has_upper_name)


def shelly_devices(config: Config) -> Iterator[ShellyDevice]:
    """Those that are enabled. Raises ConfigError."""
    pro, em1 = config.outputs.shelly_pro_3em, config.outputs.shelly_em1
    if pro.enabled:
        name = "shelly_pro_3em"
        ports = _ports(f"outputs.{name}.udp_ports", pro.udp_ports)
        yield _checked(
            ShellyDevice(name, pro, PRO_3EM, pro.port or None, ports, pro.typical_values, pro.name_case == "upper")
        )
    if em1.enabled:
        model = _EM1_MODELS[em1.model]
        ports = model.ports if em1.udp_port < 0 else (em1.udp_port,) if em1.udp_port else ()
        yield _checked(ShellyDevice("shelly_em1", em1, model, em1.port or None, ports, em1.typical_values))


def _checked(device: ShellyDevice) -> ShellyDevice:
    if device.port is None and not device.udp_ports:
        raise ConfigError(f"outputs.{device.name} has neither a TCP port nor a UDP port: set one, or enabled = false.")
    return device


def _ports(key: str, text: str) -> tuple[int, ...]:
    ports: list[int] = []
    if text.strip() == "0":
        return ()
    for part in filter(None, (part.strip() for part in text.split(","))):
        if not (part.isascii() and part.isdigit() and 0 < int(part) < 65536):
            raise ConfigError(f"{key}: '{part[:40]}' is no UDP port; write them as 1010, 2220.")
        ports.append(int(part))
    return tuple(dict.fromkeys(ports))
