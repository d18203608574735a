"""Whoever hands readings on beside HTTP, made of the configuration; each is imported only where it is configured."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from iskra_server import __version__
from iskra_server.config import CollectConfig, Config, ConfigError, InfluxConfig, MqttConfig, ServerConfig, UplinkConfig
from iskra_server.diagnosis.chain import Status
from iskra_server.diagnosis.output import OutputState
from iskra_server.hub import Hub
from iskra_server.supervision import Part

if TYPE_CHECKING:
    from iskra_server.history.store import Store
    from iskra_server.outputs.lineprotocol.target import Target
    from iskra_server.outputs.mqtt.settings import Settings as MqttSettings


class Output(NamedTuple):
    """A part that runs, and how it stands where it can say so."""

    part: Part
    state: Callable[[], OutputState] | None = None


def check(config: Config) -> None:
    """Raises ConfigError for an output that cannot be used."""
    mqtt_settings(config.outputs.mqtt)
    _uplink_settings(config)
    influx_target(config.outputs.influx)


def outputs_of(
    config: Config, hub: Hub, statuses: Callable[[], Sequence[Status]], store: "Callable[[], Store | None]"
) -> list[Output]:
    """The outputs that are configured, to be started; `store` gives None while history is not open."""
    outputs = []
    if config.server.announce:
        outputs.append(_announcement(config.server, hub))
    if settings := mqtt_settings(config.outputs.mqtt):
        from iskra_server.outputs.mqtt.publisher import Publisher  # noqa: PLC0415

        publisher = Publisher(settings=settings, hub=hub, statuses=statuses, version=__version__)
        outputs.append(Output(Part(settings.broker, publisher.run), publisher.standing.state))
    if target := influx_target(config.outputs.influx):
        outputs.append(_influx(target, config.outputs.influx, Path(config.history.data_dir).expanduser(), hub))
    if settings := _uplink_settings(config):
        outputs.append(_uplink(settings, config.uplink, hub, statuses, store))
    return outputs


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


def _uplink_settings(config: Config) -> "MqttSettings | None":
    """None where no centre is configured. Raises ConfigError."""
    if not config.uplink.url:
        return None
    if not config.history.enabled:
        raise ConfigError("uplink.url needs history.enabled: what the centre does not have yet is kept there.")
    return broker_settings("uplink", config.uplink)


def _uplink(
    settings: "MqttSettings",
    keys: UplinkConfig,
    hub: Hub,
    statuses: Callable[[], Sequence[Status]],
    store: "Callable[[], Store | None]",
) -> Output:
    from iskra_server.fleet.broker import reader_name  # noqa: PLC0415
    from iskra_server.fleet.uplink import Uplink  # noqa: PLC0415

    made = Uplink(
        settings=settings,
        reader=reader_name(keys.reader),
        store=store,
        hub=hub,
        statuses=statuses,
        version=__version__,
        live_every_s=keys.live_every_s,
    )
    return Output(Part(f"uplink {settings.broker}", made.run), made.standing.state)


def influx_target(keys: InfluxConfig) -> "Target | None":
    """None where no database is configured. Raises ConfigError."""
    if not keys.url:
        return None
    from iskra_server.outputs.lineprotocol.target import target_of  # noqa: PLC0415

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


def _announcement(server: ServerConfig, hub: Hub) -> Output:
    from iskra_server.announcement import Announcement  # noqa: PLC0415

    made = Announcement(host=server.host, port=server.port, version=__version__, meters=lambda: list(hub.newest))
    return Output(Part("announcement", made.run))


def _influx(target: "Target", keys: InfluxConfig, data_dir: Path, hub: Hub) -> Output:
    from iskra_server.outputs.lineprotocol.output import NAME, LineProtocol  # noqa: PLC0415
    from iskra_server.spool import Spool  # noqa: PLC0415

    spool = Spool(data_dir / "spool" / NAME, keys.spool_mb * 1_000_000)
    output = LineProtocol(hub=hub, target=target, spool=spool, every_s=keys.every_s, flush_s=keys.flush_s)
    return Output(Part(NAME, output.run), lambda: output.state)
