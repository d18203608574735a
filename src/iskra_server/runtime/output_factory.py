"""The configured outputs (MQTT, InfluxDB, uplink, mDNS); each is imported only where it is configured."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from iskra_server import __version__
from iskra_server.config import CollectConfig, Config, ConfigError, InfluxConfig, MqttConfig, UplinkConfig
from iskra_server.diagnosis.status import Status
from iskra_server.history.store.location import expand_folder
from iskra_server.outputs.state import OutputState
from iskra_server.reading.hub import Hub
from iskra_server.runtime.supervision import Part

if TYPE_CHECKING:
    from iskra_server.history.store.store import Store
    from iskra_server.outputs.influx.target import Target
    from iskra_server.outputs.mqtt.settings import Settings as MqttSettings


Statuses = Callable[[], Sequence[Status]]
# gives None while history is not open
StoreNow = Callable[[], "Store | None"]


class Output(NamedTuple):
    """A part that runs, and how it stands where it can say so."""

    part: Part
    state: Callable[[], OutputState] | None = None


class PlannedOutput(NamedTuple):
    """An output whose settings were tried; `create` cannot fail. Equal `settings`: a running one stays as it is."""

    settings: Hashable
    create: Callable[[Hub, Statuses, StoreNow], Output]


def planned_outputs(config: Config) -> tuple[PlannedOutput, ...]:
    """The configured outputs. Raises ConfigError for one that cannot be used."""
    planned = (_announcement(config), _mqtt(config), _influx(config), _uplink(config))
    return tuple(output for output in planned if output)


def mqtt_settings(keys: MqttConfig) -> "MqttSettings | None":
    """None where no broker is configured. Raises ConfigError."""
    if not keys.url:
        return None
    from iskra_server.outputs.mqtt.settings import from_keys  # noqa: PLC0415

    try:
        return from_keys(**structs.asdict(keys))
    except ValueError as error:
        raise ConfigError(f"outputs.mqtt: {error}.") from error


def broker_settings(section: str, keys: UplinkConfig | CollectConfig) -> "MqttSettings":
    """The broker between readers and their centre. Raises ConfigError."""
    from iskra_server.fleet.broker import BROKER_KEYS, reader_name, settings  # noqa: PLC0415

    try:
        if isinstance(keys, UplinkConfig):
            reader_name(keys.reader)
        return settings(**{name: getattr(keys, name) for name in BROKER_KEYS})
    except ValueError as error:
        raise ConfigError(f"{section}: {error}.") from error


def _announcement(config: Config) -> PlannedOutput | None:
    if not config.server.announce:
        return None
    host, port = config.server.host, config.server.port

    def create(hub: Hub, _statuses: Statuses, _store: StoreNow) -> Output:
        from iskra_server.outputs.mdns import Announcement  # noqa: PLC0415

        output = Announcement(host=host, port=port, version=__version__, meters=lambda: list(hub.newest))
        return Output(Part("announcement", output.run))

    return PlannedOutput(("announcement", host, port), create)


def _mqtt(config: Config) -> PlannedOutput | None:
    settings = mqtt_settings(config.outputs.mqtt)
    if settings is None:
        return None

    def create(hub: Hub, statuses: Statuses, _store: StoreNow) -> Output:
        from iskra_server.outputs.mqtt.publisher import Publisher  # noqa: PLC0415

        output = Publisher(settings=settings, hub=hub, statuses=statuses, version=__version__)
        return Output(Part(settings.broker, output.run), output.standing.state)

    return PlannedOutput(("mqtt", settings), create)


def _uplink(config: Config) -> PlannedOutput | None:
    keys = config.uplink
    if not keys.url:
        return None
    if not config.history.enabled:
        raise ConfigError("uplink.url needs history.enabled: what the centre does not have yet is kept there.")
    settings = broker_settings("uplink", keys)

    def create(hub: Hub, statuses: Statuses, store: StoreNow) -> Output:
        from iskra_server.fleet.broker import reader_name  # noqa: PLC0415
        from iskra_server.fleet.edge.uplink import Uplink  # noqa: PLC0415

        output = Uplink(
            settings=settings,
            reader=reader_name(keys.reader),
            store=store,
            hub=hub,
            statuses=statuses,
            version=__version__,
            live_every_s=keys.live_every_s,
        )
        return Output(Part(f"uplink {settings.broker}", output.run), output.standing.state)

    return PlannedOutput(("uplink", keys), create)


def _influx(config: Config) -> PlannedOutput | None:
    keys = config.outputs.influx
    target = influx_target(keys)
    if target is None:
        return None
    try:
        data_dir = expand_folder(config.history.data_dir)
    except ValueError as error:
        raise ConfigError(f"history.{error}.") from None

    def create(hub: Hub, _statuses: Statuses, _store: StoreNow) -> Output:
        from iskra_server.base.spool import Spool  # noqa: PLC0415
        from iskra_server.outputs.influx.output import NAME, LineProtocol  # noqa: PLC0415

        spool = Spool(data_dir / "spool" / NAME, keys.spool_mb * 1_000_000)
        output = LineProtocol(hub=hub, target=target, spool=spool, every_s=keys.every_s, flush_s=keys.flush_s)
        return Output(Part(NAME, output.run), lambda: output.state)

    return PlannedOutput(("influx", keys, data_dir), create)


def influx_target(keys: InfluxConfig) -> "Target | None":
    """None where no database is configured. Raises ConfigError."""
    if not keys.url:
        return None
    from iskra_server.outputs.influx.target import target_of  # noqa: PLC0415

    try:
        return target_of(
            url=keys.url,
            token=keys.token,
            user=keys.user,
            password=keys.password,
            database=keys.database,
            org=keys.org,
            bucket=keys.bucket,
        )
    except ValueError as error:
        raise ConfigError(f"outputs.influx.url cannot be used: {error}.") from error
