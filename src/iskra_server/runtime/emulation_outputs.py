"""The emulated grid meters of the configuration: one output for each port, or for each device that sends unasked.

Imported only where one of them is enabled; and what one alone needs, only where it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from iskra_server.base.processes import Transport
from iskra_server.config import Config, ConfigError
from iskra_server.meter.identity import compact_name
from iskra_server.outputs.emulation.clients import Clients, Rules, networks
from iskra_server.outputs.emulation.device import EmulatedDevice, SendingDevice, keep_open
from iskra_server.outputs.emulation.device_identity import FILE, Identities
from iskra_server.outputs.emulation.grid import Grid, configured_meter
from iskra_server.outputs.emulation.reachability import cannot_listen
from iskra_server.reading.hub import Hub
from iskra_server.runtime.device_ports import check_tcp_ports, check_udp_ports
from iskra_server.runtime.planned_device import Device, Mac, PlannedDevice
from iskra_server.runtime.planned_output import OpenStore, Output, PlannedOutput, Statuses, data_dir
from iskra_server.runtime.server_id import server_id
from iskra_server.runtime.supervision import Part
from iskra_server.runtime.unshared_devices import modbus_devices, sending_devices
from iskra_server.runtime.virtual_setup import may_be_number, no_such_meter

if TYPE_CHECKING:
    from iskra_server.base.announcement import AnnouncedService
    from iskra_server.outputs.emulation.http_listener import HttpDevice
    from iskra_server.outputs.emulation.modbus_listener import ModbusDevice
    from iskra_server.runtime.shelly_devices import ShellyDevice

Run = Callable[[], Coroutine[None, None, None]]
# makes the devices of an output, and what runs for them until it is cancelled
Make = Callable[[Grid], tuple[Sequence[EmulatedDevice], Sequence[Run]]]


class _Shared(NamedTuple):
    """What every device needs of the configuration."""

    host: str
    grid: Callable[[Hub, Statuses], Grid]
    mac: Callable[[Grid], Mac]
    rules: Rules
    # of devices that show the meter as it is
    whole: Rules
    settings: Hashable

    def make_devices(self, grid: Grid, planned: Iterable[PlannedDevice[Device]]) -> list[Device]:
        mac = self.mac(grid)
        return [plan.make(Clients(grid, self._rules_of(plan)), mac) for plan in planned]

    def _rules_of(self, plan: PlannedDevice[Device]) -> Rules:
        return self.rules if plan.for_batteries else replace(self.whole, wait_fresh_s=plan.wait_fresh_s)

    def keep_open(self, devices: Sequence[EmulatedDevice], run: Run, port: int, transport: Transport) -> Run:
        """Runs the listener of their port, and tries again where it cannot be opened."""
        return partial(keep_open, devices, run, partial(cannot_listen, port, transport, host=self.host))


def emulation_outputs(config: Config) -> Iterator[PlannedOutput]:
    """Raises ConfigError."""
    check_tcp_ports(config)
    _check_meter(config)
    shared, shellys = _shared(config), _shellys(config)
    check_udp_ports(shellys)
    for shelly in shellys:
        if shelly.udp_ports:
            yield _shelly_udp(shared, shelly)
    for port, http in _http_devices(config, shellys).items():
        yield _http(shared, port, http)
    for name, sending in sending_devices(config).items():
        yield _sending(shared, name, sending)
    for port, modbus in modbus_devices(config).items():
        yield _modbus(shared, port, modbus)


def _check_meter(config: Config) -> None:
    """Raises ConfigError. That no meter has the number shows only when meters are read."""
    path, name = "outputs.emulation.meter", config.outputs.emulation.meter
    names = (*(meter.name for meter in config.meters), *(meter.name for meter in config.virtual))
    known = [other for other in names if other]
    if name and compact_name(name) not in map(compact_name, known) and not may_be_number(name):
        raise ConfigError(no_such_meter(path, name, known), path)


def _shared(config: Config) -> _Shared:
    keys = config.outputs.emulation
    try:
        # a name would be looked up in between two telegrams
        ip_address(keys.host)
    except ValueError:
        raise ConfigError(
            f"outputs.emulation.host is '{keys.host[:40]}'; it must be an IP address of this machine, or 0.0.0.0 for "
            "every one."
        ) from None
    try:
        allowed = networks(keys.clients)
    except ValueError as error:
        raise ConfigError(f"outputs.emulation.clients: {error}.") from None
    identities = Identities(data_dir(config) / FILE, server_id(config) or "")

    def grid(hub: Hub, statuses: Statuses) -> Grid:
        return Grid(hub, configured_meter(keys.meter, hub, statuses), keys.stale_after_s)

    def mac(grid: Grid) -> Mac:
        return lambda: identities.mac(grid.meter_id) if grid.meter_id else None

    rules = Rules(
        allowed,
        wait_fresh_s=keys.wait_fresh_s,
        min_interval_s=keys.min_interval_s,
        target_w=Decimal(repr(keys.target_w)),
        dead_band_w=Decimal(repr(keys.dead_band_w)),
        batteries=keys.batteries,
    )
    return _Shared(keys.host, grid, mac, rules, Rules(allowed, for_batteries=False), (keys, data_dir(config)))


def _shellys(config: Config) -> "list[ShellyDevice]":
    if not config.outputs.shelly_pro_3em.enabled and not config.outputs.shelly_em1.enabled:
        return []
    from iskra_server.runtime.shelly_devices import shelly_devices  # noqa: PLC0415

    return list(shelly_devices(config))


def _http_devices(config: Config, shellys: "Iterable[ShellyDevice]") -> "dict[int, list[PlannedDevice[HttpDevice]]]":
    """By their port."""
    by_port: dict[int, list[PlannedDevice[HttpDevice]]] = defaultdict(list)
    if (ecotracker := config.outputs.ecotracker).enabled:
        from iskra_server.outputs.emulation.ecotracker import EcoTracker  # noqa: PLC0415

        by_port[ecotracker.port].append(PlannedDevice(ecotracker, EcoTracker, for_batteries=True))
    if (vzlogger := config.outputs.vzlogger).enabled:
        from iskra_server.outputs.emulation.vzlogger import Vzlogger  # noqa: PLC0415

        by_port[vzlogger.port].append(PlannedDevice(vzlogger, partial(Vzlogger, with_obis=vzlogger.obis)))
    if (shelly_3em := config.outputs.shelly_3em).enabled:
        from iskra_server.outputs.emulation.shelly_3em import Shelly3Em  # noqa: PLC0415

        by_port[shelly_3em.port].append(PlannedDevice(shelly_3em, Shelly3Em))
    for shelly in shellys:
        if shelly.port:
            by_port[shelly.port].append(PlannedDevice(shelly.keys, shelly.by_http, for_batteries=True))
    return by_port


def _output(shared: _Shared, name: str, settings: Iterable[Hashable], make: Make) -> PlannedOutput:
    def create(hub: Hub, statuses: Statuses, _store: OpenStore) -> Output:
        grid = shared.grid(hub, statuses)
        devices, runs = make(grid)

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(grid.run(name))
                for part in runs:
                    tasks.create_task(part())

        return Output(Part(name, run), lambda: [device.state() for device in devices])

    return PlannedOutput((name, shared.settings, *settings), create)


def _http(shared: _Shared, port: int, planned: "list[PlannedDevice[HttpDevice]]") -> PlannedOutput:
    def make(grid: Grid) -> tuple[Sequence[EmulatedDevice], Sequence[Run]]:
        from iskra_server.base.announcement import Announcement  # noqa: PLC0415
        from iskra_server.outputs.emulation.http_listener import HttpListener  # noqa: PLC0415

        devices = shared.make_devices(grid, planned)

        def services(addresses: tuple[str, ...]) -> "list[AnnouncedService]":
            return [
                service for device in devices if not device.sentence for service in device.services(addresses, port)
            ]

        announcement = Announcement(host=shared.host, services=services, one_address=True)
        listener = HttpListener(shared.host, port, devices)
        return devices, (announcement.run, shared.keep_open(devices, listener.run, port, "tcp"))

    return _output(shared, f"devices at port {port}", [plan.settings for plan in planned], make)


def _shelly_udp(shared: _Shared, shelly: "ShellyDevice") -> PlannedOutput:
    """One Shelly at its UDP ports, each with its own health and clients."""

    def make(grid: Grid) -> tuple[Sequence[EmulatedDevice], Sequence[Run]]:
        from iskra_server.outputs.emulation.shelly_udp import udp_answer  # noqa: PLC0415
        from iskra_server.outputs.emulation.udp_listener import UdpListener  # noqa: PLC0415

        identify = shelly.identify(shared.mac(grid))
        devices, runs = [], []
        for port in shelly.udp_ports:
            device = EmulatedDevice(f"{shelly.name} at UDP port {port}", Clients(grid, shared.rules))
            listener = UdpListener(shared.host, port, device, udp_answer(device.clients, identify))
            devices.append(device)
            runs.append(shared.keep_open([device], listener.run, port, "udp"))
        return devices, runs

    return _output(shared, f"{shelly.name} by UDP", [shelly], make)


def _modbus(shared: _Shared, port: int, planned: "list[PlannedDevice[ModbusDevice]]") -> PlannedOutput:
    def make(grid: Grid) -> tuple[Sequence[EmulatedDevice], Sequence[Run]]:
        from iskra_server.outputs.emulation.modbus_listener import ModbusListener  # noqa: PLC0415

        devices = shared.make_devices(grid, planned)
        listener = ModbusListener(shared.host, port, devices)
        return devices, (shared.keep_open(devices, listener.run, port, "tcp"),)

    return _output(shared, f"Modbus devices at port {port}", [plan.settings for plan in planned], make)


def _sending(shared: _Shared, name: str, planned: PlannedDevice[SendingDevice]) -> PlannedOutput:
    def make(grid: Grid) -> tuple[Sequence[EmulatedDevice], Sequence[Run]]:
        devices = shared.make_devices(grid, [planned])
        return devices, [device.run for device in devices]

    return _output(shared, name, [planned.settings], make)
