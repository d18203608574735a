"""Home Assistant's MQTT discovery: the entities of a meter, in the classic form or as one device.

An entity is available while the server is online, its meter is fresh, and its register is in the newest telegram.
Home Assistant can migrate between the forms, because both give an entity the same identity: node and key of the classic
topic, device and component of the other. Only device classes that every supported release has are used.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.cost.contracts import Contract
from iskra_server.meter.medium import Medium
from iskra_server.meter.registers import BY_KEY, Description, key_of
from iskra_server.meter.signed_power import POWER
from iskra_server.outputs.mqtt.diagnostic_entities import diagnostic_entities
from iskra_server.outputs.mqtt.entity_names import (
    SENSOR,
    WORDS,
    Config,
    Device,
    Entity,
    device_name,
    identity_of,
    state_of,
)
from iskra_server.outputs.mqtt.payloads import describe_unnamed, is_counter, obis_of, published_unit
from iskra_server.outputs.mqtt.period_entities import cost_entities, energy_entities
from iskra_server.outputs.mqtt.topics import Topics

_POWER = key_of(POWER)
ORIGIN = "iskra-server"
MIGRATE = b'{"migrate_discovery":true}'
# Home Assistant 2024 and 2025 do not have these device classes
_NEW_CLASSES = frozenset(("reactive_energy",))
# Home Assistant ignores topics with other characters in the entity
_NOT_IN_TOPIC = re.compile(r"[^A-Za-z0-9_-]")
_MAKERS = {"ISK": "ISKRA"}


def _class_of(medium: Medium, unit: str | None) -> str | None:
    """Home Assistant's class of what a sub-meter counts: gas and water in m³, heat in kWh or GJ."""
    if unit == "m³":
        return medium if medium in ("gas", "water") else None
    return "energy" if unit in ("kWh", "GJ") else None


class DiscoveryPayloads:
    """Makes the discovery messages: retained topic -> payload."""

    def __init__(self, *, topics: Topics, language: Language, version: str, has_history: bool = False) -> None:
        self._topics = topics
        self._language = language
        self._has_history = has_history
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
        contracts: Sequence[Contract] = (),
        counted: Mapping[str, int] = {},
    ) -> list[Entity]:
        """`places`: each number that the meter has ever sent -> decimal places. `units`: those unlike the table's.

        `contracts` are those of the meter, `counted` the counters that it does not send, of which periods are known.
        The reading of a sub-meter comes with that of another meter, which has the signal quality.
        """
        sensors = [
            self._register(device, row, count, counters_expire_s if is_counter(key) else expire_s, units.get(key))
            for key, count in places.items()
            if (row := BY_KEY.get(key) or describe_unnamed(key, units.get(key, "")))
        ]
        if device.is_sub_meter:
            return sensors
        diagnostic = (
            diagnostic_entities(self._topics, device, self._language, expire_s=diagnostics_s)
            if device.has_diagnosis
            else []
        )
        if device.medium != "electricity":
            return [*sensors, *diagnostic]
        shared, has_history = (self._topics, device, self._language), self._has_history
        return [
            *sensors,
            *(energy_entities(*shared, {**counted, **places}, expire_s=counters_expire_s) if has_history else ()),
            *cost_entities(*shared, contracts, has_history=has_history, has_power=_POWER in places, expire_s=expire_s),
            *diagnostic,
        ]

    def _register(
        self, device: Device, row: Description, places: int, expire_s: int, unit: str | None = None
    ) -> Entity:
        key, topics = row.key, self._topics
        topic = topics.counters(device.id) if is_counter(key) else topics.state(device.id)
        is_sub_reading = device.is_sub_meter and row.is_counter
        names: Mapping[Language, str] = WORDS["reading"] if is_sub_reading else {"en": row.en, "de": row.de}
        unit = unit or (published_unit(key) if key in BY_KEY else row.unit)
        device_class = _class_of(device.medium, unit) if is_sub_reading else row.device_class
        config = identity_of(device, SENSOR, key, self._language, names) | {
            # a locked meter sends fewer registers
            **state_of(key, topic, topics.server, topics.availability(device.id)),
            "suggested_display_precision": places,
            "expire_after": expire_s,
            "device_class": None if device_class in _NEW_CLASSES else device_class,
            "state_class": row.state_class,
            "unit_of_measurement": unit,
        }
        return Entity(
            SENSOR, _NOT_IN_TOPIC.sub("_", key), {name: value for name, value in config.items() if value is not None}
        )

    def _device(self, device: Device) -> Config:
        properties = {
            "identifiers": [f"iskra_{device.id}"],
            "name": device_name(device, self._language),
            "manufacturer": _MAKERS.get(device.maker or "", device.maker),
            "model": device.family,
            "serial_number": device.label,
        }
        return {key: value for key, value in properties.items() if value}


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
        except (ValueError, RecursionError):
            # of another program, no UTF-8, or nested on purpose
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
