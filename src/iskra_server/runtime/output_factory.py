"""The configured outputs: MQTT, InfluxDB, uplink, mDNS, messages to people, emulated grid meters.

Each is imported only where configured.
"""

import socket
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import astuple

from iskra_server import __version__
from iskra_server.config import Config, ConfigError
from iskra_server.cost.contracts import Contract
from iskra_server.reading.hub import Hub
from iskra_server.runtime.planned_output import OpenStore, Output, PlannedOutput, Statuses, data_dir
from iskra_server.runtime.server_id import is_simulated, server_id
from iskra_server.runtime.supervision import Part

if TYPE_CHECKING:
    from iskra_server.outputs.notify.channel import Channel


def planned_outputs(config: Config, contracts: tuple[Contract, ...], tz: str) -> tuple[PlannedOutput, ...]:
    """`tz` is where days begin. Raises ConfigError."""
    planned = (
        *(_mdns(config), _mqtt(config, contracts, tz), _influx(config), _uplink(config)),
        _notify(config, contracts, tz),
        *_emulated(config),
    )
    return tuple(output for output in planned if output)


def _emulated(config: Config) -> Iterable[PlannedOutput]:
    if not any(getattr(section, "enabled", False) for section in astuple(config.outputs)):
        return ()
    from iskra_server.runtime.emulation_outputs import emulation_outputs  # noqa: PLC0415

    return emulation_outputs(config)


def _mdns(config: Config) -> PlannedOutput | None:
    if not config.server.announce:
        return None
    host, port = config.server.host, config.server.port
    needs_token, has_tls = bool(config.server.token), bool(config.server.tls_cert)

    def create(hub: Hub, _statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.base.announcement import Announcement  # noqa: PLC0415
        from iskra_server.outputs.mdns import server_services  # noqa: PLC0415

        services = server_services(port=port, properties=properties(), meters=hub.electricity_meters)
        return Output(Part("mdns", Announcement(host=host, services=services).run))

    def properties() -> dict[str, str]:
        access = {"token": str(int(needs_token)), "tls": str(int(has_tls))}
        return {"version": __version__, "id": server_id(config) or ""} | access

    return PlannedOutput(("mdns", host, port, needs_token, has_tls), create)


def _mqtt(config: Config, contracts: tuple[Contract, ...], tz: str) -> PlannedOutput | None:
    if not config.outputs.mqtt.url:
        return None
    from iskra_server.outputs.mqtt.broker_settings import mqtt_settings  # noqa: PLC0415

    settings, has_history = mqtt_settings(config.outputs.mqtt), config.history.enabled

    def create(hub: Hub, statuses: Statuses, store: OpenStore) -> Output:
        from iskra_server.outputs.mqtt.publisher import PeriodSettings, Publisher  # noqa: PLC0415

        periods = PeriodSettings(tz, contracts, has_history)
        output = Publisher(
            settings=settings, hub=hub, statuses=statuses, version=__version__, periods=periods, store=store
        )
        return Output(Part(settings.broker, output.run), lambda: (output.health.state(),))

    # by its role a meter has a contract or none
    roles = tuple(meter.role for meter in config.meters)
    return PlannedOutput(("mqtt", settings, tz, contracts, has_history, roles), create)


def _uplink(config: Config) -> PlannedOutput | None:
    uplink = config.uplink
    if not uplink.url:
        return None
    if not config.history.enabled:
        raise ConfigError("uplink.url needs history.enabled: it stores what the central server does not have yet.")
    from iskra_server.fleet.protocol import check_reader_name  # noqa: PLC0415
    from iskra_server.outputs.mqtt.broker_settings import broker_settings  # noqa: PLC0415

    settings = broker_settings("uplink", uplink)
    try:
        reader = uplink.reader and check_reader_name(uplink.reader)
    except ValueError as error:
        raise ConfigError(f"uplink: {error}.") from error

    def create(hub: Hub, statuses: Statuses, store: OpenStore) -> Output:
        from iskra_server.fleet.edge.uplink import Uplink  # noqa: PLC0415

        output = Uplink(
            settings=settings,
            reader=reader,
            store=store,
            hub=hub,
            statuses=statuses,
            version=__version__,
            live_every_s=uplink.live_every_s,
        )
        return Output(Part(f"uplink {settings.broker}", output.run), lambda: (output.health.state(),))

    return PlannedOutput(("uplink", settings, reader, uplink.live_every_s), create)


def _influx(config: Config) -> PlannedOutput | None:
    influx = config.outputs.influx
    if not influx.url:
        return None
    from iskra_server.outputs.influx.target import target_of  # noqa: PLC0415

    target, folder = target_of(influx), data_dir(config)

    def create(hub: Hub, _statuses: Statuses, _store: OpenStore) -> Output:
        from iskra_server.base.spool import Spool  # noqa: PLC0415
        from iskra_server.outputs.influx.output import NAME, LineProtocol  # noqa: PLC0415

        spool = Spool(folder / "spool" / NAME, influx.spool_mb * 1_000_000)
        output = LineProtocol(hub=hub, target=target, spool=spool, every_s=influx.every_s, flush_s=influx.flush_s)
        return Output(Part(NAME, output.run), lambda: (output.state,))

    return PlannedOutput(("influx", influx, folder), create)


def _notify(config: Config, contracts: tuple[Contract, ...], tz: str) -> PlannedOutput | None:
    if not any(channel.url for channel in config.notify):
        return None
    from iskra_server.outputs.notify.digests import DigestSettings  # noqa: PLC0415

    channels, alerts = notify_channels(config), config.alerts
    file = data_dir(config) / ("simulated-notify.json" if is_simulated(config) else "notify.json")
    digest = DigestSettings(
        hour=alerts.digest_hour,
        base_load_percent=Decimal(repr(alerts.base_load_percent)),
        contracts=contracts,
        zone=tz,
    )

    def create(hub: Hub, statuses: Statuses, store: OpenStore) -> Output:
        from iskra_server.outputs.notify.memory import MemoryFile  # noqa: PLC0415
        from iskra_server.outputs.notify.notifier import NAME, Notifier  # noqa: PLC0415

        output = Notifier(
            channels=channels,
            alerts=alerts,
            digest=digest,
            file=MemoryFile(file),
            hub=hub,
            statuses=statuses,
            store=store,
        )
        return Output(Part(NAME, output.run), lambda: (output.state,))

    return PlannedOutput(("notify", channels, alerts, digest, file), create)


def notify_channels(config: Config) -> "tuple[Channel, ...]":
    """Raises ConfigError."""
    from iskra_server.outputs.notify.channel import channels_from_config  # noqa: PLC0415

    server = config.server
    page_url = f"http{'s' if server.tls_cert else ''}://{socket.gethostname()}:{server.port}"
    return channels_from_config(config.notify, page_url)
