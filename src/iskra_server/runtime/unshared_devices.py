"""The emulated devices of a configuration that are not for several batteries: they send unasked, or by Modbus TCP."""

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from iskra_server.config import Config, ConfigError
from iskra_server.outputs.emulation.device import SendingDevice
from iskra_server.runtime.planned_device import PlannedDevice

if TYPE_CHECKING:
    # for their types alone: they are imported only where a device is enabled
    from iskra_server.mqtt.access import BrokerAccess
    from iskra_server.outputs.emulation.modbus_listener import ModbusDevice


def sending_devices(config: Config) -> dict[str, PlannedDevice[SendingDevice]]:
    """Those that are enabled, by their name. Raises ConfigError."""
    outputs = config.outputs
    found: dict[str, PlannedDevice[SendingDevice]] = {}
    if (sma := outputs.sma_energy_meter).enabled:
        from iskra_server.outputs.emulation.sma_energy_meter import NAME as SMA  # noqa: PLC0415
        from iskra_server.outputs.emulation.sma_energy_meter import SmaEnergyMeter  # noqa: PLC0415

        found[SMA] = PlannedDevice(sma, partial(SmaEnergyMeter, model=sma.model, host=outputs.emulation.host))
    if outputs.victron.enabled:
        from iskra_server.outputs.emulation.victron import NAME as VICTRON  # noqa: PLC0415
        from iskra_server.outputs.emulation.victron import Victron  # noqa: PLC0415

        access, topic = _victron_broker(config)
        found[VICTRON] = PlannedDevice((access, topic), partial(Victron, access=access, topic=topic))
    return found


def _victron_broker(config: Config) -> "tuple[BrokerAccess, str]":
    from iskra_server.mqtt.access import broker_access  # noqa: PLC0415
    from iskra_server.outputs.mqtt.broker_settings import broker_settings, checked_topic  # noqa: PLC0415

    keys, mqtt = config.outputs.victron, config.outputs.mqtt
    if not keys.url and not mqtt.url:
        raise ConfigError("outputs.victron.url is empty, and so is outputs.mqtt.url: one of them must name the broker.")
    try:
        topic = checked_topic("topic", keys.topic)
        if mqtt.url and mqtt.base_topic in (topic, topic.rpartition("/")[0]):
            # its availability would be taken for that of a meter, or of the server
            raise ValueError(f"topic must not be {mqtt.base_topic} of outputs.mqtt, nor the level below it")
        if keys.url:
            return broker_access(keys.url, password=keys.password, ca_file=keys.ca_file), topic
    except ValueError as error:
        raise ConfigError(f"outputs.victron: {error}.") from None
    # two connections with one client id end each other
    return replace(broker_settings("outputs.mqtt", mqtt), client_id=""), topic


def modbus_devices(config: Config) -> "dict[int, list[PlannedDevice[ModbusDevice]]]":
    """Those that are enabled, by their port."""
    by_port: dict[int, list[PlannedDevice[ModbusDevice]]] = defaultdict(list)
    if (sunspec := config.outputs.sunspec).enabled:
        from iskra_server.outputs.emulation.sunspec import SunSpec  # noqa: PLC0415

        make = partial(SunSpec, unit=sunspec.unit, zero_if_missing=sunspec.zero_if_missing)
        by_port[sunspec.port].append(PlannedDevice(sunspec, make, wait_fresh_s=sunspec.wait_fresh_s))
    if (shelly := config.outputs.shelly_modbus).enabled:
        from iskra_server.outputs.emulation.shelly_modbus import ShellyModbus  # noqa: PLC0415

        # the same device as the one that answers by HTTP
        by_http = config.outputs.shelly_pro_3em
        typical, is_alone = by_http.typical_values, not by_http.enabled
        make_shelly = partial(ShellyModbus, typical=typical, is_alone=is_alone)
        settings = (shelly, typical, is_alone)
        by_port[shelly.port].append(PlannedDevice(settings, make_shelly, wait_fresh_s=shelly.wait_fresh_s))
    return by_port
