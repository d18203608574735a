"""The emulated grid meters of the configuration: one output for each port, or for each device that sends unasked."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from iskra_server.config import Config, ConfigError
from iskra_server.reading.hub import Hub
from iskra_server.runtime.planned_output import OpenStore, Output, PlannedOutput, Statuses, data_dir
from iskra_server.runtime.server_id import server_id
from iskra_server.runtime.supervision import Part

if TYPE_CHECKING:
    # for their types alone: they are imported only where a device is enabled
    from iskra_server.base.announcement import AnnouncedService
    from iskra_server.outputs.emulation.clients import Clients, Rules
    from iskra_server.outputs.emulation.grid import Grid
    from iskra_server.outputs.emulation.http_listener import HttpDevice

# makes a device of its clients and of what gives its number (device_identity.py)
MakeHttpDevice = Callable[["Clients", Callable[[], str | None]], "HttpDevice"]


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
    by_port: dict[int, list[tuple[object, MakeHttpDevice]]] = defaultdict(list)
    if outputs.ecotracker.enabled:
        from iskra_server.outputs.emulation.ecotracker import EcoTracker  # noqa: PLC0415

        by_port[outputs.ecotracker.port].append((outputs.ecotracker, EcoTracker))
    if not by_port:
        return
    shared = _shared(config)
    for port, devices in by_port.items():
        yield _http(shared, port, devices)


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
    return _Shared(keys.host, grid, mac, rules, Rules(allowed), (keys, data_dir(config)))


def _http(shared: _Shared, port: int, devices: list[tuple[object, MakeHttpDevice]]) -> PlannedOutput:
    name = f"devices at port {port}"

    def create(hub: Hub, statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.base.announcement import Announcement  # noqa: PLC0415
        from iskra_server.outputs.emulation.clients import Clients  # noqa: PLC0415
        from iskra_server.outputs.emulation.device import keep_open  # noqa: PLC0415
        from iskra_server.outputs.emulation.http_listener import HttpListener  # noqa: PLC0415
        from iskra_server.outputs.emulation.reach import cannot_listen  # noqa: PLC0415

        grid = shared.grid(hub, statuses)
        made = [make(Clients(grid, shared.rules), shared.mac(grid)) for _, make in devices]
        listener = HttpListener(shared.host, port, made)

        def services(addresses: tuple[str, ...]) -> "list[AnnouncedService]":
            return [service for device in made if not device.sentence for service in device.services(addresses, port)]

        announcement = Announcement(host=shared.host, services=services)

        async def run() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(grid.run(name))
                tasks.create_task(announcement.run())
                tasks.create_task(keep_open(made, listener.run, lambda error: cannot_listen(port, "tcp", error)))

        return Output(Part(name, run), lambda: [device.state() for device in made])

    return PlannedOutput((name, shared.settings, *(keys for keys, _ in devices)), create)
