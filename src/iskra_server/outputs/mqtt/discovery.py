"""Home Assistant's MQTT discovery: the entities of a meter, in the classic form or as one device.

An entity is available while the server is online, its meter is fresh, and its register is in the newest telegram.
Home Assistant can migrate between the forms, because both give an entity the same identity: node and key of the classic
topic, device and component of the other. Only device classes that every supported release has are used.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from iskra_server.meter.medium import Medium
from iskra_server.meter.registers import BY_KEY, Description
from iskra_server.outputs.mqtt.broker_settings import Language
from iskra_server.outputs.mqtt.payloads import describe_unnamed, is_counter, obis_of, published_unit
from iskra_server.outputs.mqtt.topics import Topics

Config = dict[str, Any]
ORIGIN = "iskra-server"
MIGRATE = b'{"migrate_discovery":true}'
SENSOR, BINARY_SENSOR = "sensor", "binary_sensor"
# Home Assistant 2024 and 2025 do not have these device classes
_NEW_CLASSES = frozenset(("reactive_energy",))
# Home Assistant ignores topics with other characters in the entity
_NOT_IN_TOPIC = re.compile(r"[^A-Za-z0-9_-]")
_MAKERS = {"ISK": "ISKRA"}
_WORDS: Mapping[str, Mapping[Language, str]] = {
    "electricity": {"en": "Electricity meter", "de": "Stromzähler"},
    "gas": {"en": "Gas meter", "de": "Gaszähler"},
    "water": {"en": "Water meter", "de": "Wasserzähler"},
    "heat": {"en": "Heat meter", "de": "Wärmezähler"},
    "cooling": {"en": "Cooling meter", "de": "Kältezähler"},
    "other": {"en": "Meter", "de": "Zähler"},
    "reading": {"en": "Meter reading", "de": "Zählerstand"},
    "simulated": {"en": "simulated", "de": "simuliert"},
    "signal_quality": {"en": "Signal quality", "de": "Signalqualität"},
    "locked": {"en": "Locked (PIN)", "de": "Gesperrt (PIN)"},
}


class Device(Struct, frozen=True):
    """A meter as Home Assistant shows it; `id` is its server id in hex."""

    id: str
    label: str
    name: str
    maker: str | None
    family: str | None
    simulated: bool
    medium: Medium = "electricity"
    is_sub_meter: bool = False


class Entity(Struct, frozen=True):
    component: str
    key: str
    config: Config


def _class_of(medium: Medium, unit: str | None) -> str | None:
    """Home Assistant's class of what a sub-meter counts: gas and water in m³, heat in kWh or GJ."""
    if unit == "m³":
        return medium if medium in ("gas", "water") else None
    return "energy" if unit in ("kWh", "GJ") else None


