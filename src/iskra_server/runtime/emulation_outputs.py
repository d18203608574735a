"""The emulated grid meters of the configuration: one output for each port, or for each device that sends unasked."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from iskra_server.config import Config, ConfigError
from iskra_server.meter.identity import compact_name
from iskra_server.reading.hub import Hub
from iskra_server.runtime.device_ports import check_tcp_ports, check_udp_ports
from iskra_server.runtime.planned_output import OpenStore, Output, PlannedOutput, Statuses, data_dir
from iskra_server.runtime.server_id import server_id
from iskra_server.runtime.supervision import Part
from iskra_server.runtime.unshared_devices import ModbusPlan, SendingPlan, modbus_devices, sending_devices
from iskra_server.runtime.virtual_setup import may_be_number, no_such_meter

if TYPE_CHECKING:
    # for their types alone: they are imported only where a device is enabled
    from iskra_server.base.announcement import AnnouncedService
    from iskra_server.outputs.emulation.clients import Clients, Rules
    from iskra_server.outputs.emulation.grid import Grid
    from iskra_server.outputs.emulation.http_listener import HttpDevice
    from iskra_server.runtime.shelly_devices import ShellyDevice

# makes a device of its clients and of what gives its number (device_identity.py)
MakeHttpDevice = Callable[["Clients", Callable[[], str | None]], "HttpDevice"]


class _HttpPlan(NamedTuple):
    """`is_shared`: several batteries may follow it, so what it shows follows the rules of outputs.emulation."""

    settings: object
    make: MakeHttpDevice
    is_shared: bool = True


class _Shared(NamedTuple):
    """What every device needs of the configuration."""

    host: str
    grid: Callable[[Hub, Statuses], "Grid"]
    mac: Callable[["Grid"], Callable[[], str | None]]
    rules: "Rules"
    # of devices that are not shared by several batteries
    whole: "Rules"
    settings: object


def emulation_outputs(config: Config) -> Iterator[PlannedOutput]:
    """Raises ConfigError."""
    outputs = config.outputs
    by_port: dict[int, list[_HttpPlan]] = defaultdict(list)
    check_tcp_ports(config)
    if outputs.ecotracker.enabled:
        from iskra_server.outputs.emulation.ecotracker import EcoTracker  # noqa: PLC0415

        by_port[outputs.ecotracker.port].append(_HttpPlan(outputs.ecotracker, EcoTracker))
    if outputs.vzlogger.enabled:
        from iskra_server.outputs.emulation.vzlogger import Vzlogger  # noqa: PLC0415

        vzlogger = partial(Vzlogger, with_obis=outputs.vzlogger.obis)
        by_port[outputs.vzlogger.port].append(_HttpPlan(outputs.vzlogger, vzlogger, is_shared=False))
    if outputs.shelly_3em.enabled:
        from iskra_server.outputs.emulation.shelly_3em import Shelly3Em  # noqa: PLC0415

        by_port[outputs.shelly_3em.port].append(_HttpPlan(outputs.shelly_3em, Shelly3Em, is_shared=False))
    shellys: list[ShellyDevice] = []
    if outputs.shelly_pro_3em.enabled or outputs.shelly_em1.enabled:
        from iskra_server.runtime.shelly_devices import shelly_devices  # noqa: PLC0415

        shellys = list(shelly_devices(config))
        check_udp_ports(shellys)
    sending = list(sending_devices(config))
    modbus = modbus_devices(config)
    if not by_port and not shellys and not sending and not modbus:
        return
    _check_meter(config)
    shared = _shared(config)
    for shelly in shellys:
        if shelly.port:
            by_port[shelly.port].append(_HttpPlan(shelly.keys, shelly.by_http))
        if shelly.udp_ports:
            yield _shelly_udp(shared, shelly)
    for port, devices in by_port.items():
        yield _http(shared, port, devices)
    for plan in sending:
        yield _sending(shared, plan)
    for port, plans in modbus.items():
        yield _modbus(shared, port, plans)


def _check_meter(config: Config) -> None:
    """Raises ConfigError. That no meter has the number shows only when meters are read."""
    path, name = "outputs.emulation.meter", config.outputs.emulation.meter
    names = (*(meter.name for meter in config.meters), *(meter.name for meter in config.virtual))
    known = [other for other in names if other]
    if name and compact_name(name) not in map(compact_name, known) and not may_be_number(name):
        raise ConfigError(no_such_meter(path, name, known), path)


def _shared(config: Config) -> _Shared:
    from iskra_server.outputs.emulation.clients import Rules, networks  # noqa: PLC0415
    from iskra_server.outputs.emulation.device_identity import FILE, Identities  # noqa: PLC0415
    from iskra_server.outputs.emulation.grid import Grid, configured_meter  # noqa: PLC0415

    keys = config.outputs.emulation
    try:
        allowed = networks(keys.clients)
    except ValueError as error:
        raise ConfigError(f"outputs.emulation.clients: {error}.") from None
    identities = Identities(data_dir(config) / FILE, server_id(config) or "")

    def grid(hub: Hub, statuses: Statuses) -> Grid:
        return Grid(hub, configured_meter(keys.meter, hub, statuses), keys.stale_after_s)

    def mac(grid: Grid) -> Callable[[], str | None]:
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


def _http(shared: _Shared, port: int, devices: list[_HttpPlan]) -> PlannedOutput:
    name = f"devices at port {port}"

    def create(hub: Hub, statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.base.announcement import Announcement  # noqa: PLC0415
        from iskra_server.outputs.emulation.clients import Clients  # noqa: PLC0415
        from iskra_server.outputs.emulation.device import keep_open  # noqa: PLC0415
        from iskra_server.outputs.emulation.http_listener import HttpListener  # noqa: PLC0415
        from iskra_server.outputs.emulation.reach import cannot_listen  # noqa: PLC0415

        grid = shared.grid(hub, statuses)
        made = [
            plan.make(Clients(grid, shared.rules if plan.is_shared else shared.whole), shared.mac(grid))
            for plan in devices
        ]
        listener = HttpListener(shared.host, port, made)

        def services(addresses: tuple[str, ...]) -> "list[AnnouncedService]":
            return [service for device in made if not device.sentence for service in device.services(addresses, port)]

        def describe(error: OSError) -> str:
            return cannot_listen(port, "tcp", error, host=shared.host)

        announcement = Announcement(host=shared.host, services=services, one_address=True)

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(grid.run(name))
                tasks.create_task(announcement.run())
                tasks.create_task(keep_open(made, listener.run, describe))

        return Output(Part(name, run), lambda: [device.state() for device in made])

    return PlannedOutput((name, shared.settings, *(plan.settings for plan in devices)), create)


def _shelly_udp(shared: _Shared, shelly: "ShellyDevice") -> PlannedOutput:
    """One Shelly at its UDP ports, each with its own health and clients."""
    name = f"{shelly.name} by UDP"

    def create(hub: Hub, statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.outputs.emulation.clients import Clients  # noqa: PLC0415
        from iskra_server.outputs.emulation.device import EmulatedDevice, keep_open  # noqa: PLC0415
        from iskra_server.outputs.emulation.reach import cannot_listen  # noqa: PLC0415
        from iskra_server.outputs.emulation.shelly_udp import udp_answer  # noqa: PLC0415
        from iskra_server.outputs.emulation.udp_listener import UdpListener  # noqa: PLC0415

        grid = shared.grid(hub, statuses)
        identify = shelly.identify(shared.mac(grid))
        listeners = []
        for port in shelly.udp_ports:
            clients = Clients(grid, shared.rules)
            device = EmulatedDevice(f"{shelly.name} at UDP port {port}", clients)
            listeners.append(UdpListener(shared.host, port, device, udp_answer(clients, identify)))

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(grid.run(name))
                for listener in listeners:
                    describe = partial(cannot_listen, listener.port, "udp", host=shared.host)
                    tasks.create_task(keep_open([listener.device], listener.run, describe))

        return Output(Part(name, run), lambda: [listener.device.state() for listener in listeners])

    return PlannedOutput((name, shared.settings, shelly), create)


def _modbus(shared: _Shared, port: int, plans: list[ModbusPlan]) -> PlannedOutput:
    name = f"Modbus devices at port {port}"

    def create(hub: Hub, statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.outputs.emulation.clients import Clients  # noqa: PLC0415
        from iskra_server.outputs.emulation.device import keep_open  # noqa: PLC0415
        from iskra_server.outputs.emulation.modbus_listener import ModbusListener  # noqa: PLC0415
        from iskra_server.outputs.emulation.reach import cannot_listen  # noqa: PLC0415

        grid = shared.grid(hub, statuses)
        made = [plan.make(Clients(grid, shared.whole), shared.mac(grid)) for plan in plans]
        listener = ModbusListener(shared.host, port, made)

        def describe(error: OSError) -> str:
            return cannot_listen(port, "tcp", error, host=shared.host)

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(grid.run(name))
                tasks.create_task(keep_open(made, listener.run, describe))

        return Output(Part(name, run), lambda: [device.state() for device in made])

    return PlannedOutput((name, shared.settings, *(plan.settings for plan in plans)), create)


def _sending(shared: _Shared, plan: SendingPlan) -> PlannedOutput:
    def create(hub: Hub, statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.outputs.emulation.clients import Clients  # noqa: PLC0415

        grid = shared.grid(hub, statuses)
        device = plan.make(Clients(grid, shared.whole), shared.mac(grid))

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(grid.run(plan.name))
                tasks.create_task(device.run())

        return Output(Part(plan.name, run), lambda: (device.state(),))

    return PlannedOutput((plan.name, shared.settings, plan.settings), create)