class DiscoveryPayloads:
    """Makes the discovery messages: retained topic -> payload."""

    def __init__(self, *, topics: Topics, language: Language, version: str) -> None:
        self._topics = topics
        self._language = language
        self._origin = {"name": ORIGIN, "sw_version": version}

    def classic(self, device: Device, entities: Iterable[Entity]) -> dict[str, bytes]:
        shared = {"device": self._device(device), "origin": self._origin}
        return {
            self._topics.entity(entity.component, device.id, entity.key): msgspec.json.encode(entity.config | shared)
            for entity in entities
        }

    def device(self, device: Device, entities: Iterable[Entity]) -> dict[str, bytes]:
        components = {entity.key: {"platform": entity.component} | entity.config for entity in entities}
        message = {"device": self._device(device), "origin": self._origin, "components": components}
        return {self._topics.device(device.id): msgspec.json.encode(message)}

    def entities(
        self,
        device: Device,
        places: Mapping[str, int],
        units: Mapping[str, str] = {},
        *,
        expire_s: int,
        counters_expire_s: int,
        diagnostics_s: int,
    ) -> list[Entity]:
        """`places`: each number that the meter has ever sent -> decimal places. `units`: those unlike the table's.

        The reading of a sub-meter comes with that of another meter, which has the signal quality.
        """
        sensors = [
            self._register(device, row, count, counters_expire_s if is_counter(key) else expire_s, units.get(key))
            for key, count in places.items()
            if (row := BY_KEY.get(key) or describe_unnamed(key, units.get(key, "")))
        ]
        if device.is_sub_meter:
            return sensors
        return [*sensors, self._signal_quality(device, diagnostics_s), self._locked(device)]

    def _register(
        self, device: Device, row: Description, places: int, expire_s: int, unit: str | None = None
    ) -> Entity:
        key, topics = row.key, self._topics
        in_state = f"value_json.{key}" if key in BY_KEY else f"value_json[{key!r}]"
        topic = topics.counters(device.id) if is_counter(key) else topics.state(device.id)
        is_sub_reading = device.is_sub_meter and row.is_counter
        label = self._word("reading") if is_sub_reading else row.de if self._language == "de" else row.en
        unit = unit or (published_unit(key) if key in BY_KEY else row.unit)
        device_class = _class_of(device.medium, unit) if is_sub_reading else row.device_class
        config = self._named(device, key, label) | {
            "state_topic": topic,
            "value_template": f"{{{{ {in_state} | default(none) }}}}",
            "suggested_display_precision": places,
            "expire_after": expire_s,
            "availability": [
                {"topic": topics.server},
                {"topic": topics.availability(device.id)},
                # a locked meter sends fewer registers
                {"topic": topic, "value_template": f"{{{{ 'online' if {key!r} in value_json else 'offline' }}}}"},
            ],
            "availability_mode": "all",
            "device_class": None if device_class in _NEW_CLASSES else device_class,
            "state_class": row.state_class,
            "unit_of_measurement": unit,
        }
        return Entity(
            SENSOR, _NOT_IN_TOPIC.sub("_", key), {name: value for name, value in config.items() if value is not None}
        )

    def _signal_quality(self, device: Device, expire_s: int) -> Entity:
        ratio = "value_json.valid_ratio"
        is_known = f"value_json is defined and {ratio} is number"
        config = self._diagnostic(device, "signal_quality", "mdi:signal") | {
            "value_template": f"{{{{ ({ratio} * 100) | round(1) if {is_known} else none }}}}",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "expire_after": expire_s,
        }
        return Entity(SENSOR, "signal_quality", config)

    def _locked(self, device: Device) -> Entity:
        locked = "value_json.locked"
        is_known = f"value_json is defined and {locked} is boolean"
        config = self._diagnostic(device, "locked", "mdi:lock") | {
            "value_template": f"{{{{ ('ON' if {locked} else 'OFF') if {is_known} else none }}}}"
        }
        return Entity(BINARY_SENSOR, "locked", config)

    def _diagnostic(self, device: Device, key: str, icon: str) -> Config:
        """Its template must accept an empty message: a removed meter sends one before its entity is gone."""
        return self._named(device, key, self._word(key)) | {
            "state_topic": self._topics.diagnostics(device.id),
            "availability": [{"topic": self._topics.server}],
            "entity_category": "diagnostic",
            "icon": icon,
        }

    def _named(self, device: Device, key: str, name: str) -> Config:
        return {"name": self._marked(device, name), "unique_id": f"iskra_{device.id}_{key}"}

    def _device(self, device: Device) -> Config:
        name = device.name or f"{self._word(device.medium)} {device.label}"
        properties = {
            "identifiers": [f"iskra_{device.id}"],
            "name": self._marked(device, name),
            "manufacturer": _MAKERS.get(device.maker or "", device.maker),
            "model": device.family,
            "serial_number": device.label,
        }
        return {key: value for key, value in properties.items() if value}

    def _marked(self, device: Device, name: str) -> str:
        return f"{name} ({self._word('simulated')})" if device.simulated else name

    def _word(self, key: str) -> str:
        return _WORDS[key][self._language]


class _Origin(Struct, frozen=True):
    name: str = ""


class Discovered(Struct, frozen=True):
    """An entity, or a device with its components, as read back from the broker."""

    origin: _Origin = _Origin()
    unique_id: str = ""
    places: int = msgspec.field(name="suggested_display_precision", default=0)
    unit: str = msgspec.field(name="unit_of_measurement", default="")
    components: dict[str, "Discovered"] = {}


def own_registers(messages: Mapping[str, bytes]) -> dict[str, dict[str, Discovered]]:
    """Retained discovery messages (topic -> payload) that are ours: topic -> register -> its entity."""
    registers_by_topic: dict[str, dict[str, Discovered]] = {}
    for topic, payload in messages.items():
        try:
            message = msgspec.json.decode(payload, type=Discovered)
        except (msgspec.MsgspecError, RecursionError):
            # of another program, or nested on purpose
            continue
        if message.origin.name == ORIGIN:
            entities = message.components or {topic.split("/")[-2]: message}
            registers_by_topic[topic] = {
                register: entity for name, entity in entities.items() if (register := _register_of(name, entity))
            }
    return registers_by_topic


def _register_of(name: str, entity: Discovered) -> str | None:
    """A register outside the table has its OBIS code at the end of the unique id."""
    code = entity.unique_id.rpartition("_")[2]
    return name if name in BY_KEY else code if obis_of(code) else None
